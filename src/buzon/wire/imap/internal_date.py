"""INTERNALDATE: when the server received the message (RFC 9051 section 2.3.3)."""

import re
from datetime import UTC, datetime, timedelta

_MONTHS = {
    name: place
    for place, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
_DATE = re.compile(
    rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"
)


def internal_date(text: object) -> datetime | None:
    """`17-Jul-1996 02:44:25 -0700` in UTC; None when there is none, or it makes no sense.

    A leap second becomes the second before it. The years 1 and 9999 may leave the calendar by
    their time zone: such a date is nonsense.
    """
    match = _DATE.fullmatch(text) if isinstance(text, bytes) else None
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        local = datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=UTC,
        )
        return local - offset if sign == b"+" else local + offset
    except (ValueError, KeyError, OverflowError):
        return None
