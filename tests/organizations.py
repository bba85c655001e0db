"""Whose each row is, told by the tables themselves: a new table needs no mention here."""

from typing import Any

from django.apps import apps
from django.db.models import F, ForeignKey, Model

from buzon.desk.models import Organization
from buzon.intake.models import Traffic
from buzon.web.models import FailedTry

Rows = dict[str, list[dict[str, Any]]]
# Written before anybody knows who it is, and without any name; and what a server was asked for,
# whoever asked.
NOBODYS = {FailedTry, Traffic}


def tables() -> list[type[Model]]:
    """All of ours, but those that are about nobody."""
    ours = [one for one in apps.get_models() if one.__module__.startswith("buzon.")]
    return [one for one in ours if one not in NOBODYS]


def way_home(table: type[Model]) -> str | None:
    """The look-up from a row to its organization's key; None where there is none."""
    if table is Organization:
        return "pk"
    kept = [field for field in _references(table) if not field.null]
    for field in sorted(kept, key=lambda field: field.related_model is not Organization):
        onwards = way_home(field.related_model)
        if onwards is not None:
            return f"{field.name}__{onwards}"
    return None


def rows_of(organization: Organization) -> Rows:
    """Every row of every table, as it is now."""
    return {
        table.__name__: list(
            table._base_manager.filter(**{str(way_home(table)): organization.pk})
            .order_by("pk")
            .values()
        )
        for table in tables()
    }


def crossings() -> list[str]:
    """Rows that point to a row of another organization: there is never one."""
    found = []
    for table in tables():
        for field in _references(table):
            theirs = f"{field.name}__{way_home(field.related_model)}"
            pointing = table._base_manager.exclude(**{field.name: None})
            across = pointing.exclude(**{theirs: F(str(way_home(table)))})
            found += [f"{table.__name__} {pk}: {field.name}" for pk in across.values_list("pk")]
    return found


def _references(table: type[Model]) -> "list[ForeignKey[Any, Any]]":
    """Foreign keys, those that are one-to-one too."""
    return [field for field in table._meta.concrete_fields if isinstance(field, ForeignKey)]
