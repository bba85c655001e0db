"""One kind of work: so many runs at a time, each in a thread with a database connection of its own.

    size runs at work ──▶ no place
    one of them only waits for its server ──▶ its place is free, until it has work again

A run that has work again is not held up: for a while there are more than `size` at work, never more
than `most` in all.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, connections

from buzon.fleet.backoff import postpone
from buzon.intake.again import is_of_the_database
from buzon.lease import Lease, LeaseLost
from buzon.wire.waits import Waits, look_at

log = structlog.get_logger("buzon.fleet")


@dataclass(slots=True, eq=False)
class Running:
    """A run in its thread; `place` is what the run takes up, such as a mail server's host."""

    thread: threading.Thread
    lease: Lease | None
    place: str
    waits: Waits
    is_told_of: bool = False  # that its server is slow


class Lane:
    """A run begins while fewer than `size` are at work and fewer than `most` (`size` where it is
    None) are there, those included that only wait for a mail server.

    `freed` is called from the run's thread when one has ended.
    """

    def __init__(
        self, name: str, *, size: int, freed: Callable[[], None], most: int | None = None
    ) -> None:
        self.name = name
        self.most = size if most is None else most
        self._size = size
        self._freed = freed
        self._lock = threading.Lock()
        self._running: list[Running] = []

    def has_room(self) -> bool:
        with self._lock:
            at_work = sum(not one.waits.is_waiting() for one in self._running)
            return at_work < self._size and len(self._running) < self.most

    def places(self) -> Counter[str]:
        """How many runs each place has now, those included that wait."""
        with self._lock:
            return Counter(one.place for one in self._running)

    def slow(self) -> list[Lease]:
        """Those whose server has kept them waiting for long by now, each once."""
        with self._lock:
            found = [one for one in self._running if not one.is_told_of and one.waits.is_slow()]
            for one in found:
                one.is_told_of = True
        return [one.lease for one in found if one.lease is not None]

    def start(self, run: Callable[[], None], *, lease: Lease | None, place: str = "") -> None:
        """Begin a run, which is to release its lease; if it raises, its row is due later."""

        waits = Waits()

        def in_thread() -> None:
            look_at(waits)
            try:
                self._guarded(run, lease)
            finally:
                connections.close_all()
                self._ended(running)

        # A daemon: a run that hangs in the network does not keep the process from ending.
        thread = threading.Thread(target=in_thread, name=self.name, daemon=True)
        running = Running(thread, lease, place, waits)
        with self._lock:
            self._running.append(running)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left to give
            self._ended(running)
            raise

    def join(self, *, deadline: float) -> list[Running]:
        """Wait until `deadline` (monotonic) at most; those that are still running."""
        with self._lock:
            waiting = list(self._running)
        for one in waiting:
            one.thread.join(max(0.0, deadline - time.monotonic()))
        return [one for one in waiting if one.thread.is_alive()]

    def _guarded(self, run: Callable[[], None], lease: Lease | None) -> None:
        """The catch-all of this lane: record, and go on with other rows."""
        try:
            run()
        except LeaseLost:
            log.warning("lease lost", lane=self.name, row=lease and lease.pk)
        except Exception as error:
            row = lease and lease.pk
            if is_of_the_database(error):
                # No fault of the program: one line, however many runs it ends.
                name, told = type(error).__name__, str(error).split("\n")[0]
                log.error("run failed", lane=self.name, row=row, error=name, told=told)
            else:
                log.exception("run failed", lane=self.name, row=row)
            if lease is not None:
                self._postponed(lease)

    def _postponed(self, lease: Lease) -> None:
        try:
            postpone(lease)
        except DatabaseError:
            # Then it is due again when its lease has run out.
            log.exception("release failed", lane=self.name, row=lease.pk)

    def _ended(self, running: Running) -> None:
        with self._lock:
            self._running.remove(running)
        self._freed()
