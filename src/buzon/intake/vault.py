"""The octets in custody: put in a batch, get by digest.

To begin with they are rows of the database, so that octets, ledger and cursor are one transaction.
Everything goes through `put` and `get`, because a segment file or an object store may take over.
"""

import hashlib
from collections.abc import Collection, Iterable

import zstandard
from django.utils import timezone

from buzon.intake.models import RawMessage

LEVEL = 1  # higher levels cost more than they save: bench/ measures it


class NotHeld(Exception):
    """No octets of this organization have that digest."""


class Damaged(Exception):
    """The octets stored under a digest are no longer those that it names."""


def digest(octets: bytes) -> str:
    """The name of these octets: SHA-256 in hex."""
    return hashlib.sha256(octets).hexdigest()


def put(organization_id: int, batch: Iterable[tuple[str, bytes]]) -> None:
    """Store (digest, octets) pairs in the caller's transaction; what is held already stays."""
    compress = zstandard.ZstdCompressor(level=LEVEL).compress
    now = timezone.now()
    rows = {
        name: RawMessage(
            organization_id=organization_id,
            sha256=name,
            octets=compress(octets),
            size=len(octets),
            stored_at=now,
        )
        for name, octets in batch
    }
    RawMessage.objects.bulk_create(rows.values(), ignore_conflicts=True)


def get(organization_id: int, sha256: str) -> bytes:
    """The octets, exactly as received, checked against their name. Raises NotHeld, Damaged."""
    rows = RawMessage.objects.filter(organization_id=organization_id, sha256=sha256)
    packed = rows.values_list("octets", flat=True).first()
    if packed is None:
        raise NotHeld(sha256)
    octets = _unpacked(bytes(packed))
    if octets is None or digest(octets) != sha256:
        raise Damaged(sha256)
    return octets


def get_many(organization_id: int, digests: Collection[str]) -> dict[str, bytes]:
    """The octets of those that are held and can be unpacked, by digest; unchecked."""
    rows = RawMessage.objects.filter(organization_id=organization_id, sha256__in=digests)
    pairs = rows.values_list("sha256", "octets")
    unpacked = ((name, _unpacked(bytes(packed))) for name, packed in pairs)
    return {name: octets for name, octets in unpacked if octets is not None}


def _unpacked(packed: bytes) -> bytes | None:
    try:
        return zstandard.ZstdDecompressor().decompress(packed)
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
