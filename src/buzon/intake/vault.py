"""The octets in custody: put in a batch, get by digest.

To begin with they are rows of the database, so that octets, ledger and cursor are one transaction.
Everything goes through `put` and `get`, because a segment file or an object store may take over.

    up to 4 MiB   one value of a RawMessage
    larger        RawPieces of 1 MiB: neither here nor in the database does the whole lie in memory
"""

import hashlib
import io
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import zstandard
from django.db import connection

from buzon.desk.rows import insert_rows
from buzon.intake.batches import by_octets
from buzon.intake.models import RawMessage, RawPiece

LEVEL = 1  # higher levels cost more than they save: bench/ measures it
PIECE = 1_048_576
LARGEST_IN_ONE = 4 * PIECE
_FEW = -4_000  # KiB of pages, as SQLite counts them

Octets = bytes | BinaryIO  # of one message; a file is read from its start


class NotHeld(Exception):
    """No octets of this organization have that digest."""


class Damaged(Exception):
    """The octets stored under a digest are no longer those that it names."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Octets ready to be put: what takes time was done, in whichever thread had it.

    `packed` is as it is stored, b"" for what is stored in pieces; `size` is of `octets`.
    """

    sha256: str
    size: int
    octets: Octets
    packed: bytes


_mine = threading.local()  # a compressor and a decompressor serve one thread each


def pack(octets: Octets) -> Packed:
    """Name and compress these. Needs no database, and leaves other threads at work meanwhile."""
    name, size = digest(octets), size_of(octets)
    packed = _compress(whole(octets)) if size <= LARGEST_IN_ONE else b""
    return Packed(name, size, octets, packed)


def _compress(octets: bytes) -> bytes:
    if not hasattr(_mine, "compressor"):
        _mine.compressor = zstandard.ZstdCompressor(level=LEVEL)
    compressed: bytes = _mine.compressor.compress(octets)
    return compressed


def digest(octets: Octets) -> str:
    """The name of these octets: SHA-256 in hex. A file is left at its start."""
    if isinstance(octets, bytes):
        return hashlib.sha256(octets).hexdigest()
    hashed = hashlib.sha256()
    for piece in _cut(octets):
        hashed.update(piece)
    octets.seek(0)
    return hashed.hexdigest()


def size_of(octets: Octets) -> int:
    """How many there are. A file is left at its start."""
    if isinstance(octets, bytes):
        return len(octets)
    size = octets.seek(0, io.SEEK_END)
    octets.seek(0)
    return size


def line_ends(octets: Octets) -> tuple[int, int]:
    """How many there are, and how many of them are a bare LF. A file is left at its start."""
    lines = pairs = 0
    last = b""
    for piece in _cut(octets):
        lines += piece.count(b"\n")
        pairs += piece.count(b"\r\n") + (last == b"\r" and piece.startswith(b"\n"))
        last = piece[-1:]
    if not isinstance(octets, bytes):
        octets.seek(0)
    return lines, lines - pairs


def put(organization_id: int, batch: Iterable[tuple[str, Octets | Packed]]) -> None:
    """Store octets by digest in the caller's transaction; what is held already stays, unless it is
    damaged.
    """
    ready = {name: given if isinstance(given, Packed) else pack(given) for name, given in batch}
    _drop_damaged(organization_id, ready)
    rows = [(organization_id, name, one.packed, one.size) for name, one in ready.items()]
    insert_rows(RawMessage, ["organization", "sha256", "octets", "size"], rows, or_leave=True)
    large = [one for one in ready.values() if one.size > LARGEST_IN_ONE]
    for one in large:
        row = RawMessage.objects.get(organization_id=organization_id, sha256=one.sha256)
        _put_pieces(row, one.octets)


def _drop_damaged(organization_id: int, names: Collection[str]) -> None:
    known = held(organization_id, names)
    damaged = known - intact(organization_id, known) if known else known
    if damaged:
        RawMessage.objects.filter(organization_id=organization_id, sha256__in=damaged).delete()


def _put_pieces(message: RawMessage, octets: Octets) -> None:
    """A row that another transaction has put meanwhile has its pieces, or its one value."""
    if message.octets or message.pieces.exists():
        return
    with _few_pages():
        for place, piece in enumerate(_cut(octets)):
            RawPiece.objects.create(message=message, place=place, octets=_compress(piece))


def whole(octets: Octets) -> bytes:
    """All of it in memory. A file is left at its end."""
    if isinstance(octets, bytes):
        return octets
    octets.seek(0)
    return octets.read()


