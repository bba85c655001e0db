"""Address fields (RFC 5322 §3.4 and its obsolete forms), in linear time, whatever they hold.

The address is only ever taken from the syntax: an encoded word or a quoted name never becomes one,
so a display name that looks like somebody's address stays a name.
"""

import re
from dataclasses import dataclass, field

from buzon.wire.reading.values import Address, Oddities
from buzon.wire.reading.words import decoded, one_line

ADDRESS_LIMIT = 320  # characters: 64 + "@" + 255 (RFC 5321 §4.5.3.1)
NAME_LIMIT = 1_000
ADDRESSES_LIMIT = 10_000  # of one field

# The everyday forms, whole up to their comma: name <a@b>, "name" <a@b>, <a@b>, a@b.
_SIMPLE = re.compile(
    r'(?:[ \t]*+"([^"\\]*+)"[ \t]*+|([^"<>,;:()@\\\[\]]*+))'
    r'<([^\s"<>,;:()@\\\[\]]++@[^\s"<>,;:()@\\\[\]]++)>[ \t]*+(?:,|\Z)'
    r'|[ \t]*+([^\s"<>,;:()@\\\[\]]++@[^\s"<>,;:()@\\\[\]]++)[ \t]*+(?:,|\Z)'
)
_TOKEN = re.compile(
    r"(?P<word>=\?[^?\s]++\?[bBqQ]\?[^?]*+\?=)"
    r'|(?P<quoted>"(?:[^"\\]++|\\.)*")'
    r"|(?P<angle><[^<>]*+>)"
    r"|(?P<literal>\[[^\[\]<>,]*+\])"
    r"|(?P<mark>[,;:()])"
    r'|(?P<text>[^",;:()<>\[=\\]++|\\.|.)',
    re.DOTALL,
)
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ADDR_SPEC = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s"<>@]++)@([^\s"<>@]++)', re.DOTALL)


def parse_addresses(value: str, odd: Oddities) -> tuple[Address, ...]:
    """The mailboxes of an unfolded address field, groups flattened (RFC 5322 §3.4)."""
    found: list[Address] = []
    position, end = 0, len(value)
    while position < end:
        if len(found) >= ADDRESSES_LIMIT:
            odd.note("addresses-cut", str(ADDRESSES_LIMIT))
            break
        simple = _SIMPLE.match(value, position)
        if simple:
            found.append(_simple_mailbox(simple, odd))
            position = simple.end()
        else:
            position = _Mailbox(odd).consume(value, position, found)
    return tuple(found[:ADDRESSES_LIMIT])


def _simple_mailbox(match: re.Match[str], odd: Oddities) -> Address:
    quoted, plain, angle, bare = match.groups()
    if bare:
        return _mailbox("", bare, odd)
    name = " ".join((quoted or plain or "")[:NAME_LIMIT].split())
    return _mailbox(decoded(name, odd), _addr_spec(angle) if "'" in angle else angle, odd)


