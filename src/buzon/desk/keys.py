"""Keys of rows that are still to be stored.

A letter, its conversation, its customer and the assignment refer to each other before any of them
is a row: their keys are taken from the database's own sequences, for a whole batch at a time. A key
that is not used in the end is never used again, as after a transaction that was rolled back.
"""

from collections.abc import Iterator

from django.db import connection
from django.db.models import Model


class Keys:
    """Keys for rows of these models, `count` of each at a time, in the caller's transaction."""

    def __init__(self, count: int, *models: type[Model]) -> None:
        self._count = count
        self._tables = [model._meta.db_table for model in models]
        self._taken: dict[str, Iterator[int]] = {}

    def next(self, model: type[Model]) -> int:
        """A key that no other row of this model has or will have."""
        table = model._meta.db_table
        key = next(self._taken.get(table, iter(())), None)
        if key is None:
            take = _from_sequences if connection.vendor == "postgresql" else _from_sqlite
            wanted = [table] if table in self._taken else self._tables
            self._taken |= take(wanted, self._count)
            key = next(self._taken[table])
        return key


def _from_sequences(tables: list[str], count: int) -> dict[str, Iterator[int]]:
    values = ", ".join(f"nextval(pg_get_serial_sequence('{table}', 'id'))" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {values} FROM generate_series(1, %s)", [count])  # noqa: S608
        columns = zip(*cursor.fetchall(), strict=True)
        return {table: iter(column) for table, column in zip(tables, columns, strict=True)}


def _from_sqlite(tables: list[str], count: int) -> dict[str, Iterator[int]]:
    """The table in which SQLite keeps the highest key that an AUTOINCREMENT has given is an
    ordinary one (sqlite.org/autoinc.html); it has no row before the first.
    """
    places = ", ".join(["%s"] * len(tables))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE sqlite_sequence SET seq = seq + %s WHERE name IN ({places})",  # noqa: S608
            [count, *tables],
        )
        cursor.execute(
            f"SELECT name, seq FROM sqlite_sequence WHERE name IN ({places})",  # noqa: S608
            tables,
        )
        highest = dict(cursor.fetchall())
        first = [(table, count) for table in tables if table not in highest]
        if first:
            cursor.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", first)
            highest |= dict(first)
    return {table: iter(range(last - count + 1, last + 1)) for table, last in highest.items()}
