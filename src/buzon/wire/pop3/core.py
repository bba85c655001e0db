r"""The POP3 client protocol without sockets: octets in, events out.

A reply has no sign of its kind: whether lines follow is known only from the command. So the shape
of each reply is announced with `expect` in the order of the commands, and `feed` cuts the stream:

    expect(LINE)  "+OK text\r\n"                        -> Reply
    expect(BODY)  "+OK text\r\n" lines "\r\n.\r\n"      -> Reply, bytes…, End
                  "-ERR text\r\n"                       -> Reply
    expect(SASL)  "+ challenge\r\n"                     -> Challenge
                  "+OK text\r\n" or "-ERR text\r\n"     -> Reply

What arrives when nothing is expected stays in `unread`.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ServerBusy

TERMINATOR = b"\r\n.\r\n"
BEGINNINGS = tuple(TERMINATOR[:count] for count in (4, 3, 2, 1))


class Shape(Enum):
    """What kind of reply a command has."""

    LINE = auto()
    BODY = auto()
    SASL = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """A status line: `ok` for "+OK", and the text behind, without the line end."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's part of a SASL dialogue, still in base64 (RFC 5034 §4)."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The body of the reply is complete."""


Event = Reply | Challenge | End | bytes


class Core:
    """The state between two octets. `feed` raises ServerBusy when the server speaks no POP3."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._expected: deque[Shape] = deque()
        self._buffer = b""
        self._at = 0
        self._failure: ServerBusy | None = None
        self._in_body = False
        self._body_begins = False

    def expect(self, shape: Shape) -> None:
        """One more reply is on its way, after those announced before."""
        self._expected.append(shape)

    @property
    def expected(self) -> int:
        """How many replies are still to come or to be completed."""
        return len(self._expected)

    @property
    def unread(self) -> bytes:
        """What came after the last expected reply."""
        return self._buffer

    def feed(self, data: bytes) -> list[Event]:
        """The events that these octets complete; a body comes in pieces, already unstuffed.

        Where they make no sense after some events, those are given first, and the error is raised
        by the next `check` or `feed`.
        """
        self.check()
        self._buffer += data
        events: list[Event] = []
        try:
            while self._expected and self._advance(events):
                pass
        except ServerBusy as error:
            if not events:
                raise
            self._failure = error
        self._buffer = self._buffer[self._at :]
        self._at = 0
        return events

    def check(self) -> None:
        """Raise, once, what was found wrong behind the events that were given."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _advance(self, events: list[Event]) -> bool:
        """One step; False when more octets are needed for the next."""
        return self._body(events) if self._in_body else self._status_line(events)

    def _status_line(self, events: list[Event]) -> bool:
        end = self._buffer.find(b"\r\n", self._at)
        if (end if end >= 0 else len(self._buffer)) - self._at > self._limits.line:
            raise ServerBusy(
                "The server sent a status line over {most} octets.", most=self._limits.line
            )
        if end < 0:
            return False
        event = _parsed(self._buffer[self._at : end], self._expected[0])
        events.append(event)
        if self._expected[0] is Shape.BODY and isinstance(event, Reply) and event.ok:
            # The line end stays: "CRLF . CRLF" may end a body that has not begun (no lines).
            self._at = end
            self._in_body = self._body_begins = True
        else:
            self._at = end + 2
            self._expected.popleft()
        return True

    def _body(self, events: list[Event]) -> bool:
        end = self._buffer.find(TERMINATOR, self._at)
        if end < 0:
            self._take(len(self._buffer) - self._held(), events)
            return False
        self._take(end + 2, events)
        self._at = end + len(TERMINATOR)
        events.append(End())
        self._in_body = False
        self._expected.popleft()
        return True

    def _held(self) -> int:
        """Octets at the end that may be the beginning of the terminator or of a stuffed line."""
        return next((len(end) for end in BEGINNINGS if self._buffer.endswith(end, self._at)), 0)

    def _take(self, end: int, events: list[Event]) -> None:
        """RFC 1939 §3: a line that begins with a dot comes with two, and loses one.

        One dot alone stays: no server that stuffs sends it, and Dovecot 2.3, which does not stuff a
        message's first line, would lose an octet. A cut never parts CRLF and its dots.
        """
        if end <= self._at:
            return
        piece = self._buffer[self._at : end].replace(b"\r\n..", b"\r\n.")
        self._at = end
        if self._body_begins:
            piece = piece[2:]
            self._body_begins = False
        if piece:
            events.append(piece)


def _parsed(line: bytes, shape: Shape) -> Reply | Challenge:
    word, _, rest = line.partition(b" ")
    if word.upper() in (b"+OK", b"-ERR"):
        return Reply(ok=word[:1] == b"+", text=rest.decode("utf-8", "replace").strip())
    if shape is Shape.SASL and word == b"+":
        return Challenge(rest.strip())
    raise ServerBusy(
        "The server's answer is not one of POP3; check the port and the encryption.",
        answer=line[:500].decode("utf-8", "replace"),
    )
