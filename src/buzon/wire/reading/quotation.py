"""Which lines of a letter are new, and which were there before.

    lines ─► marked (">", the HTML's structure)
          ─► introductions: "On … wrote:", a divider, header fields; unmarked letters under them
          ─► signatures at the end of what is left, which is new
          ─► what a new passage answers

Nothing is cut: the passages say what a page may fold. Each line is looked at a bounded number of
times, and of a long line only its beginning.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from buzon.wire.reading.introductions import (
    block_end,
    introduction_start,
    is_divider,
    is_field,
    is_ruler,
)
from buzon.wire.reading.languages import COLONS, VERBS
from buzon.wire.reading.signature import is_signed, signature_start
from buzon.wire.reading.values import Passage, PassageKind

_NEW, _CONTEXT = PassageKind.NEW, PassageKind.CONTEXT
_QUOTED, _INTRODUCTION = PassageKind.QUOTED, PassageKind.INTRODUCTION
LINES_LIMIT = 100_000
_CONTEXT_LIMIT = 8  # lines of what is answered
_WRAPPED = 60  # characters of a quoted line whose end may stand, unmarked, in the next one
_BEGINNING = 200  # characters of a line that say whether it is blank, or quoted

_ENDS = ("--", *VERBS)
_LONGEST_TRIGGER = 400  # characters of the longest line that may introduce

Kinds = list[PassageKind | None]


def passages(text: str, structure: Sequence[Passage] = ()) -> tuple[Passage, ...]:
    """The passages of a letter's text, every line in exactly one; none at all if all is new.

    Lines end at a line feed. `structure` is what the letter's HTML says of some of these lines.
    Blank lines belong to the passage above them, and whatever follows the first 100,000 lines to
    the last one.
    """
    if not structure and not _may_fold(text):
        return ()
    lines = text.split("\n", LINES_LIMIT)
    kinds = _marked(lines, structure)
    _introduce(lines, kinds)
    if not any(kinds) and signature_start(lines, 0, len(lines)) == len(lines):
        return ()
    _unmark_an_arrow(lines, kinds)
    _fill(lines, kinds)
    _sign(lines, kinds)
    _keep_context(lines, kinds)
    *found, latest = _runs(kinds)
    if not found and latest.kind is _NEW:
        return ()
    return (*found, replace(latest, end=latest.end + lines[-1].count("\n")))


def new_text(text: str, found: Sequence[Passage]) -> str:
    """The new words of a text whose passages are `found`: its new passages, unchanged, without the
    blank lines around them, one blank line between two of them.

    The text itself, to the character, where nothing was found; "" where nothing is new.
    """
    if not found:
        return text
    lines = text.split("\n")
    pieces = ("\n".join(lines[p.start : p.end]) for p in found if p.kind is _NEW)
    return "\n\n".join(piece.strip("\n") for piece in pieces)


def _may_fold(text: str) -> bool:
    """Whether it is worth looking at every line. Most letters are new from end to end."""
    # One character is found much faster than two, and most often it is not there.
    return (
        ">" in text
        or ("-" in text and "--" in text)
        or "—" in text
        or ("_" in text and "__" in text)
        or (":" in text and (text.count(":") > 1 or ":\n" in text))
        or is_signed(text)
    )


def _marked(lines: list[str], structure: Sequence[Passage]) -> Kinds:
    """What marks tell: the HTML's structure, and ">" with its wrapped ends of lines."""
    kinds: Kinds = [None] * len(lines)
    for number, line in enumerate(lines):
        if line[:4].lstrip().startswith(">") and not _closes_an_address(lines, number):
            kinds[number] = _QUOTED
    for number in range(1, len(lines) - 1):
        if kinds[number] is None and kinds[number - 1] is kinds[number + 1] is _QUOTED:
            kinds[number] = _QUOTED if _is_wrapped(lines[number - 1], lines[number]) else None
    for passage in structure:
        end = min(passage.end, len(kinds))
        kinds[passage.start : end] = [passage.kind] * (end - passage.start)
    return kinds


def _closes_an_address(lines: list[str], number: int) -> bool:
    """Whether the ">" is that of an address whose "<" stands in the line above."""
    above = lines[number - 1][-_BEGINNING:] if number else ""
    return above.rfind("<") > above.rfind(">") and lines[number][:_BEGINNING].rstrip().endswith(":")


def _is_wrapped(above: str, line: str) -> bool:
    """Whether a line between two quoted ones is the end of the upper one."""
    return (
        _WRAPPED <= len(above) <= _BEGINNING
        and len(line) < len(above)
        and line[:1].islower()
        and not above.rstrip().endswith(("?", "!", ":"))
    )


