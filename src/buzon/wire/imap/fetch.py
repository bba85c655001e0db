"""A FETCH response: the shape that a download consists of by one expression, all others by words.

Servers order the items as they like (RFC 9051 section 7.5.2), so the fast way takes the small
items in any order before and after the body, and leaves whatever else there is to the slow way.
"""

import re

from buzon.wire.imap.events import Atom, Fetched, Value
from buzon.wire.imap.tokens import Part, Unreadable, is_nil, words

_SMALL = rb'(?:(?:UID|RFC822\.SIZE) \d{1,19}|INTERNALDATE "[^"\\]{0,64}")'
_FLAT = re.compile(rb"\* (\d{1,10}) FETCH \((%b(?: %b)*)\)" % (_SMALL, _SMALL))
_HEAD = re.compile(
    rb"\* (\d{1,10}) FETCH \(((?:%b )*)(BODY\[(?:HEADER)?\](?:<\d{1,19}>)?) ~?\{\d{1,10}\+?\}"
    % _SMALL
)
_TAIL = re.compile(rb"((?: %b)*)\)" % _SMALL)
_ITEM = re.compile(rb'(UID|RFC822\.SIZE|INTERNALDATE) (?:(\d+)|"([^"]*)")')
_NAMES = {
    name.encode(): name
    for name in ("UID", "RFC822.SIZE", "INTERNALDATE", "BODY[]", "BODY[HEADER]", "BODY[]<0>")
}

_SLOW_HEAD = re.compile(rb"\* (\d{1,10}) FETCH +", re.IGNORECASE)
_LOST_UID = re.compile(rb"[( ]UID (\d{1,10})[ )]", re.IGNORECASE)


def fast(parts: list[Part]) -> Fetched | None:
    """The response by one expression, None when it has another shape."""
    line = parts[0]
    assert isinstance(line, bytes)
    if len(parts) == 1:
        flat = _FLAT.fullmatch(line)
        return None if flat is None else Fetched(int(flat[1]), _small_items(flat[2]))
    head = _HEAD.fullmatch(line)
    if head is None or len(parts) != 3:
        return None
    last = parts[2]
    assert isinstance(last, bytes)
    small = head[2]
    if last != b")":
        tail = _TAIL.fullmatch(last)
        if tail is None:
            return None
        small += tail[1]
    items = _small_items(small)
    items[_name(head[3])] = parts[1]
    return Fetched(int(head[1]), items)


def slow(parts: list[Part], *, most: int) -> Fetched | None:
    """Any FETCH response, None when it is not one; `broken` when it cannot be read whole."""
    line = parts[0]
    assert isinstance(line, bytes)
    head = _SLOW_HEAD.match(line)
    if head is None:
        return None
    sequence = int(head[1])
    try:
        read = words([line[head.end() :], *parts[1:]], most=most)
        return Fetched(sequence, _items(read[0] if read else None))
    except Unreadable:
        lost = _LOST_UID.search(line)
        return Fetched(sequence, {"UID": int(lost[1])} if lost else {}, broken=True)


def _small_items(text: bytes) -> dict[str, Value]:
    return {
        _NAMES[name]: int(digits) if digits else string
        for name, digits, string in _ITEM.findall(text)
    }


def _items(read: Value) -> dict[str, Value]:
    if not isinstance(read, list) or len(read) % 2:
        raise Unreadable("items without a value")
    items: dict[str, Value] = {}
    for name, value in zip(read[::2], read[1::2], strict=True):
        if not isinstance(name, Atom):
            raise Unreadable("an item without a name")
        items[_name(name.upper())] = _converted(value)
    return items


def _name(name: bytes) -> str:
    return _NAMES.get(name) or name.decode("ascii", "replace")


def _converted(value: Value) -> Value:
    if is_nil(value):
        return None
    if isinstance(value, Atom) and value.isdigit() and len(value) < 20:
        return int(value)
    return value
