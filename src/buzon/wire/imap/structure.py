"""BODYSTRUCTURE: what a message is made of, without fetching it (RFC 9051 section 7.5.2)."""

import base64
import quopri
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from buzon.wire.errors import Malformed
from buzon.wire.imap.events import Value
from buzon.wire.imap.tokens import is_nil, octet_count

_ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"\?=\s+=\?")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message.

    `section` is its number for BODY[…] ("1.2", "" for the root of a multipart), `content_type`
    lower case, `parameters` with lower-case names, `disposition` lower case or "", `filename`
    decoded or "", `size` in octets as encoded, `parts` those inside (also of message/rfc822).
    """

    section: str
    content_type: str
    parameters: dict[str, str]
    disposition: str
    filename: str
    encoding: str
    size: int
    parts: tuple["Part", ...]


def read_structure(value: Value) -> Part:
    """The tree of a BODYSTRUCTURE or BODY item. Raises Malformed when it is none."""
    if not isinstance(value, list) or not value:
        raise Malformed("The server describes this message in a way that makes no sense.")
    return _part(value, "" if isinstance(value[0], list) else "1")


def _part(words: list[Value], section: str) -> Part:
    if words and isinstance(words[0], list):
        return _multipart(words, section)
    kind = f"{_text(words, 0)}/{_text(words, 1)}".lower()
    parameters = _parameters(_at(words, 2))
    after = _extension_place(kind)
    disposition, details = _disposition(_at(words, after + 1))
    return Part(
        section=section,
        content_type=kind,
        parameters=parameters,
        disposition=disposition,
        filename=_filename(details, "filename") or _filename(parameters, "name"),
        encoding=_text(words, 5).lower(),
        size=octet_count(_at(words, 6)),
        parts=_inner(kind, words, section),
    )


def _multipart(words: list[Value], section: str) -> Part:
    inner = [word for word in words if isinstance(word, list)]
    count = next((n for n, word in enumerate(words) if not isinstance(word, list)), len(words))
    parameters = _parameters(_at(words, count + 1))
    disposition, details = _disposition(_at(words, count + 2))
    return Part(
        section=section,
        content_type=f"multipart/{_text(words, count) or 'mixed'}".lower(),
        parameters=parameters,
        disposition=disposition,
        filename=_filename(details, "filename"),
        encoding="",
        size=0,
        parts=tuple(
            _part(word, f"{section}.{n}" if section else str(n))
            for n, word in enumerate(inner[:count], start=1)
        ),
    )


def _inner(kind: str, words: list[Value], section: str) -> tuple[Part, ...]:
    """The message inside a message/rfc822: its parts count on from its own number."""
    body = _at(words, 8)
    if kind not in ("message/rfc822", "message/global") or not isinstance(body, list) or not body:
        return ()
    return (_part(body, section if isinstance(body[0], list) else f"{section}.1"),)


def _extension_place(kind: str) -> int:
    """Where the body's MD5 stands: behind lines (text), or envelope, body and lines (message)."""
    if kind.startswith("text/"):
        return 8
    return 10 if kind in ("message/rfc822", "message/global") else 7


def _at(words: list[Value], place: int) -> Value:
    return words[place] if place < len(words) else None


def _text(words: list[Value], place: int) -> str:
    value = _at(words, place)
    return _decoded(value) if isinstance(value, bytes) and not is_nil(value) else ""


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _parameters(value: Value) -> dict[str, str]:
    if not isinstance(value, list):
        return {}
    pairs = zip(value[::2], value[1::2], strict=False)
    return {
        _decoded(name).lower(): _decoded(said)
        for name, said in pairs
        if isinstance(name, bytes) and isinstance(said, bytes) and not is_nil(said)
    }


def _disposition(value: Value) -> tuple[str, dict[str, str]]:
    if not isinstance(value, list):
        return "", {}
    return _text(value, 0).lower(), _parameters(_at(value, 1))


def _filename(parameters: dict[str, str], name: str) -> str:
    """`name`, `name*` or `name*0…` (RFC 2231), or an encoded word, as a person reads it."""
    if name in parameters:
        return _unfolded(parameters[name])
    if f"{name}*" in parameters:
        return _extended(parameters[f"{name}*"])
    pieces: list[str] = []
    while True:
        key = f"{name}*{len(pieces)}"
        piece = parameters.get(key) or parameters.get(f"{key}*")
        if piece is None:
            break
        pieces.append(piece)
    whole = "".join(pieces)
    return _extended(whole) if f"{name}*0*" in parameters else whole


def _extended(value: str) -> str:
    charset, quote, rest = value.partition("'")
    if not quote:
        return value
    octets = unquote_to_bytes(rest.partition("'")[2])
    try:
        return octets.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):  # some of Python's codecs raise whatever they are told
        return octets.decode("utf-8", "replace")


def _unfolded(value: str) -> str:
    """Encoded words (RFC 2047), which have no place in a parameter and are there all the same."""
    return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub("?==?", value))


def _word(match: re.Match[str]) -> str:
    charset, encoding, said = match.groups()
    try:
        if encoding in "bB":
            octets = base64.b64decode(said + "=" * (-len(said) % 4))
        else:
            octets = quopri.decodestring(said.encode(), header=True)
        return octets.decode(charset.partition("*")[0], "replace")
    except (LookupError, ValueError):
        return match[0]
