"""Where the signature of a letter begins: under a delimiter, at a telephone's own last line, or
below the closing, where a name stands with its addresses and numbers.

A name directly under the closing, without such a block, stays with the letter.
"""

import re

from buzon.wire.reading.languages import CLOSINGS, DEVICES

_DELIMITER = "-- "  # RFC 3676 §4.3: whatever stands below it
_ROWS = 13  # lines that are not blank, at the end, in which other signs of a signature are sought
_TAIL = 2_000  # characters, at the end, in which they stand
_LINE = 80  # characters of the longest line of a block with names and numbers
_LONGEST = 200  # characters of a line that are looked at
_AROUND = " \t\xa0,.;!-*_"
_DEVICE_WORDS = 12
_CLOSINGS = frozenset(CLOSINGS)
# An address, a page, a telephone number, or the stroke between a name and a post.
_CONTACT = re.compile(r"@|www\.|https?://|\d[\d ()./-]{6,20}\d| \| ")


def is_signed(text: str) -> bool:
    """Whether a text that has no line of dashes or the like ends in a signature."""
    lines = text[-_TAIL:].rsplit("\n", _ROWS)
    rows = _last_rows(lines, 0, len(lines))
    if not rows:
        return False
    return _is_device(lines, rows[-1], 0) or _under_the_closing(lines, rows, -1) >= 0


def signature_start(lines: list[str], start: int, end: int) -> int:
    """The line with which the signature begins, among those from `start` to before `end`; `end`
    where there is none.
    """
    if _DELIMITER in lines[start:end]:
        end = lines.index(_DELIMITER, start, end)
    rows = _last_rows(lines, start, end)
    if rows and _is_device(lines, rows[-1], start):
        end = rows.pop()
    return min(_under_a_rule(lines, rows, end), _under_the_closing(lines, rows, end))


def _last_rows(lines: list[str], start: int, end: int) -> list[int]:
    """The numbers of the last lines that are not blank."""
    rows: list[int] = []
    for number in range(end - 1, start - 1, -1):
        if lines[number] and not lines[number].isspace():
            rows.append(number)
            if len(rows) == _ROWS:
                break
    rows.reverse()
    return rows


def _is_device(lines: list[str], row: int, start: int) -> bool:
    """Whether a line, apart from what is above it, names a device, and is no sentence."""
    line = lines[row][:_LONGEST].strip()
    if not line.startswith(DEVICES) or (row > start and lines[row - 1].strip()):
        return False
    words = line.split()
    return len(words) <= _DEVICE_WORDS and not line.endswith((".", "!", "?", ",", ":", ";"))


def _under_a_rule(lines: list[str], rows: list[int], end: int) -> int:
    """The one delimiter without its space, a line of em dashes, or a list's line above its address;
    `end` without. Several are somebody's own rules.
    """
    ruled = [row for row in rows if _is_rule(lines[row])]
    if len(ruled) != 1:
        return end
    below = [lines[row][:_LONGEST] for row in rows if row > ruled[0]]
    if lines[ruled[0]].strip().startswith("_") and not any(map(_CONTACT.search, below)):
        return end
    return ruled[0]


def _is_rule(line: str) -> bool:
    bare = line[:_LONGEST].strip()
    if len(bare) > 1 and not bare.strip("_"):
        return True
    return bare == "--" or not bare.strip("\u2014")


def _under_the_closing(lines: list[str], rows: list[int], end: int) -> int:
    """The line below "Regards," where names and numbers follow to the end; `end` without."""
    for position, row in enumerate(rows[:-2]):
        line = lines[row][:_LONGEST].strip(_AROUND).lower()
        if line in _CLOSINGS and _is_block([lines[one][:_LONGEST] for one in rows[position + 1 :]]):
            return rows[position + 1]
    return end


def _is_block(lines: list[str]) -> bool:
    if any(len(line) > _LINE or line.rstrip().endswith((".", "?", "!")) for line in lines[1:-1]):
        return False
    return any(map(_CONTACT.search, lines[1:]))
