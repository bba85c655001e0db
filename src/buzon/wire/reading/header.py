"""The header of a message: where it ends, its fields, its dates and its identifiers."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from buzon.wire.reading.values import Oddities
from buzon.wire.reading.words import one_line, unfolded

BLANK_LINE = re.compile(rb"\n\r?\n")
# A field: name, colon, and its folded lines. Possessive, so that no input costs more than one look.
# Only single characters are repeated possessively: groups that are lose their place in Python
# before 3.11.5 (CPython issue 106052), which Debian 12 has.
_FIELD = re.compile(r"^([!-9;-~]++)[ \t]*+:(.*(?:\n[ \t].*)*)", re.MULTILINE)
_NO_FIELD = re.compile(rb"^(?![!-9;-~]++[ \t]*+:|[ \t]|From |>From )(?=[^\r\n])", re.MULTILINE)
_ID = re.compile(r"<([^<>]++)>")
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_USUAL_DATE = re.compile(
    r"(?:[A-Za-z]{3},? +)?(\d{1,2}) +([A-Za-z]{3}) +(\d{4}) +"
    r"(\d\d):(\d\d):(\d\d) +([+-])(\d\d)(\d\d)\b"
)
ID_LIMIT = 998  # characters; a line of a message is no longer (RFC 5322 §2.1.1)
IDS_LIMIT = 1_000
HEADER_LIMIT = 1_048_576  # octets whose fields are read: a field of two octets costs a hundred


def split_header(octets: bytes) -> tuple[bytes, bytes]:
    """The whole header without its closing blank line, and everything after that line.

    The one definition for digests: the header is the same whether it was cut from a message or came
    alone from a server, with or without the blank line (RFC 3501 §6.4.5, RFC 1939 TOP). A message
    without a blank line is all header.
    """
    end, body = bounds(octets)
    return octets[:end], octets[body:]


def bounds(octets: bytes) -> tuple[int, int]:
    """Where the header ends and where the body starts, as offsets."""
    if octets.startswith((b"\n", b"\r\n")):
        return 0, octets.index(b"\n") + 1
    blank = BLANK_LINE.search(octets)
    if blank:
        end = blank.start()
        return end - (octets[end - 1 : end] == b"\r"), blank.end()
    return len(octets.rstrip(b"\r\n")), len(octets)


def unannounced_body(octets: bytes, header_end: int, body: int) -> int:
    """Where a body starts that no blank line announces: at the first line that is no field; or -1.

    Only of a message that has no blank line at all; elsewhere a stray line is passed over.
    """
    if octets.count(b"\n", header_end, body) > 1 or body < len(octets) or not header_end:
        return -1
    stray = _NO_FIELD.search(octets[:header_end])
    return stray.start() if stray else -1


class Header:
    """The fields of one header, by lower-case name, in order of appearance.

    Values are kept as found (folded, raw octets as surrogates) and made text when asked for.
    """

    __slots__ = ("_fields", "_odd")

    def __init__(self, fields: dict[str, list[str]], odd: Oddities) -> None:
        self._fields = fields
        self._odd = odd

    @classmethod
    def parse(cls, octets: bytes, odd: Oddities) -> "Header":
        """The fields of these header octets; lines that are no field are passed over.

        What stands behind HEADER_LIMIT is not read.
        """
        if len(octets) > HEADER_LIMIT:
            odd.note("header-cut", str(HEADER_LIMIT))
            octets = octets[:HEADER_LIMIT]
        fields: dict[str, list[str]] = {}
        for name, value in _FIELD.findall(octets.decode("utf-8", "surrogateescape")):
            fields.setdefault(name.lower(), []).append(value)
        return cls(fields, odd)

    def noting(self, odd: Oddities) -> "Header":
        """The same fields; what is odd about them is noted there from here on."""
        return Header(self._fields, odd)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def count(self, name: str) -> int:
        """How many fields of this name there are."""
        return len(self._fields.get(name, ()))

    def first(self, name: str) -> str:
        """The topmost field's value, unfolded; "" where there is none."""
        if name not in self._fields:
            return ""
        return unfolded(self._fields[name][0], self._odd)

    def all(self, name: str) -> list[str]:
        """Every field's value, topmost first, unfolded."""
        return [unfolded(v, self._odd) for v in self._fields.get(name, ())]


def identifiers(value: str, odd: Oddities) -> tuple[str, ...]:
    """The message identifiers in a field (RFC 5322 §3.6.4), each "<...>", each once."""
    found: dict[str, None] = {}
    for inner in _ID.findall(value):
        identifier = _identifier(inner, odd)
        if identifier:
            found.setdefault(identifier)
    ids = tuple(found)
    if len(ids) > IDS_LIMIT:
        odd.note("references-cut", str(len(ids)))
        ids = ids[:1] + ids[1 - IDS_LIMIT :]
    return ids


def message_identifier(value: str, odd: Oddities) -> str:
    """The identifier of a Message-ID field as "<...>"; brackets are put where they are missing."""
    ids = identifiers(value[: 4 * ID_LIMIT], odd)
    return ids[0] if ids else _identifier(value.strip("<> \t"), odd)


def _identifier(inner: str, odd: Oddities) -> str:
    """One identifier without white space inside; "" where nothing or too much is left."""
    text = one_line("".join(inner.split()) if len(inner) <= 4 * ID_LIMIT else inner, odd)
    if len(text) > ID_LIMIT - 2:
        odd.note("identifier-too-long")
        return ""
    return f"<{text}>" if text else ""


def parse_date(value: str, odd: Oddities) -> datetime | None:
    """The author's date, aware, in the author's offset; None where it says nothing usable."""
    if not value:
        return None
    try:
        date = _usual_date(value) or _odd_date(value, odd)
        if date.astimezone(UTC).year < 9999:
            return date
    except (ValueError, OverflowError, TypeError, IndexError):
        pass  # noted below: the parsers raise by accident on senseless dates
    odd.note("date-senseless", value[:80])
    return None


def _usual_date(value: str) -> datetime | None:
    usual = _USUAL_DATE.match(value)
    month, out_of_step = divmod(_MONTHS.find(usual[2].lower()) if usual else -1, 3)
    if usual is None or month < 0 or out_of_step:
        return None
    day, year, hour, minute = int(usual[1]), int(usual[3]), int(usual[4]), int(usual[5])
    offset = timedelta(hours=int(usual[8]), minutes=int(usual[9]))
    zone = timezone(-offset if usual[7] == "-" else offset) if offset else UTC
    second = min(int(usual[6]), 59)  # a leap second is 60
    return datetime(year, month + 1, day, hour, minute, second, tzinfo=zone)


def _odd_date(value: str, odd: Oddities) -> datetime:
    date = parsedate_to_datetime(value[:200])
    if date.tzinfo is not None:
        return date
    if "-0000" not in value:  # "UTC, and nothing known of the author's zone" (RFC 5322 §3.3)
        odd.note("date-without-offset", value[:80])
    return date.replace(tzinfo=UTC)
