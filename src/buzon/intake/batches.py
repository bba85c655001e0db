"""How much is in hand at a time: messages in batches, bounded by their number and their octets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")
MOST_BODIES = 200
MOST_HEADERS = 1_000
MOST_OCTETS = 16 * 1024 * 1024


class Bounds(Protocol):
    """At most so many messages and octets; looked at anew for each batch."""

    @property
    def most(self) -> int: ...
    @property
    def octets(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Full:
    """Bounds that stay as they are."""

    most: int = MOST_BODIES
    octets: int = MOST_OCTETS


def by_octets(
    rows: Iterable[T], size: Callable[[T], int], *, most: int = MOST_BODIES
) -> Iterator[list[T]]:
    """Batches of at most `most` rows and MOST_OCTETS, or a single row, in the same order."""
    return within(Full(most), rows, size)


def within(bounds: Bounds, rows: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Batches that keep to the bounds as they are when each begins, or a single row; in order."""
    batch: list[T] = []
    octets = 0
    for row in rows:
        if batch and (len(batch) >= bounds.most or octets + size(row) > bounds.octets):
            yield batch
            batch, octets = [], 0
        batch.append(row)
        octets += size(row)
    if batch:
        yield batch
