"""Octets to text by what the sender declared, and by what the octets are where that is wrong.

The ladder: declared → UTF-8, strict → the declared charset's larger family → windows-1252. No
statistics: on short Spanish texts guessing does worse than windows-1252.
"""

import codecs
import re
from functools import lru_cache

from buzon.wire.reading.values import Oddities

# Charsets in mail are often named for a smaller one than was used.
_FAMILIES = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext",
    "tis-620": "cp874",
    "iso8859-8": "cp1255",
}
# Labels in use that Python does not know.
_ALIASES = {
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-unknown": "us-ascii",
    "unknown-8bit": "us-ascii",
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "x-sjis": "shift_jis",
    "x-gbk": "gbk",
    "x-mac-roman": "mac_roman",
    "x-cp1252": "cp1252",
}
# Codecs that are no charset of mail; some take quadratic time or import other machinery.
_REFUSED = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_SINGLE_BYTE = re.compile(r"iso8859-|cp125|latin|koi8|mac|ascii")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def decode(octets: bytes, declared: str, odd: Oddities) -> str:
    """The text of these octets; always answers, and notes what it had to guess or replace."""
    return storable(_climb(octets, declared, odd), odd)


def storable(text: str, odd: Oddities) -> str:
    """The text with NUL and lone surrogates, which PostgreSQL refuses, replaced by U+FFFD."""
    if "\0" not in text:
        if text.isascii():
            return text
        try:
            text.encode()  # many times faster than looking for surrogates
        except UnicodeEncodeError:
            pass
        else:
            return text
    odd.note("unstorable-characters")
    return _UNSTORABLE.sub("\ufffd", text)


def _climb(octets: bytes, declared: str, odd: Oddities) -> str:
    codec = _codec(declared) if declared else "ascii"
    if not codec:
        odd.note("charset-unknown", declared[:60])
        codec = "ascii"
    stateful = codec.startswith(("utf", "iso2022", "hz", "cp037", "cp500", "cp1140"))
    if octets.isascii() and not stateful:
        return octets.decode("ascii")
    if not _SINGLE_BYTE.match(codec):
        text = _strict(octets, codec)
        if text is not None:
            return text
    text = _strict(octets, "utf-8")
    if text is not None:
        if codec != "utf-8":
            odd.note("charset-wrong", declared[:60] or "none declared, read as utf-8")
        return text
    return _guess(octets, codec, declared, odd)


def _guess(octets: bytes, codec: str, declared: str, odd: Oddities) -> str:
    if codec == "utf-8":
        odd.note("charset-wrong", "utf-8")
        mended = octets.decode("utf-8", "replace")
        # A torn character or two in real UTF-8 is better mended than read as windows-1252.
        good = sum(1 for c in mended[:100_000] if c > "\x7f" and c != "\ufffd")
        return mended if good > 2 * mended[:100_000].count("\ufffd") else _western(octets)
    for candidate in (_FAMILIES.get(codec, codec), codec):
        text = _western(octets) if candidate == "cp1252" else _strict(octets, candidate)
        if text is not None:
            if not declared:
                odd.note("charset-guessed", candidate)
            return text
    odd.note("charset-wrong", declared[:60])
    if not _SINGLE_BYTE.match(codec):
        mended = octets.decode(_FAMILIES.get(codec, codec), "replace")
        if mended.count("\ufffd") * 10 < len(mended):
            return mended
    return _western(octets)


def _strict(octets: bytes, codec: str) -> str | None:
    try:
        return octets.decode(codec)
    except (ValueError, LookupError):  # UnicodeError is a ValueError
        return None


def _western(octets: bytes) -> str:
    """windows-1252; its five unassigned octets become U+FFFD."""
    return octets.decode("cp1252", "replace")


@lru_cache(maxsize=256)
def _codec(declared: str) -> str:
    """Python's canonical name for a charset label; "" for what is no charset of mail."""
    label = declared.strip().strip("\"'").lower()
    if not label.isascii() or "\0" in label or len(label) > 60:
        return ""
    try:
        found = codecs.lookup(_ALIASES.get(label, label))
    except (LookupError, ValueError):
        return ""
    text_encoding: bool = getattr(found, "_is_text_encoding", False)
    if found.name in _REFUSED or not text_encoding:
        return ""
    return found.name
