"""The one statement that runs for every message, as SQL.

One UPDATE a row, all in one go: an UPDATE with a CASE for each row and column, as the ORM would
build it, costs ten times as much. The same on SQLite and PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field

from buzon.intake.models import Arrival


def update_arrivals(rows: Sequence[Arrival], names: Sequence[str]) -> None:
    """Store these fields of these rows, in the caller's fenced transaction."""
    if not rows:
        return
    fields: list[Field[Any, Any]] = [_field(name) for name in names]
    changes = ", ".join(f"{field.column} = %s" for field in fields)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE intake_arrival SET {changes} WHERE id = %s",  # noqa: S608 - our own columns
            [[*_values(row, fields), row.pk] for row in rows],
        )


def _field(name: str) -> "Field[Any, Any]":
    field = Arrival._meta.get_field(name)
    assert isinstance(field, Field)
    return field


def _values(row: Arrival, fields: "Sequence[Field[Any, Any]]") -> list[Any]:
    return [
        field.get_db_prep_save(getattr(row, field.attname), connection=connection)
        for field in fields
    ]
