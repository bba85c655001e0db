"""How fast a first download goes, from what was seen of it: how long it still takes.

A page asks every few seconds. Each answer is remembered for a minute, in this process alone, so
that a night without a server does not make the rest look endless.
"""

from collections import deque
from threading import Lock
from time import monotonic

_OVER = 60.0  # seconds that are looked back
_LEAST = 2.0  # seconds between two looks that tell anything
_MOST_KEYS = 1_000


class Pace:
    """Looks at the progress of several downloads, told apart by key."""

    def __init__(self) -> None:
        self._looks: dict[int, deque[tuple[float, int]]] = {}
        self._guard = Lock()

    def left(self, key: int, *, done: int, total: int, now: float | None = None) -> float | None:
        """Seconds that the rest takes, at the pace of the last minute; None where nothing moved,
        or this is the first look. `now` is on the monotonic clock.
        """
        now = monotonic() if now is None else now
        with self._guard:
            looks = self._looks_at(key, now, done)
            looks.append((now, done))
            (then, before) = looks[0]
        if now - then < _LEAST or done <= before:
            return None
        return (total - done) * (now - then) / (done - before)

    def _looks_at(self, key: int, now: float, done: int) -> deque[tuple[float, int]]:
        if key not in self._looks and len(self._looks) >= _MOST_KEYS:
            self._looks.clear()  # finished long ago, nearly all of them
        looks = self._looks.setdefault(key, deque())
        while looks and (now - looks[0][0] > _OVER or looks[0][1] > done):
            looks.popleft()
        return looks
