"""The sans-IO core of an IMAP client: octets in, events out; no sockets, no clock.

A response is lines with literals between them (RFC 9051 section 4.3):

    LINE ──ends in {n}──► LITERAL ──n octets──► LINE ──…──► LINE without {n}: one event
                    └───► SKIP (n is more than we hold: counted, not kept) ──┘

    core = ImapCore(limits)
    core.feed(octets)
    while (event := core.next_event()) is not None: …

The octets are worked on in the chunk they came in: a message inside one chunk is copied once.
"""

import re
from array import array

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ConnectFailed
from buzon.wire.imap import fetch
from buzon.wire.imap.events import (
    Continuation,
    Data,
    Event,
    Exists,
    Expunged,
    Found,
    Nonsense,
    Skipped,
    Status,
)
from buzon.wire.imap.tokens import Part, Unreadable, words

_MARKER = re.compile(rb"\{(\d{1,20})\+?\}$")
_STATUS = re.compile(
    rb"(\S+) (OK|NO|BAD|BYE|PREAUTH)(?: +\[([^\s\]]+)(?: ([^\]]*))?\])?(?: +(.*))?",
    re.IGNORECASE | re.DOTALL,
)
_COUNT = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE)\s*", re.IGNORECASE)
_SEARCH = re.compile(rb"\* SEARCH(?=\s|$)", re.IGNORECASE)
_NAME = re.compile(rb"\* ([A-Za-z][A-Za-z0-9.-]*)(?=\s|$)")
_NUMBERS = (b"* SEARCH", b"* ESEARCH")
_NUMBER = re.compile(rb"(?<!\S)\d{1,10}(?!\S)")

# A SEARCH answer names every message of a folder on one line: 16 MiB are over a million of them.
LONGEST_NUMBERS = 16 * 1_048_576
LARGEST_UID = 4_294_967_295
# What is larger than we hold is read and dropped, so that one message whose size the server
# misstates does not end every session that asks for it; but not for ever.
LARGEST_LITERAL = 4_294_967_295


