"""How large the next batch may be, from how long the last ones took.

Between two batches of history the session looks for new mail, so a batch must not last, whatever
the link, the server and the database are:

    longer than LONGEST ──▶ smaller, in proportion
    shorter, and it was as large as it might be ──▶ up to twice as large, until it is full

Number and octets are bounded each for itself: small letters cost a time each, large ones by octet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from buzon.intake.batches import MOST_OCTETS

LONGEST = 2.0  # seconds from one look for new mail to the next
# However slow the link is: with less than that its round trips alone would take all of the time.
FEWEST = 10
LEAST_OCTETS = 32 * 1024


class Stride:
    """The bounds of the next batch: `most` messages and `octets` octets.

    A full batch has `full` messages and MOST_OCTETS; the first ones have a part of that.
    """

    def __init__(self, full: int) -> None:
        self._full = full
        self.most = max(full // 4, 1)
        self.octets = MOST_OCTETS // 16

    @contextmanager
    def measured(self, *, messages: int, octets: int) -> Iterator[None]:
        """Around everything that is done with a batch of so many; no lesson where it fails."""
        began = monotonic()
        yield
        self.took(monotonic() - began, messages=messages, octets=octets)

    def took(self, seconds: float, *, messages: int, octets: int) -> None:
        """A batch of so many took so long."""
        if messages > 1 and octets > 2 * self.octets:
            # The server understates its sizes: only their number bounds the batches then.
            self._bound(messages * self.octets // octets, self.octets)
            return
        pace = LONGEST / max(seconds, 0.001)
        if pace < 1:
            self._bound(int(messages * pace), int(octets * pace))
            return
        grown = min(pace, 2.0)
        # What the batch did not need says nothing about what it could have been.
        most = int(self.most * grown) if 2 * messages >= self.most else self.most
        whole = int(self.octets * grown) if 2 * octets >= self.octets else self.octets
        self._bound(most, whole)

    def _bound(self, most: int, octets: int) -> None:
        self.most = min(max(most, FEWEST), self._full)
        self.octets = min(max(octets, LEAST_OCTETS), MOST_OCTETS)
