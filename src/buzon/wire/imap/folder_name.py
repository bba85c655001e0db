"""Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 once agreed."""

import base64
import binascii
import re

_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def to_utf7(name: str) -> bytes:
    """`name` in modified UTF-7: "Año & más" becomes b"A&APE-o &- m&AOE-s"."""
    out: list[str] = []
    at = 0
    while at < len(name):
        plain = _PRINTABLE.match(name, at)
        if plain is not None:
            out.append(plain[0].replace("&", "&-"))
            at = plain.end()
            continue
        end = at
        while end < len(name) and not _PRINTABLE.match(name, end):
            end += 1
        packed = base64.b64encode(name[at:end].encode("utf-16-be"), altchars=b"+,")
        out.append(f"&{packed.decode().rstrip('=')}-")
        at = end
    return "".join(out).encode()


def from_wire(raw: bytes, *, utf8: bool) -> str:
    """What a person calls the folder.

    `utf8` says that UTF8=ACCEPT is on. Some servers send raw UTF-8 or Latin-1 anyway; a name that
    is not what it should be is shown as near to it as can be, never refused.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
    if utf8 or not text.isascii():
        return text
    try:
        return _from_utf7(text)
    except (ValueError, binascii.Error):
        return text


def _from_utf7(text: str) -> str:
    rest = _SHIFTED.sub("", text)
    if "&" in rest:
        raise ValueError("an ampersand that begins nothing")
    return _SHIFTED.sub(lambda match: _unpacked(match[1]), text)


def _unpacked(packed: str) -> str:
    if not packed:
        return "&"
    octets = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"+,", validate=True)
    return octets.decode("utf-16-be")
