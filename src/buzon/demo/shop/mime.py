"""MIME bodies put together octet by octet, so that the same letter always has the same octets."""

import base64
import quopri
from dataclasses import dataclass
from email.header import Header
from email.utils import quote

from buzon.demo.shop.files import File

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A body with the fields that describe it; `octets` have CRLF line ends."""

    fields: Fields
    octets: bytes

    def whole(self) -> bytes:
        """Fields, an empty line, the body."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.fields)
        return head.encode("utf-8") + b"\r\n" + self.octets


def text_part(content: str, *, content_type: str, charset: str, encoding: str) -> Part:
    """Text with "\\n" line ends; `charset` is Python's name for the one that content_type names."""
    octets = content.encode(charset, "xmlcharrefreplace").replace(b"\n", b"\r\n") + b"\r\n"
    return Part(
        (("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)),
        _encoded(octets, encoding),
    )


def file_part(file: File, *, content_id: str = "") -> Part:
    """An attachment; with a Content-ID, a picture that stands in the text."""
    name = encoded_word(file.name) if not file.name.isascii() else file.name
    disposition = "inline" if content_id else "attachment"
    fields: Fields = (
        ("Content-Type", f'{file.content_type}; name="{name}"'),
        ("Content-Disposition", f'{disposition}; filename="{name}"'),
        ("Content-Transfer-Encoding", "base64"),
    )
    if content_id:
        fields += (("Content-ID", f"<{content_id}>"),)
    return Part(fields, _encoded(file.octets, "base64"))


def multipart(subtype: str, parts: tuple[Part, ...], *, boundary: str, more: str = "") -> Part:
    """Several parts (RFC 2046, 5.1); `more` are further parameters of its type."""
    line = b"--" + boundary.encode("ascii")
    inside = b"".join(line + b"\r\n" + part.whole() + b"\r\n" for part in parts)
    content_type = f'multipart/{subtype}; boundary="{boundary}"{more}'
    return Part((("Content-Type", content_type),), inside + line + b"--\r\n")


def encoded_word(text: str, charset: str = "utf-8", *, after: str = "") -> str:
    """The text as RFC 2047 wants it, folded; as it is where ASCII says it. `after`: its field."""
    if text.isascii():
        return text
    header = Header(text, charset, header_name=after or None, maxlinelen=74)
    return header.encode(linesep="\r\n")


def written_address(name: str, address: str, charset: str = "utf-8") -> str:
    """An address as a field has it, its name in quotes or encoded."""
    if not name:
        return address
    shown = f'"{quote(name)}"' if name.isascii() else encoded_word(name, charset)
    return f"{shown} <{address}>"


def _encoded(octets: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(octets).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        lines = octets.replace(b"\r\n", b"\n")
        return quopri.encodestring(lines).replace(b"\n", b"\r\n")
    return octets
