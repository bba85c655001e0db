"""A database that fails under the collector: full, locked, cut off, or restarted, for real.

SQLite: the file may not grow by more than a few pages (`max_page_count`), or another connection
holds the write lock. PostgreSQL: the collector's session is ended by the server at the nth
statement (`pg_terminate_backend`), or the cluster restarts. What the collector does then is its
own affair; afterwards two collections put everything right.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DatabaseError, connection

from buzon.intake.models import Duty
from buzon.lease import LeaseLost
from tests.chaos.mail import further
from tests.chaos.trial import Scene, Trial, collect, examined, recovers, scene
from tests.servers.faults import Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

STATEMENTS = 160  # of a collection of such a trial, about
TRIALS = 2 * STATEMENTS


def count(context: "Context") -> int:
    """Each kind of failure at every statement."""
    return TRIALS


def trial(context: "Context", number: int) -> list[str]:
    """A failure of one of the database's kinds, at the statement of this number."""
    after = ("delete", "leave")[number // 2 % 2]
    made = Trial(
        part="database", number=number, protocol=("imap", "pop3")[number // 4 % 2], after=after,
        create=True, plan=Plan(),
    )  # fmt: skip
    with scene(made, context.place) as at:
        at.server.heal()
        fails = _failure(context.place, number)
        with fails:
            _tried(at)
        connection.close()
        Duty.objects.filter(account=at.account).update(lease_owner="", lease_until=None)
        at.server.drop_connections()
        at.deliver(further(made.seed, 99))
        recovers(at)
        return examined(at)


def _tried(at: Scene) -> None:
    """What was raised is what a worker's loop would log."""
    try:
        collect(at.account, patient=False)
    except (DatabaseError, LeaseLost):
        at.failed = True
        connection.close()  # it may be one that the server has ended
    at.account.refresh_from_db()


def _failure(place: Path | str, number: int) -> Any:
    nth = number // 2 % STATEMENTS + 1
    if isinstance(place, Path):
        return _full(nth) if number % 2 else _locked(place, nth)
    return _terminated(place, nth, transaction_too=bool(number % 2))


@contextmanager
def _full(pages: int) -> Iterator[None]:
    """SQLite answers "database or disk is full" once it needs more than so many further pages."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        used = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {used + pages // 8}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def _locked(place: Path, nth: int) -> Iterator[None]:
    """Another connection takes the write lock at the nth statement and keeps it for longer than
    ours is willing to wait.
    """
    other = sqlite3.connect(place, timeout=5, check_same_thread=False, isolation_level=None)
    connection.ensure_connection()
    connection.connection.execute("PRAGMA busy_timeout = 100")
    free = threading.Event()

    def lock() -> None:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return  # ours has it this moment: this trial sees no failure
        free.wait(0.6)
        other.execute("ROLLBACK")

    thread = threading.Thread(target=lock)
    try:
        with _at_statement(nth, thread.start):
            yield
    finally:
        free.set()
        if thread.ident is not None:
            thread.join()
        other.close()
        connection.close()


@contextmanager
def _terminated(place: str, nth: int, *, transaction_too: bool) -> Iterator[None]:
    """The server ends our session just before the nth statement."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid

    def terminate() -> None:
        with psycopg.connect(place, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        if transaction_too:
            time.sleep(0.01)

    with _at_statement(nth, terminate):
        yield


@contextmanager
def _at_statement(nth: int, what: Callable[[], None]) -> Iterator[None]:
    """Calls `what` just before the statement of this number, from 1."""
    done = 0

    def counted(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal done
        done += 1
        if done == nth:
            what()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counted):
        yield
