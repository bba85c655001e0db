"""Many rows in one statement: how a batch of letters is stored.

SQLite runs one prepared statement for row after row; PostgreSQL gets each column as an array and
does them all at once. The ORM's own way costs several times as much for the same rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from django.db import connection
from django.db.models import (
    BinaryField,
    CharField,
    DateTimeField,
    Field,
    JSONField,
    Model,
    TextField,
)
from django.utils import timezone

_T = TypeVar("_T")
_Field: TypeAlias = "Field[Any, Any]"
_PIECE = 5_000  # values in one statement


def insert_rows(
    model: type[Model],
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    or_leave: bool = False,
) -> int:
    """Store new rows, each the values of these fields, in their order; how many were stored.

    Without "pk" the database gives the keys. Fields that are left out get their default.
    `or_leave`: what breaks a unique constraint is left out; else IntegrityError is raised.
    """
    if not rows:
        return 0
    fields = [_field(model, name) for name in names]
    left = [one for one in _with_default(model) if one not in fields]
    values = [_default(field) for field in left]
    columns = ", ".join(map(_column, [*fields, *left]))
    statement = f"INSERT INTO {model._meta.db_table} ({columns}) "
    statement += _values_of([*fields, *left]) + (" ON CONFLICT DO NOTHING" if or_leave else "")
    return _run(statement, [*fields, *left], [(*row, *values) for row in rows])


def insert_objects(rows: Sequence[Model]) -> None:
    """Store new rows of one model that are objects already, with their keys."""
    if not rows:
        return
    fields = [*type(rows[0])._meta.concrete_fields]
    now = timezone.now()
    values = [[_of_object(field, row, now) for field in fields] for row in rows]
    insert_rows(type(rows[0]), [field.name for field in fields], values)
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> int:
    """Store these fields of these rows; how many were found."""
    if not rows:
        return 0
    model = type(rows[0])
    fields = [_key(model), *(_field(model, name) for name in names)]
    values = [[getattr(row, field.attname) for field in fields] for row in rows]
    changes = {_column(field): "{" + field.name + "}" for field in fields[1:]}
    return change_rows(model, {field.name: field.name for field in fields[1:]}, values, changes)


def change_rows(
    model: type[Model],
    given: Mapping[str, str],
    rows: Sequence[Sequence[Any]],
    changes: Mapping[str, str],
    *,
    condition: str = "",
    by: str = "pk",
) -> int:
    """Change many rows by one rule; how many it applied to.

    Each of `rows` is a key (compared with the field `by`), and the values that `given` names: name
    → the field whose type the value has. `changes` is column → SQL, in which {name} stands for this
    row's value; so it does in `condition`, under which alone a row is changed.
    """
    if not rows:
        return 0
    fields = [_field(model, by), *(_field(model, name) for name in given.values())]
    aliases = ["key_of_row", *(f"new_{name}" for name in given)]
    here = "given.{}" if connection.vendor == "postgresql" else "%({})s"
    words = {name: here.format(f"new_{name}") for name in given}
    told = ", ".join(f"{column} = {sql.format_map(words)}" for column, sql in changes.items())
    statement = f"UPDATE {model._meta.db_table} SET {told}"  # noqa: S608 - our own columns
    if connection.vendor == "postgresql":
        statement += f" FROM {_arrays(fields)} AS given({', '.join(aliases)})"
    statement += f" WHERE {model._meta.db_table}.{_column(fields[0])} = {here.format('key_of_row')}"
    statement += f" AND ({condition.format_map(words)})" if condition else ""
    return _run(statement, fields, rows, aliases)


def in_pieces(values: Iterable[_T]) -> Iterator[list[_T]]:
    """The values, each once, in lists that fit into a statement."""
    rest = iter(dict.fromkeys(values))
    while piece := list(islice(rest, _PIECE)):
        yield piece


def _run(
    statement: str,
    fields: "list[_Field]",
    rows: Sequence[Sequence[Any]],
    aliases: Sequence[str] = (),
) -> int:
    """Values by their place, or where there are `aliases` by those (PostgreSQL: columns anyway)."""
    convert = [_converter(field) for field in fields]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = zip(convert, zip(*rows, strict=True), strict=True)
            cursor.execute(statement, [list(map(to, column)) for to, column in columns])
        else:
            each = [[to(one) for to, one in zip(convert, row, strict=True)] for row in rows]
            named = [dict(zip(aliases, row, strict=True)) for row in each] if aliases else each
            cursor.executemany(statement, named)
        return int(cursor.rowcount)


def _values_of(fields: "list[_Field]") -> str:
    if connection.vendor == "postgresql":
        return f"SELECT * FROM {_arrays(fields)}"  # noqa: S608 - our own columns
    return "VALUES (" + ", ".join(["%s"] * len(fields)) + ")"


def _arrays(fields: "list[_Field]") -> str:
    return "unnest(" + ", ".join(map(_array, fields)) + ")"


def _array(field: "_Field") -> str:
    # As text, octets would be twice as many.
    return f"{'%b' if isinstance(field, BinaryField) else '%s'}::{_type_of(field)}[]"


def _type_of(field: "_Field") -> str:
    # A cast to varchar(n) would cut silently what is too long.
    return "text" if isinstance(field, CharField | TextField) else str(field.db_type(connection))


def _column(field: "_Field") -> str:
    assert field.column is not None, "a concrete field has one"
    return field.column


def _with_default(model: type[Model]) -> "list[_Field]":
    """The fields whose value nobody has to say; NULL is what the database gives by itself."""
    fields = model._meta.concrete_fields
    return [field for field in fields if field.has_default() or _is_now(field)]


def _default(field: "_Field") -> Any:
    return timezone.now() if _is_now(field) else field.get_default()


def _of_object(field: "_Field", row: Model, now: datetime) -> Any:
    if _is_now(field):
        setattr(row, field.attname, now)
    return getattr(row, field.attname)


def _is_now(field: "_Field") -> bool:
    return isinstance(field, DateTimeField) and field.auto_now_add


def _converter(field: "_Field") -> Callable[[Any], Any]:
    if isinstance(field, DateTimeField):
        return connection.ops.adapt_datetimefield_value
    return json.dumps if isinstance(field, JSONField) else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _key(model: type[Model]) -> "_Field":
    return _field(model, "pk")


def _field(model: type[Model], name: str) -> "_Field":
    key = model._meta.pk
    field = key if name == "pk" else model._meta.get_field(name)
    assert isinstance(field, Field)
    return field
