"""What LIST, SELECT and ID answer, as values."""

import re
from collections.abc import Iterable

from buzon.wire.errors import NotPermitted
from buzon.wire.imap.connection import Answer
from buzon.wire.imap.events import Data, Event, Status, Value
from buzon.wire.imap.folder_name import from_wire
from buzon.wire.imap.tokens import is_nil, number
from buzon.wire.imap.values import FolderInfo, Selected

# RFC 6154 section 2 and RFC 8457; \Important is Gmail's too.
_SPECIAL_USES = {
    name.lower(): name
    for name in (
        "\\All",
        "\\Archive",
        "\\Drafts",
        "\\Flagged",
        "\\Important",
        "\\Junk",
        "\\Sent",
        "\\Trash",
    )
}
_NOT_SELECTABLE = {"\\noselect", "\\nonexistent"}


def listed(responses: Iterable[Data], *, utf8: bool) -> tuple[list[FolderInfo], dict[str, bytes]]:
    """The folders of LIST responses, and for each name the octets that the server wrote it in."""
    found: dict[str, FolderInfo] = {}
    raw: dict[str, bytes] = {}
    for response in responses:
        match response.values:
            case [list() as attributes, delimiter, bytes() as octets, *_]:
                name = from_wire(octets, utf8=utf8)
                name = "INBOX" if name.upper() == "INBOX" else name
                if name not in found:
                    raw[name] = bytes(octets)
                    found[name] = _folder(name, attributes, delimiter)
    return list(found.values()), raw


def _folder(name: str, attributes: list[Value], delimiter: Value) -> FolderInfo:
    words = frozenset(a.decode("ascii", "replace") for a in attributes if isinstance(a, bytes))
    lower = {word.lower() for word in words}
    special = next((_SPECIAL_USES[word] for word in sorted(lower) if word in _SPECIAL_USES), None)
    return FolderInfo(
        name=name,
        delimiter=_text(delimiter),
        attributes=words,
        special_use=special,
        selectable=not lower & _NOT_SELECTABLE,
    )


def selected(name: str, answer: Answer, *, exists: int, examined: bool) -> Selected:
    """The folder that SELECT or EXAMINE opened.

    Raises NotPermitted where the server numbers its messages anew each time (no UIDVALIDITY, or
    UIDNOTSTICKY of RFC 4315): what we know of them could then be of other messages.
    """
    codes = _codes([*answer.events, answer.status])
    uidvalidity = _first_number(codes.get("UIDVALIDITY"))
    if not uidvalidity or "UIDNOTSTICKY" in codes:
        raise NotPermitted(
            "The server does not give its messages lasting numbers in this folder; use POP3."
        )
    return Selected(
        name=name,
        uidvalidity=uidvalidity,
        uidnext=_first_number(codes.get("UIDNEXT")),
        exists=exists,
        highest_modseq=_first_number(codes.get("HIGHESTMODSEQ")),
        permanent_flags=_flags(codes.get("PERMANENTFLAGS", b"")),
        read_only=examined or answer.status.code == "READ-ONLY",
    )


def next_uid(responses: Iterable[Data]) -> int | None:
    """The UIDNEXT of a STATUS response; None where there is none."""
    for response in responses:
        match response.values:
            case [*_, list() as items]:
                told = zip(items[::2], items[1::2], strict=False)
                found = [number(value) for name, value in told if _text(name).upper() == "UIDNEXT"]
                return found[0] if found else None
    return None


def server_id(responses: Iterable[Data]) -> dict[str, str]:
    """The fields of an ID response (RFC 2971), names in lower case; empty for NIL."""
    for response in responses:
        match response.values:
            case [list() as fields]:
                pairs = zip(fields[::2], fields[1::2], strict=False)
                return {_text(name).lower(): _text(said) for name, said in pairs if _text(name)}
    return {}


def _codes(events: list[Event]) -> dict[str, bytes]:
    return {e.code: e.argument for e in events if isinstance(e, Status) and e.code}


def _first_number(argument: bytes | None) -> int | None:
    match = re.match(rb"\d{1,19}", argument or b"")
    return int(match[0]) if match else None


def _flags(argument: bytes) -> frozenset[str]:
    return frozenset(argument.strip(b"()").decode("utf-8", "replace").split())


def _text(value: Value) -> str:
    if isinstance(value, bytes) and not is_nil(value):
        return value.decode("utf-8", "replace")
    return ""