class ImapCore:
    """Reads one connection's stream. Raises ConnectFailed when it can no longer be understood,
    or makes us hold more than `limits`: the connection is then of no use.

    Literals are kept up to `literal_cap` octets a response; larger ones become `Skipped`.
    `event_octets` is how many octets the last event was made of.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.literal_cap = max(2 * limits.spool_above, limits.slice)
        self.event_octets = 0
        self._data = b""
        self._at = 0
        self._line = bytearray()
        self._parts: list[Part] = []
        self._kept = 0
        self._pieces: list[bytes] = []
        self._missing = 0
        self._skipping = 0

    def feed(self, data: bytes) -> None:
        """More octets from the server, in chunks of any size."""
        self._data = data if self._at >= len(self._data) else self._data[self._at :] + data
        self._at = 0

    def take_unread(self) -> bytes:
        """The octets behind the last event, which this core then forgets.

        For STARTTLS, where there must be none, and for COMPRESS, where they are compressed.
        """
        unread = bytes(self._line) + self._data[self._at :]
        self._line.clear()
        self._data, self._at = b"", 0
        return unread

    def next_event(self) -> Event | None:
        """The next whole response, None when more octets are needed."""
        while not self._missing or self._literal_is_whole():
            line = self._whole_line()
            if line is None:
                return None
            self._add(line)
            if self._announces_literal(line):
                continue
            self.event_octets = self._kept + (len(line) if len(self._parts) == 1 else 0)
            parts, self._parts, self._kept = self._parts, [], 0
            event = self._event(parts)
            if event is not None:
                return event
        return None

    def _whole_line(self) -> bytes | None:
        """One line without its end, None while it is not whole.

        Some servers end lines in a bare LF; nothing else in a line can be one.
        """
        end = self._data.find(b"\n", self._at)
        if end < 0:
            self._line += self._data[self._at :]
            self._data, self._at = b"", 0
            self._check_line(self._line)
            return None
        line = self._data[self._at : end]
        self._at = end + 1
        if self._line:
            line = bytes(self._line) + line
            self._line.clear()
        self._check_line(line)
        return line[:-1] if line.endswith(b"\r") else line

    def _check_line(self, line: bytes | bytearray) -> None:
        if len(line) <= self._limits.line:
            return
        if len(line) > LONGEST_NUMBERS or not line[:9].upper().startswith(_NUMBERS):
            raise ConnectFailed("The server sent a line longer than we accept.")

    def _add(self, part: Part) -> None:
        self._parts.append(part)
        if len(self._parts) > 1:
            self._kept += len(part) if isinstance(part, bytes) else 0
            if (
                len(self._parts) > self._limits.list_items
                or self._kept > self.literal_cap + self._limits.line
            ):
                raise ConnectFailed("The server sent a response larger than we accept.")

    def _announces_literal(self, line: bytes) -> bool:
        """Whether `line` ends in `{n}`; the literal is then what comes next."""
        if not line.endswith(b"}"):
            return False
        marker = _MARKER.search(line)
        # In the human text of a status, a brace is only a brace.
        if marker is None or (len(self._parts) == 1 and not _may_hold_literals(line)):
            return False
        size = int(marker[1])
        if size > LARGEST_LITERAL:
            raise ConnectFailed("The server announced {size} octets at once.", size=size)
        self._missing = size
        if self._kept + size > self.literal_cap:
            self._skipping = size
        if not size:
            self._add(b"")
        return True

    def _literal_is_whole(self) -> bool:
        """Take what there is of the literal; True when that was the rest of it."""
        piece = self._data[self._at : self._at + self._missing]
        self._at += len(piece)
        self._missing -= len(piece)
        if not self._skipping:
            self._pieces.append(piece)
        if self._missing:
            return False
        if self._skipping:
            self._add(Skipped(self._skipping))
        else:
            self._add(piece if len(self._pieces) == 1 else b"".join(self._pieces))
        self._pieces.clear()
        self._skipping = 0
        return True

    def _event(self, parts: list[Part]) -> Event | None:
        fetched = fetch.fast(parts)
        if fetched is not None:
            return fetched
        line = parts[0]
        assert isinstance(line, bytes)
        if line.startswith(b"* "):
            return self._untagged(line, parts)
        if line.startswith(b"+"):
            return Continuation(line[1:].lstrip(b" "))
        if not line.strip():
            return None
        return _status(line) or Nonsense(line)

    def _untagged(self, line: bytes, parts: list[Part]) -> Event:
        count = _COUNT.fullmatch(line)
        if count is not None:
            number = int(count[1])
            return Exists(number) if count[2].upper() == b"EXISTS" else Expunged(number)
        if _SEARCH.match(line):
            return Found(_numbers(line))
        return (
            fetch.slow(parts, most=self._limits.list_items)
            or _status(line)
            or self._data_of(line, parts)
        )

    def _data_of(self, line: bytes, parts: list[Part]) -> Event:
        name = _NAME.match(line)
        if name is None:
            return Nonsense(line)
        try:
            values = words([line[name.end() :], *parts[1:]], most=self._limits.list_items)
        except Unreadable:
            return Nonsense(line)
        return Data(name[1].decode().upper(), values)


def _may_hold_literals(line: bytes) -> bool:
    return line.startswith(b"* ") and _STATUS.fullmatch(line) is None


def _status(line: bytes) -> Status | None:
    match = _STATUS.fullmatch(line)
    if match is None:
        return None
    tag, kind, code, argument, text = match.groups()
    return Status(
        tag=tag,
        kind=kind.decode().upper(),
        code=(code or b"").decode("ascii", "replace").upper(),
        argument=argument or b"",
        text=(text or b"").decode("utf-8", "replace"),
    )


def _numbers(line: bytes) -> "array[int]":
    # "(MODSEQ 917)" may follow the numbers (RFC 7162 section 3.1.5): no number, passed over.
    # One at a time: a list of all the words would be ten times the line.
    end = line.find(b"(")
    words = _NUMBER.finditer(line, len(b"* SEARCH"), len(line) if end < 0 else end)
    numbers = (int(word[0]) for word in words)
    return array("I", (n for n in numbers if 0 < n <= LARGEST_UID))
