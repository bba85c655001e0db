"""Sets of UIDs as they are written in a command: 1:3,7,9:12 (RFC 9051 section 9, sequence-set)."""

from collections.abc import Iterable, Iterator

LARGEST = 4_294_967_295


def ranges(uids: Iterable[int]) -> list[tuple[int, int]]:
    """The UIDs, sorted and once each, as (first, last) runs. ValueError for what is no UID."""
    found: list[tuple[int, int]] = []
    first = last = 0
    for uid in sorted(set(uids)):
        if not 0 < uid <= LARGEST:
            raise ValueError(f"{uid} is no UID")
        if uid == last + 1 and first:
            last = uid
            continue
        if first:
            found.append((first, last))
        first = last = uid
    if first:
        found.append((first, last))
    return found


def written(uids: Iterable[int], *, longest: int = 7_900) -> Iterator[bytes]:
    """Sequence sets of at most `longest` octets that together name exactly these UIDs.

    RFC 7162 section 4: servers should take command lines of 8,192 octets.
    """
    line = b""
    for first, last in ranges(uids):
        one = b"%d" % first if first == last else b"%d:%d" % (first, last)
        if line and len(line) + 1 + len(one) > longest:
            yield line
            line = b""
        line = line + b"," + one if line else one
    if line:
        yield line


def read(text: bytes) -> list[tuple[int, int]]:
    """The runs of a server's set. ValueError for what is none, or names `*`."""
    runs: list[tuple[int, int]] = []
    for one in text.split(b","):
        first, colon, last = one.partition(b":")
        if not first.isdigit() or (colon and not last.isdigit()):
            raise ValueError("no set of numbers")
        low, high = sorted((int(first), int(last or first)))
        if not 0 < low <= high <= LARGEST:
            raise ValueError("numbers that are no UIDs")
        runs.append((low, high))
    return runs
