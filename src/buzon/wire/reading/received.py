"""When the receiving server took a message in, as its own trace field says."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from buzon.wire.reading.header import split_header

# The topmost Received field is the last server's (RFC 5321 §4.4); folded lines belong to it.
_TOPMOST = re.compile(rb"^received:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def received_date(octets: bytes) -> datetime | None:
    """The time in the topmost Received field, in UTC; None where there is none that makes sense.

    POP3 has no internal date: this is the nearest that a message of it carries.
    """
    found = _TOPMOST.search(split_header(octets)[0])
    if found is None or b";" not in found[1]:
        return None
    written = found[1].rpartition(b";")[2].decode("ascii", "replace")
    try:
        date = parsedate_to_datetime(" ".join(written.split()))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
