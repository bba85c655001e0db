"""Whether lines introduce a quotation: by their form, and by the words of `languages.py`."""

import re

from buzon.wire.reading.languages import COLONS, DAYS, DIVIDERS, FIELDS, OPENINGS, VERBS

_LONGEST = 500  # characters of an introduction, which programs wrap into several lines
_SHORT = 80  # characters of a line that only names an author
_BLOCK = 24  # lines of header fields, continued ones included
_CONTINUED = 4  # lines that a field may go on
# A year, a time of day, or a date in numbers: "on Monday" alone is what people write themselves.
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d\d?[:.h]\d\d(?!\d)|\d[./-]\d\d?[./-]\d")
# How a program begins: "On Wed, Dec 9", "W dniu pon., 2", "12.3.26".
_OPENING = re.compile(
    rf"(?:(?:{'|'.join(OPENINGS)}) )?(?:\d|(?:{'|'.join(DAYS)})[^\W\d]{{0,12}}(?!\w))",
    re.IGNORECASE,
)
# The bracket behind an address, also as HTML writes it, and the colon.
_CLOSED = re.compile(rf"(?:[>)\]]|&gt;) ?[{''.join(COLONS)}]$")
_WHOLE_DIVIDERS = frozenset(DIVIDERS)
_RULE = "-\u2013\u2014_=* \t\xa0"


def is_divider(line: str) -> bool:
    """Whether it is "-----Original Message-----" or "Begin forwarded message:", in any language."""
    is_ruled = len(line) > 3 and not line[:3].strip("-_=*")
    if not is_ruled and not line.endswith(":"):
        return False
    words = line[:120].strip(_RULE + ":").lower()
    return words.startswith(DIVIDERS) if is_ruled else words in _WHOLE_DIVIDERS


def is_ruler(line: str) -> bool:
    """Whether a line above header fields belongs to them: a rule, or a divider's words alone."""
    line = line[:_LONGEST].strip()
    if len(line) > 3 and not line[:3].strip("-_=*") and not line[-3:].strip("-_=*"):
        return True
    return len(line) < _SHORT and line.lower().startswith(DIVIDERS)


def is_field(line: str) -> bool:
    """Whether a line begins with the name of a header field, as mail programs translate it."""
    return _field(line) != ""


def block_end(lines: list[str], start: int) -> tuple[int, bool]:
    """The end of the header fields that begin in this line, and whether they are those of a letter:
    who wrote, and two more of when, to whom, about what. Without a subject one has an address: an
    order has a sender, a recipient and a day, too.
    """
    kinds: set[str] = set()
    end, number = start, start
    while number < min(len(lines), start + _BLOCK) and number - end < _CONTINUED:
        line = lines[number][:_LONGEST].strip()
        if not line:
            break
        if field := _field(line):
            kinds.add(field)
            end = number + 1
        number += 1
    is_letter = "from" in kinds and len(kinds) > 2
    if is_letter and "subject" not in kinds:
        is_letter = any("@" in line[:_LONGEST] for line in lines[start:end])
    return end, is_letter


def introduction_start(lines: list[str], top: int, last: int, *, is_marked: bool) -> int:
    """Where an introduction begins that ends in the line `last`; behind it where there is none.

    `top` is the highest line it may begin in: a program wraps it into several, and the uppermost
    that begins like one counts. `is_marked`: what follows is marked as quoted.
    """
    found, joined = last + 1, ""
    for start in range(last, top - 1, -1):
        if start < last and _ends_sentence(lines[start]):
            break
        joined = f"{lines[start][:_LONGEST].strip()} {joined}".strip()
        if len(joined) > _LONGEST:
            break
        if _opens(joined):
            found = start if _introduces(joined, opens=True, is_marked=is_marked) else found
        elif found > last and _is_paragraph(lines, start) and _introduces(joined):
            found = start
    if found > last and _names_its_author(lines[last][:_LONGEST], is_marked=is_marked):
        return last
    return found


def _opens(joined: str) -> bool:
    return _OPENING.match(joined.lstrip(_RULE)) is not None


def _is_paragraph(lines: list[str], start: int) -> bool:
    return start == 0 or not lines[start - 1].strip()


def _ends_sentence(line: str) -> bool:
    """Whether a line ends what was said; the full stop of "p. m." does not."""
    end = line.rstrip()[-2:]
    return end[-1:] in {"!", "?", ":"} or (end[-1:] == "." and line.rstrip()[-3:-2].isalnum())


def _introduces(joined: str, *, opens: bool = False, is_marked: bool = False) -> bool:
    """Two of: a date, an address, the verb; above a quotation that is marked the verb is enough
    where it begins like an introduction.

    The address stands in brackets at the end, or before the verb: not "I wrote to info@…:". Without
    a colon it may be a sentence that goes on in the next line, unless it has an address.
    """
    has_verb, has_address = _has_verb(joined), "@" in joined and _names_a_sender(joined)
    if not (has_address or joined.endswith(COLONS)):
        return False
    if not has_verb:
        return has_address and _CLOSED.search(joined) is not None and _has_date(joined)
    return has_address or (opens and (is_marked or _has_date(joined)))


def _names_a_sender(joined: str) -> bool:
    """Whether the address is where programs put it: in brackets at the end, or before the verb."""
    return _CLOSED.search(joined) is not None or VERBS.issuperset(_words(joined)[-1:])


def _has_date(joined: str) -> bool:
    return _DATE.search(joined) is not None


def _has_verb(joined: str) -> bool:
    return any(word in VERBS for word in _words(joined))


def _words(joined: str) -> list[str]:
    words = (word.strip(":,;-") for word in joined.lower().replace(">", " ").split())
    return [word for word in words if word]


def _names_its_author(line: str, *, is_marked: bool) -> bool:
    """Whether one line says who wrote, and nothing else: "Ana <ana@x.example> wrote:"."""
    if is_marked and len(line) < _SHORT and _has_verb(line):
        return True
    return "@" in line and _has_verb(line) and _names_a_sender(line)


def _field(line: str) -> str:
    """What the header field is that a line begins with; "" for none."""
    name, colon, _ = line[:40].replace(COLONS[1], ":").partition(":")
    return FIELDS.get(name.strip("* \t\xa0|").lower(), "") if colon else ""
