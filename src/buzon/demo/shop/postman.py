"""Brings new letters: often at first, so that whoever looks sees something, then now and then."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import structlog

from buzon.demo.shop.letter import Letter

log = structlog.get_logger("buzon.demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two letters, from and to; `most` letters are brought in all."""

    lively: tuple[float, float] = (4.0, 8.0)
    lively_for: float = 600.0
    calm: tuple[float, float] = (20.0, 60.0)
    most: int = 3_000


class Postman:
    """A thread that calls `deliver` again and again until it is stopped, or has brought enough."""

    def __init__(
        self, deliver: Callable[[], Letter], *, pace: Pace | None = None, seed: int = 0
    ) -> None:
        self._deliver = deliver
        self._pace = pace or Pace()
        self._random = Random(seed)  # noqa: S311 (how long a letter takes is no secret)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._walk, name="postman", daemon=True)

    def start(self) -> None:
        """Begin; the first letter comes after the first pause."""
        self._thread.start()

    def stop(self, *, within: float = 1.0) -> bool:
        """Bring nothing more; whether the thread has ended within so many seconds."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within)
        return not self._thread.is_alive()

    def _walk(self) -> None:
        begun = time.monotonic()
        for _ in range(self._pace.most):
            lively = time.monotonic() - begun < self._pace.lively_for
            pause = self._random.uniform(*(self._pace.lively if lively else self._pace.calm))
            if self._stopping.wait(pause):
                return
            self._bring()
        log.info("demonstration brings no more new letters", letters=self._pace.most)

    def _bring(self) -> None:
        """The catch-all of this loop: record, and go on with the next letter."""
        try:
            self._deliver()
        except Exception:
            log.exception("demonstration letter failed")
