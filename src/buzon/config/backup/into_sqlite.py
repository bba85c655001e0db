"""A backup into SQLite: a new file beside the old one, which then takes its place.

    FILE.restoring  ─filled, checked, fsync─▶  FILE
    FILE  ─▶  FILE.before-<moment>                    what was there is kept

A process that is killed on the way leaves the old database as it was, and a file that the next
restore removes.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from django.db import connections

from buzon.config.backup.archive import Archive, Table
from buzon.config.backup.loading import (
    batches,
    bring_up_to_date,
    changes,
    check_migrations,
    make_tables,
    statements_after,
)
from buzon.config.backup.make import Watch, sync_folder
from buzon.config.backup.room import check_room, writing
from buzon.config.backup.snapshot import quoted
from buzon.config.refusal import InstallationError

_ALIAS = "restoring"
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database
_TO_SQLITE = {"boolean": int}


def load_into_sqlite(archive: Archive, file: Path, *, watch: Watch) -> Path | None:
    """The database `file` becomes what the backup holds. Returns where the old one is kept, or None
    where there was none. Raises InstallationError; then all is as before.
    """
    check_migrations(archive.header)
    check_room(file.parent, archive.header.octets)
    new = file.with_name(file.name + ".restoring")
    _remove(new)
    try:
        with _at(new):
            make_tables(archive.header, _ALIAS)
            connections[_ALIAS].close()
            _fill(new, archive, watch)
            bring_up_to_date(archive.header, _ALIAS)
        _finish(new)
        return _put_in_place(new, file)
    finally:
        _remove(new)


@contextmanager
def _at(new: Path) -> Iterator[None]:
    """Django knows the new file under a name of its own."""
    connections.databases[_ALIAS] = connections.databases["default"] | {"NAME": str(new)}
    try:
        yield
    finally:
        connections[_ALIAS].close()
        del connections[_ALIAS]
        del connections.databases[_ALIAS]


def _fill(new: Path, archive: Archive, watch: Watch) -> None:
    with closing(sqlite3.connect(new, isolation_level=None)) as opened:
        # Nobody else has this file, and after a crash it is made anew: no journal, no waiting.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-64000"):
            opened.execute(f"PRAGMA {pragma}")
        opened.execute("BEGIN")
        for table, rows in archive.tables():
            statement = _insert(table)
            change = changes(table, _TO_SQLITE)
            for batch in batches(rows, table.octet_places):
                change(batch)
                opened.executemany(statement, batch)
                watch("restoring", len(batch), archive.header.rows)
            _keep_last_id(opened, table)
        for after in statements_after(archive.header):
            opened.execute(after)
        opened.execute("COMMIT")
        _check_references(opened)


def _insert(table: Table) -> str:
    names = ", ".join(quoted(column.name) for column in table.columns)
    places = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {quoted(table.name)} ({names}) VALUES ({places})"  # noqa: S608 # names that `make_tables` knows


def _keep_last_id(opened: sqlite3.Connection, table: Table) -> None:
    given = opened.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", [table.name])
    highest = max(given.fetchone()[0] or 0, table.last_id or 0)
    opened.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table.name])
    opened.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table.name, highest])


def _check_references(opened: sqlite3.Connection) -> None:
    broken = opened.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise InstallationError(
            f"The backup does not hold together: a row of {broken[0]} points to one of {broken[2]} "
            "that is not there; restore another backup."
        )


def _finish(new: Path) -> None:
    """One file, and on the disk."""
    with closing(sqlite3.connect(new)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
    with writing(new), new.open("rb+") as file:
        os.fsync(file.fileno())


def _put_in_place(new: Path, file: Path) -> Path | None:
    if not file.exists():
        with writing(file):
            new.rename(file)
            sync_folder(file.parent)
        return None
    _release(file)
    kept = _kept_name(file)
    with writing(kept):
        # First under both names, so that a crash at any point leaves the old database somewhere,
        # whole. Of one that is sound nothing is left in its -wal here.
        for beside in ("", *_BESIDE):
            with contextlib.suppress(FileNotFoundError):
                os.link(f"{file}{beside}", f"{kept}{beside}")
        sync_folder(file.parent)
        for beside in _BESIDE:  # SQLite would take them for those of the new database
            Path(f"{file}{beside}").unlink(missing_ok=True)
        sync_folder(file.parent)
        new.replace(file)
        sync_folder(file.parent)
    return kept


def _release(file: Path) -> None:
    """Everything into the one file, which SQLite does only where nobody else has it open."""
    try:
        with closing(sqlite3.connect(file, timeout=1)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InstallationError(
                f"Another program is using the database {file}, a buzon command perhaps; "
                "stop it first."
            ) from None
    except sqlite3.DatabaseError:
        return  # it is damaged, which may be why a backup is restored: it is kept as it is


def _kept_name(file: Path) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    first = file.with_name(f"{file.name}.before-{moment}")
    names = chain([first], (first.with_name(f"{first.name}-{n}") for n in count(2)))
    return next(path for path in names if not path.exists())


def _remove(new: Path) -> None:
    for beside in ("", *_BESIDE):
        Path(f"{new}{beside}").unlink(missing_ok=True)
