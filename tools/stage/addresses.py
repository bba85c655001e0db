"""Every address of the pages, with real rows in it, and as whom it is looked at.

It walks `buzon.web.urls`: a new URL needs nothing here unless its parameters are of a new noun.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, Model, QuerySet
from django.urls import URLPattern, reverse

from buzon.desk.models import User
from buzon.intake.models import Arrival, CollectionAccount
from buzon.web.access import Person
from buzon.web.sessions import open_sessions
from buzon.web.urls import urlpatterns
from tools.stage.opening import Address

Rows = Callable[[Person], list[Any]]


def addresses(administrator: User | None, agent: User | None) -> list[Address]:
    """All of them, as each of those who may see them; without a `url` where no row is known."""
    people = {"administrator": administrator, "agent": agent}
    found = []
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        for who in _audience(pattern):
            user = people.get(who)
            if who != "stranger" and user is None:
                found.append(Address(str(pattern.name), "", who))
                continue
            found += _filled_in(pattern, _person(user) if user else None, who)
    return found


def _audience(pattern: URLPattern) -> tuple[str, ...]:
    audience = getattr(pattern.callback, "audience", "")
    return {
        "public": ("stranger",),
        "agents": ("agent", "administrator"),
        "administrators": ("administrator",),
    }[audience]


def _person(user: User) -> Person:
    return Person(user, user.organization, getattr(user, "agent", None))


def _filled_in(pattern: URLPattern, person: Person | None, who: str) -> list[Address]:
    name, route = str(pattern.name), str(pattern.pattern)
    parameters = list(pattern.pattern.converters)
    if not parameters:
        return [Address(name, reverse(name), who)]
    noun = route.split("/")[0]
    if noun not in ROWS or person is None or set(parameters) - {"pk", *FURTHER}:
        return [Address(name, "", who)]
    rows = ROWS[noun](person)
    if route != f"{noun}/<int:pk>":  # rows look different on their own page, not in its forms
        rows = rows[:1]
    further = {one: FURTHER[one] for one in parameters if one != "pk"}
    told = [
        Address(f"{name}-{place}", reverse(name, kwargs={"pk": row.pk} | further), who)
        for place, row in enumerate(rows, 1)
    ]
    return told or [Address(name, "", who)]


def _some(rows: "QuerySet[Any]", by: str, values: list[Any]) -> list[Model]:
    """One row of each value, where there is one."""
    picked = (rows.filter(**{by: value}).order_by("pk").first() for value in values)
    return [row for row in picked if row is not None]


def _letters(person: Person) -> list[Any]:
    rows = person.messages()
    answered = rows.annotate(together=Count("conversation__messages")).order_by("-together").first()
    picked = [answered, *_some(rows, "kind", ["person", "bounce", "list"])]
    warned = rows.exclude(warnings=[]).order_by("pk").first()
    return [row for row in dict.fromkeys([*picked, warned]) if row is not None]


def _customers(person: Person) -> list[Any]:
    most = person.customers().annotate(letters=Count("messages")).order_by("-letters")
    return [*most[:1], *person.customers().filter(messages=None)[:1]]


# By the first word of the route. Where rows look different, one of each kind.
ROWS: dict[str, Rows] = {
    "agents": lambda person: list(person.agents()[:1]),
    "collection-accounts": lambda person: _some(
        person.collection_accounts(), "state", list(CollectionAccount.State.values)
    ),
    "customers": _customers,
    "groups": lambda person: list(person.groups()[:1]),
    "ledger": lambda person: _some(person.arrivals(), "outcome", list(Arrival.Outcome.values)),
    "letters": _letters,
    "me": lambda person: list(open_sessions(person.user)[:1]),
    "notifications": lambda person: list(person.notifications().order_by("-pk")[:1]),
    "stores": lambda person: list(person.stores()[:1]),
}
# Parameters beside `pk`.
FURTHER = {"n": 1}
