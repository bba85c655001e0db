"""What was odd about a letter, in words. The codes are those of `buzon.wire.reading`'s warnings and
of `intake/screen.py`; some come with a detail ("charset-wrong: latin1").
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_UNDECLARED = gettext_noop("none declared, read as utf-8")
DOUBTFUL = "dmarc_failed"  # the one that says something about the sender: shown by itself

SENTENCES: dict[str, str] = {
    DOUBTFUL: gettext_noop(
        "The sender's domain does not vouch for this letter (DMARC failed): it may be forged."
    ),
    "addresses-cut": gettext_noop("It has more addresses than can be kept"),
    "address-comma-missing": gettext_noop("Two addresses stand side by side without a comma."),
    "address-encoded": gettext_noop("An address is written in a code that is meant for names."),
    "address-too-long": gettext_noop("An address is longer than any address can be."),
    "address-unusable": gettext_noop("An address cannot be written to"),
    "address-without-brackets": gettext_noop("A name and an address are not told apart."),
    "base64-cut": gettext_noop("An encoded part was cut off; its last characters are lost."),
    "base64-tail": gettext_noop("Text follows an encoded part; it was left out."),
    "boundary-missing": gettext_noop("The mark between the parts of the letter is not announced."),
    "boundary-wrong": gettext_noop("The mark between the parts of the letter is another one."),
    "charset-guessed": gettext_noop("The character set was guessed"),
    "charset-unknown": gettext_noop("The character set is one that does not exist"),
    "charset-wrong": gettext_noop("The text is not in the character set that it claims"),
    "comment-open": gettext_noop("A comment in an address never ends."),
    "content-type-senseless": gettext_noop("The type of a part makes no sense; shown as text"),
    "date-senseless": gettext_noop("The date that it bears makes no sense"),
    "date-without-offset": gettext_noop("Its date does not say in which time zone"),
    "encoded-word-cut": gettext_noop("A coded word in the header was cut off."),
    "field-repeated": gettext_noop("A field stands in the header more than once"),
    "from-missing": gettext_noop("It does not say who wrote it."),
    "from-several": gettext_noop("Several people wrote it together; the first one counts"),
    "header-8bit": gettext_noop("The header holds characters that no header may."),
    "header-cut": gettext_noop("Its header is longer than can be read"),
    "header-without-end": gettext_noop("The header never ends; the rest is shown as text."),
    "identifier-too-long": gettext_noop("A message identifier is too long to be one."),
    "nesting-cut": gettext_noop("Its parts are nested too deeply; the innermost were not opened."),
    "parameter-repeated": gettext_noop("A property of a part is given twice"),
    "part-after-end": gettext_noop("A part follows after the end of the letter."),
    "parts-cut": gettext_noop("It has more parts than can be shown"),
    "references-cut": gettext_noop("It refers to more letters than can be followed"),
    "text-cut": gettext_noop("Its text is longer than can be shown"),
    "transfer-encoding-repeated": gettext_noop("It says twice how a part is encoded."),
    "transfer-encoding-unknown": gettext_noop("A part is encoded in an unknown way"),
    "unreadable": gettext_noop("Buzón could not read its form"),
    "unstorable-characters": gettext_noop(
        "Characters that cannot be stored were replaced by a question mark."
    ),
}


def is_doubtful(warnings: Iterable[str]) -> bool:
    """Whether the sender may be somebody else than it says."""
    return DOUBTFUL in warnings


def in_words(warnings: Iterable[str]) -> list[str]:
    """Each warning but DOUBTFUL as a sentence in the active language, with its detail."""
    return [_sentence(warning) for warning in warnings if warning != DOUBTFUL]


def _sentence(warning: str) -> str:
    code, _colon, detail = warning.partition(": ")
    told = _(SENTENCES[code]) if code in SENTENCES else code
    stem = told.rstrip(".")
    detail = _(detail) if detail == _UNDECLARED else detail  # the only one that is a sentence
    return f"{stem}: {detail}" if detail else f"{stem}."
