"""The embedded dispatcher: everything of an installation, worked on by this process.

    ticker, every second ──▶ claim what is due ──▶ a thread of its lane ──▶ release
       ▲                                                      │
       └───────────────────── kick ◀──────────────────────────┘

The rows say what is due and the leases who works on it; a kick only makes the ticker look at once.
It may be lost or doubled. Several such processes on one database share the work.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.db.models.functions import Lower, Now
from django.utils import timezone

from buzon.desk import search
from buzon.fleet.backoff import went_well
from buzon.fleet.lane import Lane
from buzon.intake import health
from buzon.intake.guest import collections_at, limits_at
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.totals import Progress, Totals
from buzon.lease import Lease, claim_due, free_all_dead
from buzon.notify import copies, rounds
from buzon.notify.models import Copy, Round

WITH_WAITING = 3  # times the workers: collections at a time, those included that only wait
INDEX_PAUSE = 0.02  # seconds between two batches: who waits to write to SQLite asks now and then
TICK = 1.0  # seconds
TICK_AFTER_FAILURE = 5.0
NOTICE_EVERY = 30.0
STOP_WITHIN = 20.0

log = structlog.get_logger("buzon.fleet")

Stop = Callable[[], bool]


class Collect(Protocol):
    """`buzon.intake.runs.collect_once`."""

    def __call__(
        self, lease: Lease, *, stop: Stop, progress: Callable[[Progress], None] | None = None
    ) -> Totals: ...


class Process(Protocol):
    """`buzon.intake.runs.process_once`."""

    def __call__(self, lease: Lease, *, stop: Stop) -> int: ...


class Embedded:
    """Collects, processes, indexes, tells and copies until it is stopped.

    `collected` is called after each collection, `progress` during it, both from its thread.
    `workers` is how many collections are at work at a time. Those that only wait for their servers
    come on top: `most_runs`, which is also how many database connections there may be, is 5 times
    the workers and 6 at most.
    """

    def __init__(
        self,
        *,
        collect: Collect,
        process: Process,
        workers: int,
        collected: Callable[[Totals], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        tick: float = TICK,
    ) -> None:
        self._collect, self._process = collect, process
        self._collected, self._progress = collected, progress
        self._tick_seconds = tick
        self._noticed = time.monotonic()  # after a start everything is late for a moment
        self._stopping = threading.Event()
        self._kicked = threading.Event()
        half = max(1, workers // 2)
        # That a run has come to only wait, the next tick sees: nobody kicks then.
        self._collecting = Lane(
            "collect", size=workers, most=WITH_WAITING * workers, freed=self.kick
        )
        self._retrying = Lane("retry", size=half, most=WITH_WAITING * half, freed=self.kick)
        # One server that stalls for the first time does not take up all places either.
        self._most_of_one = half
        # Collections process what they download; this lane takes up what they left behind.
        self._processing = Lane("process", size=half, freed=self.kick)
        self._indexing = Lane("index", size=1, freed=self.kick)
        self._telling = Lane("tell", size=1, freed=self.kick)
        self._copying = Lane("copy", size=1, freed=self.kick)
        self._lanes = (
            self._collecting,
            self._retrying,
            self._processing,
            self._indexing,
            self._telling,
            self._copying,
        )
        self._ticker = threading.Thread(target=self._tick_until_stopped, name="ticker", daemon=True)

    @property
    def most_runs(self) -> int:
        """How many threads, each with a database connection, work at a time at most."""
        return sum(lane.most for lane in self._lanes) + 1  # the ticker

    def start(self) -> None:
        """Free what processes of this machine left behind that were killed, and begin."""
        free_all_dead([Duty, Round, Copy])
        self._ticker.start()

    def kick(self) -> None:
        """Look now."""
        self._kicked.set()

    def stop(self, *, within: float = STOP_WITHIN) -> bool:
        """Claim nothing more, let the runs end between two batches, give their leases back.

        Returns whether all had ended within so many seconds; the leases of those that had not are
        given back all the same, which keeps them from writing.
        """
        self._stopping.set()
        self.kick()
        deadline = time.monotonic() + within
        self._ticker.join(max(0.0, deadline - time.monotonic()))
        left = [one for lane in self._lanes for one in lane.join(deadline=deadline)]
        for one in left:
            log.warning("did not stop in time", lane=one.thread.name)
            if one.lease is not None:
                _give_back(one.lease)
        return not left and not self._ticker.is_alive()

    # The ticker's thread.

    def _tick_until_stopped(self) -> None:
        while not self._stopping.is_set():
            self._kicked.clear()
            pause = self._tick_seconds if self._tick() else TICK_AFTER_FAILURE
            self._kicked.wait(pause)
        connections.close_all()

    def _tick(self) -> bool:
        """The catch-all of this loop: record, and go on at the next tick."""
        try:
            self._give_out()
        except DatabaseError as error:
            log.error("tick failed", error=type(error).__name__, told=str(error).split("\n")[0])
        except Exception:
            log.exception("tick failed")
        else:
            return True
        connections.close_all()  # a broken connection would fail for ever
        return False

    def _give_out(self) -> None:
        self._give_out_collections(self._collecting, failing=False)
        self._give_out_collections(self._retrying, failing=True)
        self._give_out_rows(self._processing, _processable(), self._run_process)
        if self._indexing.has_room() and search.any_waits():
            self._indexing.start(self._run_index, lease=None)
        self._notice_the_slow()
        self._notice_the_late()
        rounds.wake()
        self._give_out_rows(self._telling, _tellable(), self._run_tell)
        if self._copying.has_room() and copies.any_waits():
            self._copying.start(self._run_copies, lease=None)

    def _notice_the_slow(self) -> None:
        """A server may keep us waiting for minutes before it is given up: say so meanwhile."""
        for lease in (*self._collecting.slow(), *self._retrying.slow()):
            health.notice_slow(lease)

    def _notice_the_late(self) -> None:
        """Now and then, and after the collections were given out: what is left is late."""
        now = time.monotonic()
        if now - self._noticed >= NOTICE_EVERY:
            self._noticed = now
            health.notice_behind()
            health.notice_failing()

    def _give_out_collections(self, lane: Lane, *, failing: bool) -> None:
        """Accounts whose last collection failed have a lane of their own: however many servers
        stall, the healthy ones are collected when they are due.
        """
        while lane.has_room() and not self._stopping.is_set():
            full = [host for host, runs in self._places().items() if runs >= self._most_at(host)]
            for lease in claim_due(_collectable(failing=failing, without=full), limit=1):
                account = CollectionAccount.objects.filter(duties=lease.pk).first()
                if account is not None:  # else it was removed this very moment, and its duty too
                    self._start_collection(lane, lease, account.host.lower())
                break
            else:
                return

    def _start_collection(self, lane: Lane, lease: Lease, host: str) -> None:
        """Unless another process was quicker: then a moment later, each at its own."""
        if collections_at()[host] > limits_at(host).connections:
            moment = timedelta(seconds=random.uniform(0.5, 2.0))  # noqa: S311 (spread, no secret)
            lease.release(due_at=timezone.now() + moment)
            return
        self._start(lane, self._run_collect, lease, place=host)

    def _places(self) -> Counter[str]:
        """Collections at each mail server, by whichever process; a run of ours that has given its
        lease back may still be there.
        """
        return (self._collecting.places() + self._retrying.places()) | collections_at()

    def _most_at(self, host: str) -> int:
        return min(limits_at(host).connections, self._most_of_one)

    def _give_out_rows(
        self, lane: Lane, rows: "QuerySet[Duty] | QuerySet[Round]", run: Callable[[Lease], None]
    ) -> None:
        while lane.has_room() and not self._stopping.is_set():
            leases = claim_due(rows, limit=1)
            if not leases:
                return
            self._start(lane, run, leases[0])

    def _start(
        self, lane: Lane, run: Callable[[Lease], None], lease: Lease, *, place: str = ""
    ) -> None:
        lane.start(lambda: run(lease), lease=lease, place=place)

    # The lanes' threads.

    def _run_collect(self, lease: Lease) -> None:
        duty = Duty.objects.get(pk=lease.pk)
        totals = self._collect(lease, stop=self._stopping.is_set, progress=self._progress)
        went_well(Duty, duty.pk)
        if totals.error or did_something(totals):
            _make_processing_due(duty)
        if self._collected is not None:
            self._collected(totals)

    def _run_process(self, lease: Lease) -> None:
        decided = self._process(lease, stop=self._stopping.is_set)
        went_well(Duty, lease.pk)
        if decided:
            log.info("processed", duty=lease.pk, messages=decided)

    def _run_index(self) -> None:
        """Needs no lease: two that index at a time lock different rows, and each is done once."""
        indexed = 0
        while number := search.index_waiting():
            indexed += number
            if self._stopping.wait(INDEX_PAUSE):
                break
        log.info("indexed", messages=indexed)

    def _run_tell(self, lease: Lease) -> None:
        rounds.tell(lease)

    def _run_copies(self) -> None:
        copies.send_due(stop=self._stopping.is_set)


def _give_back(lease: Lease) -> None:
    try:
        lease.release(due_at=timezone.now())
    except DatabaseError:
        # Then it runs out, or is freed by the next start, which finds this process dead.
        log.exception("release failed", row=lease.pk)


def did_something(totals: Totals) -> bool:
    """Whether this collection changed anything here or on the server."""
    return any(
        (
            totals.filed,
            totals.skipped,
            totals.ignored,
            totals.oversized,
            totals.failed,
            totals.settled,
        )
    )


def _collectable(*, failing: bool, without: list[str]) -> "QuerySet[Duty]":
    """The duties of accounts that may be collected, but those on the servers `without`; of those
    whose last collection failed, or of the others.
    """
    duties = _of_active_accounts(Duty.Kind.COLLECT)
    duties = (
        duties.filter(account__failures__gt=0) if failing else duties.filter(account__failures=0)
    )
    duties = duties.exclude(account__state=CollectionAccount.State.STOPPED)
    if without:
        duties = duties.annotate(host=Lower("account__host")).exclude(host__in=without)
    return duties


def _processable() -> "QuerySet[Duty]":
    return _of_active_accounts(Duty.Kind.PROCESS)


def _of_active_accounts(kind: "Duty.Kind") -> "QuerySet[Duty]":
    return Duty.objects.filter(
        kind=kind, account__active=True, account__organization__suspended_at=None
    )


def _tellable() -> "QuerySet[Round]":
    return Round.objects.filter(organization__suspended_at=None)


def _make_processing_due(duty: Duty) -> None:
    """What was collected is processed at once, but not where processing waits after a failure."""
    process = Duty.objects.filter(account=duty.account_id, kind=Duty.Kind.PROCESS, attempts=0)
    process.update(due_at=Now())
