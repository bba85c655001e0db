"""The tolerant reader of everything between parentheses: words, strings, literals, lists."""

import re

from buzon.wire.endpoint import LARGEST
from buzon.wire.imap.events import Atom, Skipped, Value

# One word, with the blanks before it: ( or ) or a quoted string or an atom. An atom may carry a
# section with blanks in it, as in BODY[HEADER.FIELDS (DATE FROM)]<0>; its length is bounded, or a
# line of mere brackets would be searched to its end from each of them.
_WORD = re.compile(
    rb"[\x00-\x20]*(?:"
    rb'([()])|"([^"\\]*(?:\\.[^"\\]*)*)"|'
    rb'((?:[^\x00-\x20()"\[]+(?:\[[^\]]{0,500}\])?|\[[^\]]{0,500}\])[^\x00-\x20()"]*|\[)'
    rb")",
    re.DOTALL,
)
_BLANK = re.compile(rb"[\x00-\x20]*")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MARKER = re.compile(rb"~?\{\d{1,20}\+?\}$")

# No honest BODYSTRUCTURE is deeper; what reads the lists may then call itself.
DEEPEST = 100

Part = bytes | Skipped


class Unreadable(ValueError):
    """The words of a response cannot be told apart. Never leaves the core."""


def words(parts: list[Part], *, most: int) -> list[Value]:
    """The words of one response as nested lists.

    `parts` alternates lines and literals: [line, literal, line, …, line], where each line but the
    last ends in the literal's marker `{n}`. Atoms are `Atom`, strings and literals plain bytes,
    nothing is converted. Lists that are not closed at the end are closed. Raises Unreadable for
    an open quoted string, more than `most` words, or lists nested deeper than DEEPEST.
    """
    top: list[Value] = []
    stack = [top]
    count = 0
    for place in range(0, len(parts), 2):
        text = parts[place]
        assert isinstance(text, bytes)
        is_last = place == len(parts) - 1
        count += _read_line(text if is_last else _MARKER.sub(b"", text), stack, most - count)
        if not is_last:
            literal = parts[place + 1]
            stack[-1].append(literal)
    return top


def number(value: Value) -> int | None:
    """The number that an atom or a string says, None when it says none."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes) and value.isdigit() and len(value) < 20:
        return int(value)
    return None


def octet_count(value: Value) -> int:
    """The octets that an atom says, 0 when it says none: at most LARGEST, whatever it says."""
    return min(number(value) or 0, LARGEST)


def is_nil(value: Value) -> bool:
    """Whether this is NIL, and not a string that says so."""
    return value is None or (isinstance(value, Atom) and value.upper() == b"NIL")


def _read_line(text: bytes, stack: list[list[Value]], most: int) -> int:
    """Put the words of `text` where the stack is, and say how many they were."""
    at = count = 0
    while (match := _WORD.match(text, at)) is not None:
        count += 1
        if count > most:
            raise Unreadable("too many words")
        at = match.end()
        parenthesis, quoted, atom = match.groups()
        if atom is not None:
            stack[-1].append(Atom(atom))
        elif quoted is not None:
            stack[-1].append(_ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
        else:
            _nest(parenthesis, stack)
    blank = _BLANK.match(text, at)
    if blank is None or blank.end() != len(text):
        raise Unreadable("an open string")
    return count


def _nest(parenthesis: bytes, stack: list[list[Value]]) -> None:
    if parenthesis == b")":
        if len(stack) > 1:  # one too many is passed over
            stack.pop()
        return
    if len(stack) > DEEPEST:
        raise Unreadable("lists nested too deep")
    inner: list[Value] = []
    stack[-1].append(inner)
    stack.append(inner)
