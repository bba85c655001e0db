"""The text of header fields: unfolding, raw 8-bit, and encoded words (RFC 2047)."""

import binascii
import re

from buzon.wire.reading.charsets import decode, storable
from buzon.wire.reading.values import Oddities

# An encoded word. White space inside is against RFC 2047 §2 and common; so is a bare "?", which the
# second form takes, bounded so that a hostile field costs linear time.
_WORD = re.compile(
    r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?"
    r"([^?]*+|(?:[^?\s]|\?(?![=\s])){0,120})\?="
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# More of one field than this is not read for encoded words.
_LONGEST = 65_536


def unfolded(value: str, odd: Oddities) -> str:
    """A field's value on one line (RFC 5322 §2.2.3), raw 8-bit octets made text.

    `value` holds octets that are not UTF-8 as lone surrogates (surrogateescape).
    """
    value = value.strip()
    if value.isascii() and value.isprintable():
        return value
    if "\n" in value or "\r" in value:
        value = value.replace("\r", "").replace("\n", "")
    if value.isascii():
        return storable(value, odd)
    odd.note("header-8bit")
    octets = value.encode("utf-8", "surrogateescape")
    return decode(octets, "utf-8", odd)


def decoded(text: str, odd: Oddities) -> str:
    """Readable text of an unfolded field: encoded words decoded, control characters gone."""
    if "=?" in text:
        text = _without_words(text[:_LONGEST], odd)
    return one_line(text, odd)


def one_line(text: str, odd: Oddities) -> str:
    """The text without control characters or white space at its ends, and storable."""
    if text.isprintable():
        return text.strip()  # no control character, no NUL, no surrogate
    return storable(_CONTROL.sub(" ", text), odd).strip()


def _without_words(text: str, odd: Oddities) -> str:
    """Neighbouring words of one charset are decoded together: some are split inside a character."""
    out: list[str] = []
    octets, charset, last = b"", "", 0
    for word in _WORD.finditer(text):
        between = text[last : word.start()]
        # White space between two encoded words is not text (RFC 2047 §6.2).
        if (between and not between.isspace()) or (not charset and between):
            if charset:
                out.append(decode(octets, charset, odd))
            out.append(between)
            octets, charset = b"", ""
        if charset and charset != word[1].lower():
            out.append(decode(octets, charset, odd))
            octets = b""
        octets += _word_octets(word[2], word[3], odd)
        charset, last = word[1].lower(), word.end()
    if charset:
        out.append(decode(octets, charset, odd))
    out.append(text[last:])
    return "".join(out)


def _word_octets(encoding: str, text: str, odd: Oddities) -> bytes:
    octets = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(octets, header=True)
    octets = re.sub(rb"[^A-Za-z0-9+/]", b"", octets)
    if len(octets) % 4 == 1:
        odd.note("encoded-word-cut")
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))
