"""A database that fails under the collector: full, locked, cut off, or restarted, for real.

SQLite: from the nth statement on the file may not grow (`max_page_count`), or another connection
holds the write lock. PostgreSQL: at the nth statement the server ends the collector's session
(`pg_terminate_backend`), refuses it as it does where transactions conflict or its disk is full,
or restarts; or the answer to the nth COMMIT never comes, though the server has done it. What the
collector does then is its own affair; afterwards two collections put everything right.
"""

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from buzon.lease import LeaseLost
from tests.chaos.mail import further
from tests.chaos.trial import Scene, Trial, collect, examined, honest, recovers
from tests.servers.faults import Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

# Of a collection of such a trial: at most 161 and 17. A restart takes a second, so not at each.
STATEMENTS, COMMITS, RESTARTS = range(1, 165), range(1, 20), range(1, 165, 12)
CORNERS = tuple(itertools.product(("imap", "pop3"), ("delete", "leave")))
SHUFFLE = 577  # a prime larger than the subset: neighbours are of every corner, kind and place

Failure = Callable[["Context", int], AbstractContextManager[None]]
Case = tuple[str, str, Failure, int]  # protocol, after, what fails, at which statement


def count(context: "Context") -> int:
    """Each kind of failure at every statement, over both protocols, keeping and deleting."""
    return len(_cases(context.database))


def trial(context: "Context", number: int) -> list[str]:
    """The case of this number."""
    cases = _cases(context.database)
    protocol, after, failure, nth = cases[number * SHUFFLE % len(cases)]
    made = Trial(
        part="database", number=number, protocol=protocol, after=after, create=True, plan=Plan()
    )
    with honest(made, context.place) as at:
        with failure(context, nth):
            _tried(at)
        connection.close()
        at.account.refresh_from_db()
        at.server.drop_connections()
        at.deliver(further(made.seed, 99))
        recovers(at)
        return examined(at)


@cache
def _cases(database: str) -> tuple[Case, ...]:
    cases = tuple(
        (protocol, after, failure, nth)
        for protocol, after in CORNERS
        for failure, places in _KINDS[database]
        for nth in places
    )
    assert len(cases) % SHUFFLE
    return cases


def _tried(at: Scene) -> None:
    """What was raised is what a worker's loop would log."""
    try:
        collect(at.account, patient=False)
    except (DatabaseError, InterfaceError, LeaseLost):
        connection.close()  # it may be one that the server has ended


# --- SQLite


@contextmanager
def _full(context: "Context", nth: int) -> Iterator[None]:
    """SQLite answers "database or disk is full" where it needs a further page, from there on."""

    def fill() -> None:
        raw = connection.connection
        used = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {used}")

    try:
        with _at_statement(nth, fill):
            yield
    finally:
        connection.close()  # the limit is the connection's


@contextmanager
def _locked(context: "Context", nth: int) -> Iterator[None]:
    """Another connection takes the write lock at the nth statement and keeps it for longer than
    ours is willing to wait.
    """
    assert isinstance(context.place, Path)
    other = sqlite3.connect(context.place, timeout=5, check_same_thread=False, isolation_level=None)
    connection.ensure_connection()
    connection.connection.execute("PRAGMA busy_timeout = 100")
    locked, free = threading.Event(), threading.Event()

    def lock() -> None:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return  # ours has it this moment: this trial sees no failure
        locked.set()
        free.wait(0.6)
        other.execute("ROLLBACK")

    def begin() -> None:
        thread.start()
        if not connection.in_atomic_block:
            locked.wait(1)

    thread = threading.Thread(target=lock)
    try:
        with _at_statement(nth, begin):
            yield
    finally:
        free.set()
        if thread.ident is not None:
            thread.join()
        other.close()
        connection.close()


# --- PostgreSQL


@contextmanager
def _terminated(context: "Context", nth: int) -> Iterator[None]:
    """The server ends our session just before the nth statement."""

    def terminate() -> None:
        pid = connection.connection.info.backend_pid
        with psycopg.connect(str(context.place), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with _at_statement(nth, terminate):
        yield


@contextmanager
def _refused(context: "Context", nth: int, *, state: str) -> Iterator[None]:
    """The server itself raises this SQLSTATE at the nth statement."""

    def refuse() -> None:
        text = f"DO $$ BEGIN RAISE EXCEPTION 'for the trial' USING ERRCODE = '{state}'; END $$"
        with connection.cursor() as cursor:
            cursor.execute(text)

    with _at_statement(nth, refuse):
        yield


@contextmanager
def _unanswered(context: "Context", nth: int) -> Iterator[None]:
    """The nth COMMIT is done, and the connection breaks before the answer."""
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
    done = 0

    def counted(wrapper: Any) -> None:
        nonlocal done
        done += 1
        commit(wrapper)
        if done == nth:
            wrapper.connection.close()
            raise OperationalError("server closed the connection unexpectedly")

    BaseDatabaseWrapper._commit = counted  # type: ignore[attr-defined]
    try:
        yield
    finally:
        BaseDatabaseWrapper._commit = commit  # type: ignore[attr-defined]


@contextmanager
def _restarted(context: "Context", nth: int) -> Iterator[None]:
    """An operator restarts the server just before the nth statement."""
    assert context.cluster is not None
    with _at_statement(nth, context.cluster.restart):
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


_KINDS: dict[str, tuple[tuple[Failure, range], ...]] = {
    "sqlite": ((_full, STATEMENTS), (_locked, STATEMENTS)),
    "postgresql": (
        (_terminated, STATEMENTS),
        (partial(_refused, state="40001"), STATEMENTS),  # serialization_failure
        (partial(_refused, state="53100"), STATEMENTS),  # disk_full
        (_unanswered, COMMITS),
        (_restarted, RESTARTS),
    ),
}
