"""Folder names as Dovecot keeps them on disk: modified UTF-7 (RFC 3501 §5.1.3).

Apart from the product's own encoder, so that a mistake there cannot agree with itself.
"""

import re


def encode_folder(name: str) -> str:
    """ "Añejo & Co" -> "A&APE-ejo &- Co"."""
    return re.sub(r"[^\x20-\x25\x27-\x7e]+", lambda found: _shifted(found.group()), name)


def _shifted(run: str) -> str:
    # An ampersand next to other characters may be shifted with them: only alone is it "&-".
    if set(run) == {"&"}:
        return "&-" * len(run)
    head, ampersand, rest = run.partition("&")
    if ampersand:
        return (_shifted(head) if head else "") + "&-" + (_shifted(rest) if rest else "")
    return (
        "&"
        + run.encode("utf-7").decode().removeprefix("+").removesuffix("-").replace("/", ",")
        + "-"
    )
