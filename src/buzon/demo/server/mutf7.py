"""Folder names on the wire: modified UTF-7 (RFC 3501, 5.1.3), or UTF-8 after ENABLE (RFC 6855)."""

import base64
import binascii
import re


def encoded(name: str) -> str:
    """A folder's name in modified UTF-7, ASCII only."""
    return re.sub(r"[^\x20-\x7e]+|&", _shifted, name)


def decoded(name: str) -> str:
    """The folder's name that modified UTF-7 spells. Raises ValueError where it spells none."""
    return re.sub(r"&([^-]*)(-?)", _unshifted, name)


def _shifted(run: re.Match[str]) -> str:
    if run[0] == "&":
        return "&-"
    octets = base64.b64encode(run[0].encode("utf-16-be"))
    return f"&{octets.decode().rstrip('=').replace('/', ',')}-"


def _unshifted(run: re.Match[str]) -> str:
    if not run[2]:
        raise ValueError("A shift to UTF-7 is not ended.")
    if not run[1]:
        return "&"
    padding = "=" * (-len(run[1]) % 4)
    try:
        octets = base64.b64decode(run[1].replace(",", "/") + padding, validate=True)
    except binascii.Error as error:
        raise ValueError("A shift to UTF-7 is not base64.") from error
    return octets.decode("utf-16-be")
