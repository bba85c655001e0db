"""Attachments, made in code: a picture, a photograph, a document, a table, an appointment.

The same name always gives the same octets, different names different ones.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from buzon.demo.shop.jpeg import photograph


@dataclass(frozen=True, slots=True)
class File:
    """One attachment before it is encoded."""

    name: str
    content_type: str
    octets: bytes


def make_file(name: str, *, title: str) -> File:
    """The file of this name; its ending says what it is. KeyError for an ending we cannot make.

    `title` stands in documents, tables and appointments.
    """
    content_type, make = _KINDS[name.rpartition(".")[2].lower()]
    return File(name, content_type, make(_random(name), title))


def _random(name: str) -> Random:
    # Python's own hash of a string differs from process to process.
    return Random(hashlib.sha256(name.encode()).digest())  # noqa: S311 (a picture, not a secret)


def _png(random: Random, _title: str, *, side: int = 48) -> bytes:
    """Coloured tiles (PNG, RGB, 8 bits)."""
    tiles = [bytes(random.randrange(256) for _ in range(3)) for _ in range(16)]
    rows = [
        b"\0" + b"".join(tiles[(y * 4 // side) * 4 + x * 4 // side] for x in range(side))
        for y in range(side)
    ]
    return _png_of(side, b"".join(rows))


def _noise(random: Random, _title: str, *, side: int = 320) -> bytes:
    """A picture that nothing can compress: a file that is truly large (some 300 kB)."""
    rows = b"".join(b"\0" + random.randbytes(3 * side) for _ in range(side))
    return _png_of(side, rows)


def _png_of(side: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _jpeg(random: Random, _title: str) -> bytes:
    return photograph(random, width=160, height=120)


def _pdf(random: Random, title: str) -> bytes:
    """One page with the title and a few lines (PDF 1.4, the text in Windows-1252)."""
    lines = [title, ""] + [f"{n}.  {random.randrange(1, 40)} x ....... " for n in range(1, 6)]
    shown = b" ".join(b"(%s) Tj T*" % _pdf_text(line) for line in lines)
    page = b"BT /F1 12 Tf 60 780 Td 18 TL %s ET" % shown
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _pdf_file(objects)


def _pdf_text(line: str) -> bytes:
    octets = line.encode("cp1252", "replace")
    return octets.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _pdf_file(objects: list[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (count, table, count, len(out))
    )


def _csv(random: Random, title: str) -> bytes:
    rows = [f"{title};;", "ref;cantidad/qty;precio/price"]
    rows += [
        f"BO-{random.randrange(100, 999)};{random.randrange(1, 24)};{random.randrange(300, 9900) / 100:.2f}"  # noqa: E501
        for _ in range(12)
    ]
    return ("\r\n".join(rows) + "\r\n").encode("utf-8-sig")


def _ics(random: Random, title: str) -> bytes:
    """An appointment (RFC 5545)."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Demonstration//EN", "METHOD:REQUEST",
        "BEGIN:VEVENT", f"UID:{random.randrange(10**12)}@demo.example",
        "DTSTAMP:20260105T090000Z", "DTSTART:20270118T160000Z", "DTEND:20270118T170000Z",
        f"SUMMARY:{title[:60]}", "END:VEVENT", "END:VCALENDAR",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n").encode()


def _plain(random: Random, title: str) -> bytes:
    return f"{title}\r\n\r\n{random.randrange(10**6)}\r\n".encode()


_KINDS: dict[str, tuple[str, Callable[[Random, str], bytes]]] = {
    "png": ("image/png", _png),
    "jpg": ("image/jpeg", _jpeg),
    "jpeg": ("image/jpeg", _jpeg),
    "scan": ("image/png", _noise),
    "pdf": ("application/pdf", _pdf),
    "csv": ("text/csv; charset=utf-8", _csv),
    "ics": ("text/calendar; charset=utf-8; method=REQUEST", _ics),
    "txt": ("text/plain; charset=utf-8", _plain),
}
