"""Whether a run only waits for its mail server, and so takes nothing of this machine.

Who runs something in a thread puts a `Waits` around it; the transport says when it waits. Every
second of waiting is added up, one of work takes nine of them back:

    working ──waited AFTER seconds more than nine times its work──▶ waiting
    waiting ──worked a moment────────────────────────────────────▶ working

So a server that drips, stalls or has a slow line is told from one that keeps us at work, at
whatever rate its octets come, and a run that stores its batch between two waits is not; nor is one
that has a thread waiting for the next batch while it stores this one (`beside`).
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from threading import Lock
from time import monotonic

SLOWEST = 20_000  # octets per second
AFTER = 2.0  # seconds
MOST = 2 * AFTER  # what is remembered of a long wait
WORK_WEIGHS = 9.0
SLOW = 40.0  # seconds: with the next look of the dispatcher the reason is told within a minute


class Waits:
    """One run's waiting. The run's threads write it, of which one at a time waits for the server;
    any thread may read it.

    `now` arguments are seconds on the monotonic clock, at present where they are left out.
    """

    def __init__(self, *, now: float | None = None) -> None:
        self._idle = 0.0
        self._is_in_wait = False
        self._works_beside = False
        self._since = monotonic() if now is None else now
        self._owed = 0.0
        self._lock = Lock()

    def begin(self, *, now: float | None = None) -> None:
        """From here on the server's turn."""
        self._turn(now, is_in_wait=True)

    def end(self, *, now: float | None = None) -> None:
        """From here on ours again."""
        self._turn(now, is_in_wait=False)

    def beside(self, *, works: bool, now: float | None = None) -> None:
        """Whether a thread of the run works from here on, whatever another one waits for."""
        now = monotonic() if now is None else now
        with self._lock:
            self._add_up(now)
            self._works_beside = works

    def is_waiting(self, *, now: float | None = None) -> bool:
        """Whether nearly all of the time went by without work for us."""
        with self._lock:
            return self._idle_at(monotonic() if now is None else now) >= AFTER

    def asked(self) -> None:
        """Another answer, which has not kept us waiting yet."""
        with self._lock:
            self._owed = 0.0

    def came(self, octets: int) -> None:
        """So many octets of the answer under way."""
        with self._lock:
            self._owed = max(0.0, self._owed - octets / SLOWEST)

    def is_slow(self, *, now: float | None = None) -> bool:
        """Whether this very wait is one that a person should know of."""
        now = monotonic() if now is None else now
        with self._lock:
            return self._is_in_wait and self._owed + (now - self._since) >= SLOW

    def _turn(self, now: float | None, *, is_in_wait: bool) -> None:
        now = monotonic() if now is None else now
        with self._lock:
            self._add_up(now)
            self._is_in_wait = is_in_wait

    def _add_up(self, now: float) -> None:
        if self._is_in_wait:
            self._owed += now - self._since
        self._idle, self._since = self._idle_at(now), now

    def _idle_at(self, now: float) -> float:
        passed = now - self._since
        if self._is_in_wait and not self._works_beside:
            return min(self._idle + passed, MOST)
        return max(self._idle - passed * WORK_WEIGHS, 0.0)

    def __enter__(self) -> "Waits":
        """A wait begins."""
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


_NOBODY_LOOKS: AbstractContextManager[None] = nullcontext()
_of_this_thread: ContextVar[Waits | None] = ContextVar("waits", default=None)


def look_at(waits: Waits) -> None:
    """From now on what this thread waits for mail servers is told to `waits`."""
    _of_this_thread.set(waits)


def waiting() -> "AbstractContextManager[object]":
    """Around whatever waits for a mail server."""
    return _of_this_thread.get() or _NOBODY_LOOKS


def asked() -> None:
    """The mail server was asked something: what it owes us begins anew."""
    if (waits := _of_this_thread.get()) is not None:
        waits.asked()


def came(octets: int) -> None:
    """So many octets of its answer came."""
    if (waits := _of_this_thread.get()) is not None:
        waits.came(octets)


def beside(*, works: bool) -> None:
    """Whether this thread works while another one of its run waits for the mail server."""
    if (waits := _of_this_thread.get()) is not None:
        waits.beside(works=works)
