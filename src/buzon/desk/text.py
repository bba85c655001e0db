"""Text from outside, made fit for a column: PostgreSQL takes neither NUL nor lone surrogates."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST_ID = 1000  # octets; a B-tree entry of PostgreSQL holds 2,704


def storable(text: str, longest: int) -> str:
    """The text with U+FFFD for what no database stores, cut to `longest` characters."""
    return _UNSTORABLE.sub("\ufffd", text[:longest])


def storable_data(value: Any) -> Any:
    """The same for everything inside a JSON value; nothing is cut."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable_data(key): storable_data(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable_data(one) for one in value]
    return value


def storable_id(message_id: str) -> str:
    """A Message-ID as it is stored and looked up; one too long for an index by its digest."""
    stripped = message_id.strip()
    octets = stripped.encode("utf-8", "surrogatepass")
    if len(octets) > _LONGEST_ID:
        return "sha256:" + hashlib.sha256(octets).hexdigest()
    return storable(stripped, _LONGEST_ID)


def storable_time(moment: datetime | None) -> datetime | None:
    """The moment in UTC; None for one that no time zone's calendar holds (years 0 and 10000)."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
