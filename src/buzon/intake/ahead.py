"""The next batch on its way in a thread of its own, while the one before is stored.

    the run's thread     take 1 ─▶ go on ─▶ store and process 1 ─▶ take 2 ─▶ go on …
    the fetching thread               └─ retrieve and pack 2 ──────▶            └─ retrieve 3 …

The run's thread alone uses the database and keeps the lease. The session is the fetching thread's
while a batch is under way, from `go_on` (or within `take`) until `take` has returned, and else the
run's: no two threads ever use it at the same time.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from time import monotonic
from typing import Generic, Protocol, Self, TypeVar

from buzon.intake.given import Came
from buzon.intake.run import Run, Stopped
from buzon.lease import lease_seconds
from buzon.wire.errors import MailError
from buzon.wire.waits import beside

Batch = TypeVar("Batch")


class Session(Protocol):
    """What ends a fetch that nobody waits for any more."""

    def abort(self) -> None: ...


class Upcoming(Generic[Batch]):
    """Batches that are still to be begun: the next can be seen without taking it."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._next: Batch | None = None

    def peek(self) -> Batch | None:
        """The next one; None at the end."""
        if self._next is None:
            self._next = next(self._batches, None)
        return self._next

    def drop(self) -> None:
        """The one that was seen is begun."""
        self._next = None


def _always(_batch: object) -> bool:
    return True


class Ahead(Generic[Batch]):
    """Batches in their order; `fetch` retrieves one of them, in the fetching thread.

    No further one is begun where `allows` refuses it, or after `ends` (on the monotonic clock), but
    for the first. Leaving the `with` block ends what is under way together with its connection, and
    waits for the thread first.
    """

    def __init__(
        self,
        run: Run,
        session: Session,
        upcoming: Upcoming[Batch],
        fetch: Callable[[Batch], Came],
        *,
        allows: Callable[[Batch], bool] = _always,
        ends: float = math.inf,
    ) -> None:
        self._run = run
        self._session = session
        self._upcoming = upcoming
        self._fetch = fetch
        self._allows = allows
        self._ends = ends
        self._is_first = True
        self._under_way: tuple[Batch, Future[Came]] | None = None

    def take(self) -> tuple[Batch, Came] | None:
        """The next batch, and what came of it, when all of it is here; None where none is to be
        begun. Raises what `run.before_batch` does, and what the fetch raised.
        """
        if self._under_way is None and not self._begin():
            return None
        assert self._under_way is not None
        batch, future = self._under_way
        beside(works=False)
        while wait([future], timeout=lease_seconds() / 10).not_done:
            self._run.lease.renew_if_needed()
        self._under_way = None
        came = future.result()
        self._run.received(came.octets_in)
        return batch, came

    def go_on(self) -> None:
        """Begin the next one. What speaks against it is for the next `take` to say, when what was
        taken before is stored.
        """
        with suppress(Stopped, MailError):
            self._begin()

    def _begin(self) -> bool:
        batch = self._upcoming.peek()
        is_late = not self._is_first and monotonic() > self._ends
        if batch is None or is_late or not self._allows(batch):
            return False
        self._run.before_batch()
        self._start(batch)
        self._upcoming.drop()
        self._is_first = False
        return True

    def _start(self, batch: Batch) -> None:
        future: Future[Came] = Future()
        # In a copy of our context: what it waits for is told of this run (`buzon.wire.waits`).
        context = copy_context()
        # A daemon: a run that hangs in the network does not keep the process from ending.
        Thread(
            target=lambda: context.run(self._into, future, batch), name="fetching", daemon=True
        ).start()
        self._under_way = batch, future
        beside(works=True)

    def _into(self, future: "Future[Came]", batch: Batch) -> None:
        try:
            came = self._fetch(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes it
            future.set_exception(error)
        else:
            future.set_result(came)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._under_way is None:
            return
        future = self._under_way[1]
        beside(works=False)
        self._session.abort()
        wait([future])
        if future.exception() is None:
            future.result().close()
