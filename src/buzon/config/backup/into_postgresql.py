"""A backup into PostgreSQL: in one transaction the old tables go, and the backup's come.

A process that is killed on the way, or a server that stops, leaves everything as it was.
"""

from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from buzon.config import database
from buzon.config.backup.archive import Archive, Table
from buzon.config.backup.loading import (
    batches,
    bring_up_to_date,
    changes,
    check_migrations,
    make_tables,
    statements_after,
    tables_of,
)
from buzon.config.backup.make import Watch
from buzon.config.backup.snapshot import quoted, wait_for_us
from buzon.config.backup.tables import leaves
from buzon.config.refusal import InstallationError

_ALIAS = "default"
_OTHERS_DEPEND = "2BP01"  # dependent_objects_still_exist
_TO_POSTGRESQL = {"time": lambda written: written + "+00"}


def load_into_postgresql(archive: Archive, *, watch: Watch) -> None:
    """The database of the settings becomes what the backup holds; what was there is gone. Raises
    InstallationError; then all is as before.
    """
    check_migrations(archive.header)
    with (
        database.locked(),
        database.translated(),
        connection.wrap_database_errors,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        wait_for_us(cursor)
        _check_alone(cursor)
        _drop_tables(cursor)
        make_tables(archive.header, _ALIAS)
        _fill(cursor, archive, watch)
        bring_up_to_date(archive.header, _ALIAS)


def _check_alone(cursor: Any) -> None:
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    (others,) = cursor.fetchone()
    if others:
        raise InstallationError(
            f"Other programs are connected to the database ({others}); stop Buzón on every "
            "machine, and whatever else uses this database."
        )


def _drop_tables(cursor: Any) -> None:
    loader = MigrationLoader(connection)
    applied = [one for one in loader.applied_migrations if one in loader.graph.nodes]
    ours = tables_of(loader.project_state(leaves(loader, applied))) | {"django_migrations"}
    there = ours & set(connection.introspection.table_names(cursor))
    if not there:
        return
    try:  # all at once, because they point to each other
        cursor.execute(f"DROP TABLE {', '.join(map(quoted, sorted(there)))}")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != _OTHERS_DEPEND:
            raise
        raise InstallationError(
            "Something else in the database, a view perhaps, is built on Buzón's tables, which "
            "the backup replaces; remove it first."
        ) from error


def _fill(cursor: Any, archive: Archive, watch: Watch) -> None:
    # Checked by each statement: the server would otherwise keep a note for every row in memory
    # until the end. The tables come in an order in which that holds.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table, rows in archive.tables():
        change = changes(table, _TO_POSTGRESQL)
        for batch in batches(rows, table.octet_places):
            change(batch)
            _copy(cursor, table, batch)
            watch("restoring", len(batch), archive.header.rows)
        _keep_last_id(cursor, table)
    for after in statements_after(archive.header):
        cursor.execute(after)
    cursor.execute(f"ANALYZE {', '.join(quoted(table.name) for table in archive.header.tables)}")


def _copy(cursor: Any, table: Table, rows: list[list[Any]]) -> None:
    names = ", ".join(quoted(column.name) for column in table.columns)
    try:
        with cursor.copy(f"COPY {quoted(table.name)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError) as error:
        told = str(error).strip().splitlines()[0].rstrip(".")
        raise InstallationError(
            f"A row of {table.name} in the backup does not fit into PostgreSQL ({told}); "
            "nothing was changed."
        ) from error


def _keep_last_id(cursor: Any, table: Table) -> None:
    cursor.execute(
        "SELECT setval(pg_get_serial_sequence(%s, %s)::regclass, "  # noqa: S608 # names that `make_tables` knows
        f"greatest((SELECT max({quoted(table.key)}) FROM {quoted(table.name)}), %s::bigint))",
        [quoted(table.name), table.key, table.last_id],
    )
