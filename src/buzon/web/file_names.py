"""The names of attached files, made safe to look at and to save under.

A sender may write anything: a path, an extension hidden behind characters that turn the direction
of writing ("exe" shown as "cod"), a name of nothing but spaces. What we show is what is saved.
"""

import mimetypes
import re
import unicodedata

LONGEST = 120  # characters; file systems take 255 octets
# What a path, a device or a shell is made of, on any system that somebody saves to.
_FORBIDDEN = re.compile(r'[\\/:*?"<>|]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_name(written: str, content_type: str = "") -> str:
    """One name without path, controls and invisible characters, its extension kept; "" where the
    sender gave none that is left. `content_type` gives a missing extension, if it tells one.
    """
    name = _FORBIDDEN.sub("_", _visible(written))
    name = " ".join(name.split()).strip(". _")
    if not name:
        return ""
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return name[:LONGEST] + (mimetypes.guess_extension(content_type) or "")
    return f"{stem[: LONGEST - len(extension[:10]) - 1]}.{extension[:10]}"


def _visible(written: str) -> str:
    """Without control and format characters (Unicode's Cc and Cf: among them those that turn the
    direction of writing, and those of no width), private ones and half pairs.
    """
    composed = unicodedata.normalize("NFC", written)
    return "".join(" " if one.isspace() else one for one in composed if _is_visible(one))


def _is_visible(one: str) -> bool:
    return one.isspace() or unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cs", "Cn")
