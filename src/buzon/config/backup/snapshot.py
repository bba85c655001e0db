"""One consistent moment of the database, row by row, while others go on writing.

SQLite (WAL): a read transaction. It holds nobody up; what is written meanwhile stays in the -wal
file until it ends. SQLite's own backup call would begin anew with each commit of another process.
PostgreSQL: a REPEATABLE READ transaction, and COPY, which streams.

Memory is that of the largest row.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from django.db import connection, transaction

from buzon.config.backup.archive import OCTETS, Column
from buzon.config.backup.tables import Shape
from buzon.config.database_settings import LOCK_SECONDS
from buzon.config.refusal import InstallationError


class Snapshot(Protocol):
    """What both databases answer."""

    def value(self, query: str) -> Any:
        """The first value of the first row."""

    def last_id(self, shape: Shape) -> int | None:
        """The highest key that was ever given; None where the table gives none."""

    def rows(self, shape: Shape) -> Iterator[list[Any]]:
        """Values as `archive.KINDS` has them, octets as bytes. Raises InstallationError."""


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Of the database of the settings, until the end of the block."""
    if connection.vendor == "sqlite":
        with closing(_opened(Path(connection.settings_dict["NAME"]))) as opened:
            opened.execute("BEGIN")
            yield _Embedded(opened)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        wait_for_us(cursor)
        yield _Server(cursor)


def wait_for_us(cursor: Any) -> None:
    """Until this transaction of PostgreSQL's ends it waits for us however long the disk or the
    pipe takes, at the other end of which our backup is.
    """
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def _opened(file: Path) -> sqlite3.Connection:
    # Not Django's connection: it would make values of Python's of what we want as it is stored.
    opened = sqlite3.connect(
        f"file:{quote(str(file))}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=LOCK_SECONDS,
    )
    opened.execute("PRAGMA query_only=ON")
    return opened


class _Embedded:
    def __init__(self, opened: sqlite3.Connection) -> None:
        self._opened = opened

    def value(self, query: str) -> Any:
        return self._opened.execute(query).fetchone()[0]

    def last_id(self, shape: Shape) -> int | None:
        found = self._opened.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [shape.name])
        row = found.fetchone()
        return None if row is None else int(row[0])

    def rows(self, shape: Shape) -> Iterator[list[Any]]:
        names = ", ".join(quoted(column.name) for column in shape.columns)
        changes = [
            (place, _FROM_SQLITE[column.kind])
            for place, column in enumerate(shape.columns)
            if column.kind in _FROM_SQLITE
        ]
        sound: set[tuple[type, ...]] = set()
        for found in self._opened.execute(f"SELECT {names} FROM {quoted(shape.name)}"):  # noqa: S608 # names of ours
            types = tuple(map(type, found))
            if types not in sound:
                _check_types(shape, found)
                sound.add(types)
            row = list(found)
            for place, change in changes:
                if row[place] is not None:
                    row[place] = change(row[place])
            yield row


class _Server:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def value(self, query: str) -> Any:
        self._cursor.execute(query)
        return self._cursor.fetchone()[0]

    def last_id(self, shape: Shape) -> int | None:
        self._cursor.execute(
            "SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass)",
            [quoted(shape.name), shape.key],
        )
        found = self._cursor.fetchone()[0]
        return None if found is None else int(found)

    def rows(self, shape: Shape) -> Iterator[list[Any]]:
        times = [n for n, column in enumerate(shape.columns) if column.kind == "time"]
        expressions = ", ".join(_expression(column) for column in shape.columns)
        query = f"COPY (SELECT {expressions} FROM {quoted(shape.name)}) TO STDOUT (FORMAT binary)"  # noqa: S608 # names of ours
        with self._cursor.copy(query) as copy:
            copy.set_types([_WIRE_TYPES.get(column.kind, "text") for column in shape.columns])
            for found in copy.rows():
                row = list(found)
                for place in times:
                    if row[place] is not None:
                        row[place] = row[place].removesuffix(".000000")
                yield row


_WIRE_TYPES = {"integer": "int8", "number": "float8", "boolean": "bool", OCTETS: "bytea"}
_EXPRESSIONS = {
    "integer": "{}::int8",
    "number": "{}::float8",
    "boolean": "{}",
    "address": "host({})",
    "time": "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    "date": "to_char({}, 'YYYY-MM-DD')",
    OCTETS: "{}",
}


def _expression(column: Column) -> str:
    return _EXPRESSIONS.get(column.kind, "{}::text").format(quoted(column.name))


_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (float, int),
    "boolean": (int,),
    OCTETS: (bytes,),
}


def _check_types(shape: Shape, row: tuple[Any, ...]) -> None:
    """SQLite keeps what it is given, whatever the column's type; PostgreSQL would refuse it later,
    when the backup is the only thing that is left.
    """
    for column, value in zip(shape.columns, row, strict=True):
        if value is not None and not isinstance(value, _TYPES.get(column.kind, (str,))):
            raise _senseless(shape.name, column.name, value)


def _moment(written: str) -> str:
    """Django writes six digits of a second or none; SQLite's own clock writes three."""
    if len(written) in (19, 26):
        return written
    try:
        return str(datetime.fromisoformat(written))
    except ValueError:
        raise InstallationError(
            f"The database holds {written!r} where a time is expected; `buzon doctor` says more."
        ) from None


def _senseless(table: str, column: str, value: object) -> InstallationError:
    return InstallationError(
        f"The database is damaged: {column} of a row of {table} holds "
        f"{type(value).__name__} {str(value)[:40]!r}; `buzon doctor` says more."
    )


_FROM_SQLITE: dict[str, Callable[[Any], Any]] = {"boolean": bool, "time": _moment}


def quoted(name: str) -> str:
    """An identifier for both databases."""
    return '"' + name.replace('"', '""') + '"'
