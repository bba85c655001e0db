"""Rows of a backup into empty tables, on either database; what both ways of it share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from buzon.config.backup.archive import Header, Table
from buzon.config.backup.snapshot import quoted
from buzon.config.backup.tables import LEFT_OUT, MADE_ANEW, leaves
from buzon.config.refusal import InstallationError

_NOT_LOADED = {one._meta.db_table for one in LEFT_OUT}
_MOST_ROWS = 5_000
_MOST_OCTETS = 16_000_000

Rows = list[list[Any]]


def check_migrations(header: Header) -> None:
    """Refuse a backup of a newer version. Raises InstallationError."""
    known = set(MigrationLoader(None).disk_migrations)
    if set(header.migrations) - known:
        raise InstallationError(
            f"The backup is of a newer version of Buzón ({header.buzon}) than this program; "
            "install that version first."
        )


def make_tables(header: Header, alias: str) -> None:
    """Empty tables as they were when the backup was made. Raises InstallationError."""
    executor = MigrationExecutor(connections[alias])
    state = executor.migrate(leaves(executor.loader, header.migrations))
    made = _columns(alias, tables_of(state) - _NOT_LOADED)
    written = {table.name: {column.name for column in table.columns} for table in header.tables}
    if made != written:
        differ = sorted(
            name for name in made.keys() | written if made.get(name) != written.get(name)
        )
        raise InstallationError(
            f"The backup's tables are not those of this version of Buzón ({', '.join(differ)}); "
            f"restore it with version {header.buzon}."
        )


def bring_up_to_date(header: Header, alias: str) -> None:
    """What came after the backup's version is done to its rows now; nothing where that is this."""
    executor = MigrationExecutor(connections[alias])
    if set(executor.loader.graph.nodes) - set(header.migrations):
        call_command("migrate", database=alias, interactive=False, verbosity=0)


def batches(rows: Iterable[list[Any]], octet_places: tuple[int, ...]) -> Iterator[Rows]:
    """Some rows at a time, so many that memory stays bounded."""
    batch: Rows = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(row[place]) for place in octet_places if row[place] is not None)
        if len(batch) >= _MOST_ROWS or size >= _MOST_OCTETS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def changes(table: Table, by_kind: Mapping[str, Callable[[Any], Any]]) -> Callable[[Rows], None]:
    """What turns a table's rows, in place, into what a database takes."""
    places = [
        (place, by_kind[column.kind])
        for place, column in enumerate(table.columns)
        if column.kind in by_kind
    ]

    def change(rows: Rows) -> None:
        for row in rows:
            for place, changed in places:
                if row[place] is not None:
                    row[place] = changed(row[place])

    return change


def statements_after(header: Header) -> Iterator[str]:
    """What is not true any more of rows that come from a backup: nobody works on them."""
    for table in header.tables:
        if {"lease_owner", "lease_until"} <= {column.name for column in table.columns}:
            yield f"UPDATE {quoted(table.name)} SET lease_owner = '', lease_until = NULL"  # noqa: S608 # a name of ours


def tables_of(state: ProjectState) -> set[str]:
    """The tables of all models as some migrations left them."""
    models = state.apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models}


def _columns(alias: str, tables: set[str]) -> dict[str, set[str]]:
    describe = connections[alias].introspection.get_table_description
    with connections[alias].cursor() as cursor:
        made = {table: {column.name for column in describe(cursor, table)} for table in tables}
    return {table: names - MADE_ANEW.get(table, frozenset()) for table, names in made.items()}
