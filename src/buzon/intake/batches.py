"""How much is in hand at a time: messages in batches, bounded by their number and their octets."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
MOST_BODIES = 200
MOST_HEADERS = 1_000
MOST_OCTETS = 16 * 1024 * 1024


def by_octets(
    rows: Iterable[T], size: Callable[[T], int], *, most: int = MOST_BODIES
) -> Iterator[list[T]]:
    """Batches of at most `most` rows and MOST_OCTETS, or a single row, in the same order."""
    batch: list[T] = []
    octets = 0
    for row in rows:
        if batch and (len(batch) == most or octets + size(row) > MOST_OCTETS):
            yield batch
            batch, octets = [], 0
        batch.append(row)
        octets += size(row)
    if batch:
        yield batch
