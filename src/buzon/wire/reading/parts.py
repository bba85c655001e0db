"""One part of a message's MIME tree, whichever path found it, and how its octets are decoded."""

import binascii
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from buzon.wire.reading.header import Header
from buzon.wire.reading.parameters import parse_parameters
from buzon.wire.reading.values import Oddities
from buzon.wire.reading.words import one_line

# Deeper nesting than this is not opened: it is shown as an attachment, with a warning.
DEPTH_LIMIT = 100
PARTS_LIMIT = 10_000
IDENTITY = {"", "7bit", "8bit", "binary"}

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_TOKEN = re.compile(r"[a-z0-9-]+")
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")


@dataclass(slots=True, kw_only=True)
class Part:
    """A node: a container with children, a leaf, or an embedded message with its root as child.

    `load()` gives a leaf's or an embedded message's octets, transfer encoding undone; b"" for a
    container.
    """

    content_type: str
    parameters: dict[str, str]
    disposition: str
    filename: str
    content_id: str
    encoding: str
    load: Callable[[], bytes] = bytes
    children: list["Part"] = field(default_factory=list)

    @property
    def is_container(self) -> bool:
        """Whether this is an opened multipart."""
        return bool(self.children) and self.content_type.startswith("multipart/")


def describe(header: Header, odd: Oddities, *, parent: str = "") -> Part:
    """A part as its header tells of it, without octets and children yet.

    A missing or senseless type is text/plain (RFC 2045 §5.2), or where the `parent`'s type is
    multipart/digest, message/rfc822 (RFC 2046 §5.1.5).
    """
    content_type, parameters = _content_type(header, odd)
    if parent == "multipart/digest" and "content-type" not in header:
        content_type = "message/rfc822"
    disposition = ""
    named: dict[str, str] = {}
    if "content-disposition" in header:
        disposition, named = parse_parameters(header.first("content-disposition"), odd)
    content_id = header.first("content-id") if "content-id" in header else ""
    return Part(
        content_type=content_type,
        parameters=parameters,
        disposition=disposition[:40],
        filename=named.get("filename") or named.get("name") or parameters.get("name", ""),
        content_id=one_line(content_id.strip("<> ")[:998], odd),
        encoding=_encoding(header, odd),
    )


def _content_type(header: Header, odd: Oddities) -> tuple[str, dict[str, str]]:
    if "content-type" not in header:
        return "text/plain", {}
    content_type, parameters = parse_parameters(header.first("content-type"), odd)
    if _TYPE.fullmatch(content_type) and len(content_type) <= 255:
        return content_type, parameters
    if content_type not in {"", "text", "plain"}:
        odd.note("content-type-senseless", content_type)
    return "text/plain", parameters


def _encoding(header: Header, odd: Oddities) -> str:
    if "content-transfer-encoding" not in header:
        return ""
    values = [v.lower() for v in header.all("content-transfer-encoding")]
    tokens = [token[0] for token in map(_TOKEN.search, values) if token]
    if len(set(tokens)) > 1:
        odd.note("transfer-encoding-repeated", ", ".join(tokens))
    return tokens[0][:40] if tokens else ""


def walk(root: Part) -> Iterator[Part]:
    """Every part, depth first, the root first; the position in it is a part's index."""
    pending = [root]
    while pending:
        part = pending.pop()
        yield part
        pending.extend(reversed(part.children))


def undo_encoding(octets: bytes, encoding: str, odd: Oddities) -> bytes:
    """The octets a transfer encoding stood for (RFC 2045 §6), tolerant of damage."""
    if encoding in IDENTITY:
        return octets
    if encoding == "base64":
        return _undo_base64(octets, odd)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets)
    odd.note("transfer-encoding-unknown", encoding)
    return octets


def _undo_base64(octets: bytes, odd: Oddities) -> bytes:
    """Foreign characters are skipped (RFC 2045 §6.8), and so is "=" where no padding can be.

    After padding, whole lines of base64 are decoded too: some programs join encoded pieces. Other
    text there is not part of the file.
    """
    if _is_padded_at_end(octets):
        with contextlib.suppress(binascii.Error):
            return binascii.a2b_base64(octets)  # without copies on the way: it may be large
    first, *rest = octets.split(b"=")
    runs = [[first.translate(None, _NOT_BASE64)]]
    length = len(runs[0][0])
    for piece in rest:
        letters = piece.translate(None, _NOT_BASE64)
        if not letters:
            continue
        if length % 4 > 1:
            if piece.lstrip(b" \t")[:1] not in b"\r\n" or piece.translate(
                None, _BASE64 + b" \t\r\n"
            ):
                odd.note("base64-tail")
                break
            runs.append([])
            length = 0
        runs[-1].append(letters)
        length += len(letters)
    return b"".join(_undo_run(b"".join(run), odd) for run in runs)


def _is_padded_at_end(octets: bytes) -> bool:
    """Whether padding is nowhere else."""
    padding = octets.find(b"=")
    return padding < 0 or not octets[padding:].strip(b"= \t\r\n")


def _undo_run(letters: bytes, odd: Oddities) -> bytes:
    if len(letters) % 4 == 1:
        odd.note("base64-cut")
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