def _introduce(lines: list[str], kinds: Kinds) -> None:
    """Mark introductions, and as quoted what follows one and bears no marks itself."""
    number = 0
    while number < len(lines):
        start, end = number, number + 1
        if kinds[number] is None:
            start, end = _introduction(lines, kinds, number)
        elif kinds[number] is not _INTRODUCTION:
            start = end
        if start == end:
            number = end
            continue
        kinds[start:end] = [_INTRODUCTION] * (end - start)
        number = _next(lines, end)
        if number < len(lines) and kinds[number] is None and not _introduces(lines, number):
            kinds[number:] = [kind or _QUOTED for kind in kinds[number:]]
            return


def _introduction(lines: list[str], kinds: Kinds, number: int) -> tuple[int, int]:
    """The lines of an introduction that ends, or as header fields begins, in this line; without
    any, twice the line to go on with.
    """
    line = lines[number]
    if not (":" in line or "--" in line or "@" in line or COLONS[1] in line):
        return number + 1, number + 1
    line = line[:_LONGEST_TRIGGER].strip()
    if is_divider(line):
        return number, number + 1
    if is_field(line):
        end, is_block = block_end(lines, number)
        if is_block or not line.endswith(COLONS):
            # Within fields that are none of a letter nothing else begins either.
            return (_with_ruler(lines, kinds, number), end) if is_block else (end, end)
    if not line.endswith(COLONS) and not ("@" in line and line.endswith(_ENDS)):
        return number + 1, number + 1
    below = _next(lines, number + 1)
    is_marked = below < len(lines) and kinds[below] is _QUOTED
    top = number
    while top > max(0, number - 3) and kinds[top - 1] is None and lines[top - 1].strip():
        top -= 1
    start = introduction_start(lines, top, number, is_marked=is_marked)
    return _with_ruler(lines, kinds, start) if start <= number else start, number + 1


def _with_ruler(lines: list[str], kinds: Kinds, number: int) -> int:
    """Where an introduction begins: at the words or the rule above it, if there are any."""
    for _ in range(2):
        above = number - 1
        while above > number - 3 and above >= 0 and not lines[above].strip():
            above -= 1
        if above < 0 or kinds[above] is not None or not is_ruler(lines[above]):
            break
        number = above
    return number


def _introduces(lines: list[str], number: int) -> bool:
    """Whether one introduction is followed by the next: a divider, then header fields."""
    line = lines[number][:_BEGINNING].strip()
    return is_divider(line) or (is_field(line) and block_end(lines, number)[1])


def _next(lines: list[str], number: int) -> int:
    """The first line from here on that is not blank, or the number of lines."""
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _unmark_an_arrow(lines: list[str], kinds: Kinds) -> None:
    """One line alone with a ">", which nothing introduces, is somebody's arrow."""
    if kinds.count(_QUOTED) == 1 and _INTRODUCTION not in kinds:
        number = kinds.index(_QUOTED)
        if lines[number].lstrip().startswith(">"):
            kinds[number] = None


def _fill(lines: list[str], kinds: Kinds) -> None:
    """What nobody claimed is new; a blank line is as the one above, the first as the one below."""
    first = _next(lines, 0)
    latest = (kinds[first] if first < len(lines) else None) or _NEW
    for number, line in enumerate(lines):
        kind = kinds[number]
        if kind is not None:
            latest = kind
        elif line and line.strip():
            latest = _NEW
        kinds[number] = latest


def _sign(lines: list[str], kinds: Kinds) -> None:
    """Mark the signature at the end of every new passage."""
    for passage in list(_runs(kinds)):
        if passage.kind is _NEW:
            start = signature_start(lines, passage.start, passage.end)
            # Blank lines alone are nothing new.
            start = passage.start if _next(lines, passage.start) == start else start
            kinds[start : passage.end] = [PassageKind.SIGNATURE] * (passage.end - start)


def _keep_context(lines: list[str], kinds: Kinds) -> None:
    """Of what is quoted above a new passage its last paragraph is what that one answers."""
    found = list(_runs(kinds))
    for above, below in pairwise(found):
        if above.kind is _QUOTED and below.kind is _NEW:
            start = _last_paragraph(lines, above)
            kinds[start : above.end] = [_CONTEXT] * (above.end - start)


def _last_paragraph(lines: list[str], passage: Passage) -> int:
    number = passage.end
    while number > passage.start and _is_empty(lines[number - 1]):
        number -= 1
    lowest = max(passage.start, number - _CONTEXT_LIMIT)
    while number > lowest and not _is_empty(lines[number - 1]):
        number -= 1
    return number


def _is_empty(line: str) -> bool:
    return not line[:_BEGINNING].strip("> \t\r\xa0")


def _runs(kinds: Kinds) -> Iterator[Passage]:
    start = 0
    for number in range(1, len(kinds) + 1):
        kind = kinds[start]
        if kind is not None and (number == len(kinds) or kinds[number] is not kind):
            yield Passage(kind, start, number)
            start = number
