"""`kill -9` in the middle of a backup or a restore: all is as before, or all is as after."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.config.conftest import Installation
from tests.config.test_backup import add_letters
from tests.config.test_backup_refusals import add_customers
from tests.database import DATABASE

OLD, NEW, LETTERS = 300, 2_000, 30
LONGEST = 60.0  # seconds
Moment = Callable[[Installation], bool]


@pytest.fixture
def backup(installed: Installation, tmp_path: Path) -> Path:
    """Of an installation with NEW customers and some letters, which then has OLD and none."""
    add_customers(installed, NEW)
    add_letters(installed, LETTERS)
    assert installed("backup", tmp_path / "backup").status == 0
    with looking(installed) as ask:
        ask("DELETE FROM intake_rawmessage")
        ask(f"DELETE FROM desk_customer WHERE id > {OLD}")
    assert held(installed) == (OLD, 0)
    return tmp_path / "backup"


@contextmanager
def looking(installed: Installation) -> Iterator[Callable[[str], list[tuple[int, ...]]]]:
    """A connection of nobody else's."""
    if DATABASE == "postgresql":
        url = installed.env["BUZON_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as server:

            def ask(query: str) -> list[tuple[int, ...]]:
                answer = server.execute(query.encode())
                return answer.fetchall() if answer.description else []

            yield ask
        return
    with closing(sqlite3.connect(installed.folder / "buzon.sqlite3", isolation_level=None)) as file:
        yield lambda query: file.execute(query).fetchall()


def held(installed: Installation) -> tuple[int, int]:
    """Customers and raw messages."""
    with looking(installed) as ask:
        if DATABASE == "sqlite":
            assert ask("PRAGMA integrity_check") == [("ok",)]
        ((customers,),) = ask("SELECT count(*) FROM desk_customer")
        ((letters,),) = ask("SELECT count(*) FROM intake_rawmessage")
    return customers, letters


def _new_file(size: int) -> Moment:
    def has_come(installed: Installation) -> bool:
        new = installed.folder / "buzon.sqlite3.restoring"
        return new.exists() and new.stat().st_size >= size

    return has_come


def _statement(beginning: str) -> Moment:
    def has_come(installed: Installation) -> bool:
        return beginning in _running(installed)

    return has_come


def _running(installed: Installation) -> str:
    """What others are asking of the database now, seen from another one of the same server."""
    name = installed.env["BUZON_DATABASE_URL"].rpartition("/")[2]
    with psycopg.connect(os.environ["TESTS_POSTGRES_URL"]) as server:
        found = server.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = %s "
            "AND backend_type = 'client backend'",
            [name],
        )
        return "".join(f"{query}\n" for (query,) in found)


MOMENTS: dict[str, Moment] = {
    "sqlite: tables": _new_file(1),
    "sqlite: rows": _new_file(3_000_000),
    "sqlite: in place": lambda installed: bool(list(installed.folder.glob("*.before-*"))),
    "postgresql: tables": _statement("CREATE TABLE"),
    "postgresql: rows": _statement("COPY"),
    "postgresql: after": _statement("ANALYZE"),
}
# The last step before all is there: between its sight and the signal it may end.
LAST = {"sqlite: in place", "postgresql: after"}


@pytest.mark.timeout(240)
def test_a_killed_restore_changes_nothing_or_all(installed: Installation, backup: Path) -> None:
    missed = []
    for name in [name for name in MOMENTS if name.startswith(DATABASE)]:
        killed = kill_at(MOMENTS[name], installed, "restore", backup, "--replace")
        missed += [] if killed else [name]
        now = held(installed)
        assert now in {(OLD, 0), (NEW, LETTERS)}, name
        assert now == (OLD, 0) or not killed or name in LAST, name
    assert len(missed) < 2, "a moment may be too short to be seen, not all of them"
    done = installed("restore", backup, "--replace")
    assert done.status == 0, done.error
    assert held(installed) == (NEW, LETTERS)
    assert not list(installed.folder.glob("*.restoring*"))


@pytest.mark.timeout(240)
def test_a_killed_backup_leaves_the_one_of_before(installed: Installation, backup: Path) -> None:
    before = backup.read_bytes()
    add_letters(installed, LETTERS)
    part = backup.with_name("backup.part")
    for size in (0, 2_000_000):
        assert kill_at(
            lambda _, size=size: part.exists() and part.stat().st_size > size,  # type: ignore[misc]
            installed, "backup", "--force", backup,
        )  # fmt: skip
        assert backup.read_bytes() == before
        assert part.stat().st_size > size, "it was killed in the middle"
    assert installed("backup", "--force", backup).status == 0
    assert backup.read_bytes() != before
    assert not part.exists()


def kill_at(moment: Moment, installed: Installation, *words: object) -> bool:
    """SIGKILL as soon as the moment has come; False where the command ended without being seen."""
    process = installed.start(*words)
    until = time.monotonic() + LONGEST
    while process.poll() is None and not moment(installed):
        assert time.monotonic() < until
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=LONGEST)
    await_no_other(installed)
    return process.returncode == -signal.SIGKILL


def await_no_other(installed: Installation) -> None:
    """PostgreSQL notices a moment later that its client is gone."""
    if DATABASE != "postgresql":
        return
    until = time.monotonic() + LONGEST
    while _running(installed):
        assert time.monotonic() < until
        time.sleep(0.05)
