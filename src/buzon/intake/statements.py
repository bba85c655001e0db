"""The statements that run for every message, without the ORM.

An UPDATE with a CASE for each row and column, as the ORM would build it, costs ten times as much,
an INSERT three times.
"""

from collections.abc import Sequence

from buzon.desk.keys import Keys
from buzon.desk.rows import insert_objects, update_rows
from buzon.intake.models import Arrival

_AT_ONCE = 2_000  # rows in one statement: a listing by POP3 may bring a hundred thousand


def insert_arrivals(rows: Sequence[Arrival]) -> None:
    """Store new rows, in the caller's fenced transaction; each gets its key."""
    keys = Keys(len(rows), Arrival)
    for row in rows:
        row.pk = keys.next(Arrival)
    for start in range(0, len(rows), _AT_ONCE):
        insert_objects(rows[start : start + _AT_ONCE])


def update_arrivals(rows: Sequence[Arrival], names: Sequence[str]) -> None:
    """Store these fields of these rows, in the caller's fenced transaction."""
    update_rows(rows, names)
