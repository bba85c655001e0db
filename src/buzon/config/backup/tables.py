"""What is backed up: every table of ours, each after those that its rows point to."""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field, Model

from buzon.config.backup.archive import Column
from buzon.desk.models import SearchEntry

# Who was signed in then is nobody's business later, and whoever holds a session's key is in.
LEFT_OUT: tuple[type[Model], ...] = (Session,)
# Columns that the database fills by itself: after a restore every entry waits to be indexed anew,
# on whichever database it is then.
MADE_ANEW: dict[str, frozenset[str]] = {
    SearchEntry._meta.db_table: frozenset({"waits", "words"}),
}

_KINDS = {
    "AutoField": "integer",
    "BigAutoField": "integer",
    "IntegerField": "integer",
    "BigIntegerField": "integer",
    "SmallIntegerField": "integer",
    "PositiveIntegerField": "integer",
    "PositiveBigIntegerField": "integer",
    "PositiveSmallIntegerField": "integer",
    "FloatField": "number",
    "BooleanField": "boolean",
    "CharField": "text",
    "SlugField": "text",
    "TextField": "text",
    "GenericIPAddressField": "address",
    "JSONField": "json",
    "DateTimeField": "time",
    "DateField": "date",
    "BinaryField": "octets",
}

Migration = tuple[str, str]  # application, name


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as the models have it; `key` is its primary key's column."""

    name: str
    key: str
    columns: tuple[Column, ...]


def shapes() -> list[Shape]:
    """Every table, those that are pointed to first. Raises LookupError for a field of a type that
    no backup knows yet.
    """
    models = [model for model in apps.get_models(include_auto_created=True) if _is_kept(model)]
    return [_shape(model) for model in _in_order(models)]


def leaves(loader: MigrationLoader, migrations: Iterable[Migration]) -> list[Migration]:
    """The last ones of each application, after which all of `migrations` are done, and no others.

    Django would undo what comes after a target that is not the last.
    """
    done = set(migrations)
    return [one for one in sorted(done) if not _children(loader, one) & done]


def _children(loader: MigrationLoader, migration: Migration) -> set[Migration]:
    children = {child.key for child in loader.graph.node_map[migration].children}
    return {child for child in children if child[0] == migration[0]}


def _is_kept(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy and model not in LEFT_OUT


def _in_order(models: list[type[Model]]) -> list[type[Model]]:
    sorter: TopologicalSorter[type[Model]] = TopologicalSorter()
    for model in models:
        pointed_to = {f.related_model for f in _fields(model) if f.is_relation}
        sorter.add(model, *(one for one in models if one in pointed_to - {model}))
    return list(sorter.static_order())


def _shape(model: type[Model]) -> Shape:
    columns = tuple(Column(str(field.column), _kind(field)) for field in _fields(model))
    return Shape(model._meta.db_table, str(model._meta.pk.column), columns)


def _fields(model: type[Model]) -> "list[Field[Any, Any]]":
    made_anew = MADE_ANEW.get(model._meta.db_table, frozenset())
    return [one for one in model._meta.local_concrete_fields if one.column not in made_anew]


def _kind(field: Any) -> str:
    while field.is_relation:
        field = field.target_field
    return _KINDS[field.get_internal_type()]