def _cut(octets: Octets) -> Iterator[bytes]:
    file = io.BytesIO(octets) if isinstance(octets, bytes) else octets
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


@contextmanager
def _few_pages() -> Iterator[None]:
    """SQLite keeps what it last wrote or read in memory, up to 64 MB; a large message would fill
    that with what nobody asks for again.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        (usual,) = cursor.fetchone()
        cursor.execute(f"PRAGMA cache_size = {_FEW}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA cache_size = {int(usual)}")


def get(organization_id: int, sha256: str) -> bytes:
    """The octets, exactly as received, checked against their name. Raises NotHeld, Damaged."""
    found = get_many(organization_id, [sha256])
    if sha256 in found:
        if digest(found[sha256]) != sha256:
            raise Damaged(sha256)
        return found[sha256]
    if RawMessage.objects.filter(organization_id=organization_id, sha256=sha256).exists():
        raise Damaged(sha256)
    raise NotHeld(sha256)


def get_many(organization_id: int, digests: Collection[str]) -> dict[str, bytes]:
    """The octets of those that are held and can be unpacked, by digest; unchecked."""
    rows = RawMessage.objects.filter(organization_id=organization_id, sha256__in=digests)
    found: dict[str, bytes] = {}
    for key, name, packed, size in rows.values_list("pk", "sha256", "octets", "size"):
        octets = _unpacked(bytes(packed)) if packed else _joined(key, size)
        if octets is not None:
            found[name] = octets
    return found


def _joined(message_id: int, size: int) -> bytes | None:
    """The pieces as one; None where one of them is missing or damaged."""
    whole = io.BytesIO()  # gives up what it holds without a copy,
    whole.seek(max(size - 1, 0))  # and takes the room for it at once
    whole.write(b"\0")
    whole.seek(0)
    for piece in _pieces(message_id, size):
        if piece is None:
            return None
        whole.write(piece)
    return whole.getvalue()


def _pieces(message_id: int, size: int) -> Iterator[bytes | None]:
    """One after the other; None for one that is missing or cannot be unpacked."""
    with _few_pages():
        for place in range(-(-size // PIECE)):
            row = RawPiece.objects.filter(message=message_id, place=place)
            yield _unpacked(bytes(row.values_list("octets", flat=True).first() or b""))


def _unpacked(packed: bytes) -> bytes | None:
    if not hasattr(_mine, "decompressor"):
        _mine.decompressor = zstandard.ZstdDecompressor()
    try:
        unpacked: bytes = _mine.decompressor.decompress(packed)
        return unpacked
    except zstandard.ZstdError:
        return None


def held(organization_id: int, digests: Collection[str]) -> set[str]:
    """Which of these are in custody."""
    found: set[str] = set()
    names = sorted(digests)
    for start in range(0, len(names), 500):
        rows = RawMessage.objects.filter(
            organization_id=organization_id, sha256__in=names[start : start + 500]
        )
        found.update(rows.values_list("sha256", flat=True))
    return found


def intact(organization_id: int, digests: Collection[str]) -> set[str]:
    """Which of these are in custody, and still are the octets that their names say: read back, and
    hashed, 16 MiB at a time.
    """
    found: set[str] = set()
    names = sorted(digests)
    for start in range(0, len(names), 500):
        rows = RawMessage.objects.filter(
            organization_id=organization_id, sha256__in=names[start : start + 500]
        )
        sizes = rows.values_list("pk", "sha256", "size")
        for some in by_octets(sizes, lambda row: min(row[2], LARGEST_IN_ONE)):
            found |= _intact({pk: (name, size) for pk, name, size in some})
    return found


def _intact(rows: dict[int, tuple[str, int]]) -> set[str]:
    """Of the rows with these keys, the digests that hold."""
    packed = RawMessage.objects.filter(pk__in=rows).values_list("pk", "octets")
    found = set()
    for pk, octets in packed:
        name, size = rows[pk]
        pieces = [_unpacked(bytes(octets))] if octets else _pieces(pk, size)
        if _digest_of(pieces) == name:
            found.add(name)
    return found


def _digest_of(pieces: Iterable[bytes | None]) -> str:
    """As `digest`; "" where a piece is missing."""
    hashed = hashlib.sha256()
    for piece in pieces:
        if piece is None:
            return ""
        hashed.update(piece)
    return hashed.hexdigest()