@dataclass(slots=True)
class _Mailbox:
    """What was seen since the last comma, when the everyday forms do not fit."""

    odd: Oddities
    words: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    words_before: int = 0  # how many words stood before the angle brackets

    def consume(self, value: str, position: int, found: list[Address]) -> int:
        """Read up to and including the next separator; answer where to go on."""
        end = len(value)
        while position < end:
            token = _TOKEN.match(value, position)
            assert token is not None  # the last alternative takes any character
            position = token.end()
            mark = token["mark"]
            if mark is None:
                self._take(token, found)
            elif mark in ",;":
                break
            elif mark == "(":
                position = self._comment(value, position)
            elif mark == ":" and self.angle is None:
                self._group_name(value, position)
        self._flush(found)
        return position

    def _take(self, token: re.Match[str], found: list[Address]) -> None:
        text = token[0]
        if token["angle"]:
            if self.angle is not None:  # name <a@b> <c@d>: two addresses without a comma
                self.odd.note("address-comma-missing")
                next_name = self.words[self.words_before :]
                del self.words[self.words_before :]
                self._flush(found)
                self.words = next_name
            self.angle, self.words_before = text[1:-1], len(self.words)
        elif token["quoted"]:
            self.words.append(_ESCAPED.sub(r"\1", text[1:-1]))
            self.raw.append(text)
        else:
            self.words.append(text)
            self.raw.append(text)

    def _comment(self, value: str, position: int) -> int:
        """Skip a comment, nested ones too; one that never closes is text from there on."""
        depth, start = 1, position
        for paren in _PAREN.finditer(value, position):
            depth += {"(": 1, ")": -1}.get(paren[0], 0)
            if depth == 0:
                self.comments.append(_ESCAPED.sub(r"\1", value[start : paren.start()]))
                self.raw.append(" ")
                return paren.end()
        self.odd.note("comment-open")
        rest = value[start - 1 :]
        self.words.append(rest)
        self.raw.append(rest)
        return len(value)

    def _group_name(self, value: str, position: int) -> None:
        """A colon ends a group's name, which is no mailbox; any other colon is text."""
        if "@" in "".join(self.raw):
            self.words.append(":")
            self.raw.append(":")
            return
        self.words.clear()
        self.raw.clear()
        self.comments.clear()

    def _flush(self, found: list[Address]) -> None:
        if self.angle is not None:
            found.append(self._named(self.angle))
        else:
            found.extend(self._bare())
        self.words.clear()
        self.raw.clear()
        self.comments.clear()
        self.angle = None

    def _named(self, angle: str) -> Address:
        address = _addr_spec(angle)
        name = self._name("".join(self.words))
        if not address and angle.strip():
            self.odd.note("address-unusable", angle)
            name = name or decoded(angle[:NAME_LIMIT], self.odd)
        return _mailbox(name, address, self.odd)

    def _bare(self) -> list[Address]:
        """No angle brackets: the words that are addresses, or else a name alone."""
        raw = "".join(self.raw).strip()
        whole = _addr_spec(raw)
        if whole:
            return [_mailbox(self._name(""), whole, self.odd)]
        addresses: list[str] = []
        names: list[str] = []
        for word in raw.split() if "@" in raw else ():
            address = _addr_spec(word.strip("<>"))  # one bracket may be missing
            (addresses if address else names).append(address or word)
        if not addresses:
            name = self._name("".join(self.words))
            return [_mailbox(name, "", self.odd)] if name else []
        self.odd.note("address-without-brackets")
        first = _mailbox(self._name(" ".join(names).replace('"', "")), addresses[0], self.odd)
        return [first, *(_mailbox("", address, self.odd) for address in addresses[1:])]

    def _name(self, phrase: str) -> str:
        """The phrase; where there is none the comment, as old mail programs write it."""
        name = decoded(" ".join(phrase[:NAME_LIMIT].split()), self.odd)
        if not name and self.comments:
            name = decoded(" ".join(self.comments)[:NAME_LIMIT], self.odd)
        return name


def _addr_spec(text: str) -> str:
    """The addr-spec in what stood between angle brackets or alone; "" where there is none."""
    text = text.strip()
    if len(text) > 4 * ADDRESS_LIMIT:
        return ""
    if text.startswith("@") and ":" in text:  # an obsolete route (RFC 5322 §4.4)
        text = text.partition(":")[2]
    if text[:7].lower() == "mailto:":
        text = text[7:]
    if text[:1] in "'\"" and text[-1:] == text[:1] and len(text) > 1:
        text = text[1:-1]
    text = "@".join(piece.strip() for piece in text.split("@"))
    return text if _ADDR_SPEC.fullmatch(text) else ""


def _mailbox(name: str, address: str, odd: Oddities) -> Address:
    address = one_line(address, odd)
    if len(address) > ADDRESS_LIMIT:
        odd.note("address-too-long")
        name, address = name or address, ""
    if "=?" in address:
        odd.note("address-encoded", address)
    return Address(name[:NAME_LIMIT], address)
