"""The words of IMAP commands and answers: atoms, strings, literals, sets, dates (RFC 9051, 9)."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import TypeVar

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
LITERAL_END = re.compile(rb"\{(\d{1,10})(\+?)\}\r?\n\Z")
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
_ITEM = re.compile(rb"[A-Za-z0-9.-]+")
_PATTERN = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]+')
_FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r?\n")
_RANGE = rb"(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?"
_SET = re.compile(_RANGE + rb"(?:," + _RANGE + rb")*(?![^ )\r\n])")
_NUMBER = re.compile(rb"\d{1,19}")
_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_DATE_TIME = re.compile(_DATE.pattern + r" (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")

# A range's ends; None is "*".
Range = tuple[int | None, int | None]
T = TypeVar("T")


class Bad(Exception):
    """Answered with BAD and this text: the command is not one."""


class Arguments:
    """What follows a command's name, taken from left to right. Every method raises Bad."""

    def __init__(self, octets: bytes, *, utf8: bool = False) -> None:
        self._octets = octets
        self._at = 0
        self._utf8 = utf8

    def has(self, token: bytes) -> bool:
        """Take this token, in any case of letters, if it comes next."""
        if self.sees(token):
            self._at += len(token)
            return True
        return False

    def sees(self, token: bytes) -> bool:
        """Whether this token comes next."""
        return self._octets[self._at : self._at + len(token)].upper() == token.upper()

    def need(self, token: bytes) -> None:
        """Take this token."""
        if not self.has(token):
            raise Bad(f"{token.decode()!r} is missing.")

    def space(self) -> None:
        """The single space between arguments."""
        if not self.has(b" "):
            raise Bad("An argument is missing.")

    def at_end(self) -> bool:
        """Whether nothing more comes."""
        return self._octets[self._at : self._at + 2] in (b"", b"\n", b"\r\n")

    def end(self) -> None:
        """Nothing more."""
        if not self.at_end():
            raise Bad("There is an argument too many, or it makes no sense.")

    def atom(self) -> str:
        """An atom, as it was written."""
        return self._match(_ATOM, "An atom")[0].decode("ascii", "replace")

    def keyword(self) -> str:
        """An atom in capitals."""
        return self.atom().upper()

    def item_name(self) -> str:
        """FETCH's name of an item or a section, in capitals."""
        return self._match(_ITEM, "A name")[0].decode().upper()

    def word_is(self, word: str) -> bool:
        """Take this word if it comes next and ends there."""
        after = self._octets[self._at + len(word) : self._at + len(word) + 1]
        return after in (b"", b" ", b"\r", b"\n") and self.has(word.encode())

    def number(self) -> int:
        """A number."""
        return int(self._match(_NUMBER, "A number")[0])

    def flag(self) -> str:
        """A flag; system flags in the RFC's spelling, keywords as they were written."""
        flag = self._match(_FLAG, "A flag")[0].decode("ascii", "replace")
        if not flag.startswith("\\"):
            return flag
        if flag.title() not in SYSTEM_FLAGS:
            raise Bad(f"{flag} is not a flag that can be set.")
        return flag.title()

    def flags(self) -> list[str]:
        """Flags in parentheses, or without them."""
        return self.listed(self.flag) if self.sees(b"(") else self.spaced(self.flag)

    def listed(self, item: Callable[[], T]) -> list[T]:
        """Items in parentheses, none to many."""
        self.need(b"(")
        if self.has(b")"):
            return []
        found = self.spaced(item)
        self.need(b")")
        return found

    def spaced(self, item: Callable[[], T]) -> list[T]:
        """Items with a space between them, one to many."""
        found = [item()]
        while self.has(b" "):
            found.append(item())
        return found

    def astring(self) -> bytes:
        """An atom, a quoted string or a literal."""
        return self._string_or(_ASTRING)

    def pattern(self) -> bytes:
        """LIST's mailbox pattern."""
        return self._string_or(_PATTERN)

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self.sees(b"{"):
            return self._literal()
        quoted = self._match(_QUOTED, "A string")[1]
        if not self._utf8 and not quoted.isascii():
            # RFC 9051 would allow it to those who ENABLE it, RFC 3501 to nobody.
            raise Bad("Other than ASCII needs a literal.")
        return re.sub(rb"\\(.)", rb"\1", quoted)

    def text(self) -> str:
        """An astring as text."""
        return self.astring().decode("utf-8", "replace")

    def _string_or(self, pattern: re.Pattern[bytes]) -> bytes:
        if self.sees(b'"') or self.sees(b"{"):
            return self.string()
        return self._match(pattern, "A string")[0]

    def _literal(self) -> bytes:
        size = int(self._match(_LITERAL, "A literal")[1])
        octets = self._octets[self._at : self._at + size]
        self._at += size
        return octets

    def sees_set(self) -> bool:
        """Whether a set of sequence numbers comes next."""
        return _SET.match(self._octets, self._at) is not None

    def set(self) -> list[Range]:
        """A set of sequence numbers or UIDs; "*" is None."""
        text = self._match(_SET, "A set of messages")[0].decode()
        ranges = []
        for part in text.split(","):
            first, _, last = part.partition(":")
            ranges.append((_end_of_range(first), _end_of_range(last or first)))
        return ranges

    def date(self) -> date:
        """A day, with or without quotes."""
        found = _DATE.fullmatch(self.text())
        if not found:
            raise Bad("A date is missing.")
        return _day(found)

    def date_time(self) -> datetime:
        """An internal date, aware."""
        found = _DATE_TIME.fullmatch(self.string().decode("ascii", "replace").strip())
        if not found:
            raise Bad("A date and time is missing.")
        hour, minute, second = (int(found[n]) for n in (4, 5, 6))
        offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
        try:
            zone = timezone(-offset if found[7] == "-" else offset)
            day = _day(found)
            return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
        except ValueError as error:
            raise Bad("There is no such time.") from error

    def _match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        found = pattern.match(self._octets, self._at)
        if not found:
            raise Bad(f"{what} is missing.")
        self._at = found.end()
        return found


def _end_of_range(text: str) -> int | None:
    if text == "*":
        return None
    if not 0 < int(text) < 2**32:
        raise Bad("A message's number is between 1 and 4294967295.")
    return int(text)


def _day(found: re.Match[str]) -> date:
    month = found[2].title()
    if month not in MONTHS:
        raise Bad("There is no such month.")
    try:
        return date(int(found[3]), MONTHS.index(month) + 1, int(found[1]))
    except ValueError as error:
        raise Bad("There is no such day.") from error


def quoted(text: str) -> bytes:
    """A string of an answer: quoted where it can be, a literal otherwise."""
    octets = text.encode("utf-8", "surrogateescape")
    if octets.isascii() and not set(octets) & {0, 10, 13} and len(octets) < 1000:
        return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%b" % (len(octets), octets)


def quoted_or_nil(text: str | None) -> bytes:
    """A string of an answer, or NIL."""
    return b"NIL" if text is None else quoted(text)


def internal_date(when: datetime) -> bytes:
    """A time as INTERNALDATE writes it, quoted."""
    # Not strftime's %b, which speaks the language of the machine.
    month = MONTHS[when.month - 1]
    return f'"{when.day:2d}-{month}-{when.year:04d} {when:%H:%M:%S %z}"'.encode()


def compact_set(numbers: Sequence[int]) -> str:
    """Rising numbers as a set: [1, 2, 3, 7] is "1:3,7"."""
    return ",".join(
        str(first) if first == last else f"{first}:{last}" for first, last in _runs(numbers)
    )


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
