"""Every address of the pages, with real rows in it, and as whom it is looked at.

It walks `buzon.web.urls`: a new URL needs nothing here unless its parameters are of a new noun.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import Count, Model, QuerySet
from django.urls import URLPattern, reverse

from buzon.desk.models import BlockedSender, User
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.opened import open_letter
from buzon.web.access import Person
from buzon.web.sessions import open_sessions
from buzon.web.urls import urlpatterns
from tools.stage.opening import Address

Values = dict[str, Any]


def addresses(administrator: User | None, agent: User | None) -> list[Address]:
    """All of them, as each of those who may see them; without a `url` where no row is known."""
    people = {"administrator": administrator, "agent": agent, "stranger": None}
    found = []
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        for who in _audience(pattern):
            user = people[who]
            if who != "stranger" and user is None:
                found.append(Address(str(pattern.name), "", who))
            else:
                # What a stranger may see is somebody's all the same, as a link to a new password.
                found += _filled_in(pattern, who, _person(user or administrator))
    return found


def _audience(pattern: URLPattern) -> tuple[str, ...]:
    audience = getattr(pattern.callback, "audience", "")
    return {
        "public": ("stranger",),
        "agents": ("agent", "administrator"),
        "administrators": ("administrator",),
    }[audience]


def _person(user: User | None) -> Person | None:
    return Person(user, user.organization, getattr(user, "agent", None)) if user else None


def _filled_in(pattern: URLPattern, who: str, person: Person | None) -> list[Address]:
    name, route = str(pattern.name), str(pattern.pattern)
    if not pattern.pattern.converters:
        return [Address(name, reverse(name), who)]
    known = VALUES.get(name) or VALUES.get(route.split("<")[0])
    if known is None or person is None:
        return [Address(name, "", who)]
    values = known(person)
    if not route.endswith("<int:pk>"):  # rows look different on their own page, not in its forms
        values = values[:1]
    told = [
        Address(f"{name}-{place}", reverse(name, kwargs=one), who)
        for place, one in enumerate(values, 1)
    ]
    return told or [Address(name, "", who)]


def _keys(rows: "QuerySet[Any] | list[Any]") -> list[Values]:
    return [{"pk": row.pk} for row in rows]


def _some(rows: "QuerySet[Any]", by: str, values: list[Any]) -> list[Model]:
    """One row of each value, where there is one."""
    picked = (rows.filter(**{by: value}).order_by("pk").first() for value in values)
    return [row for row in picked if row is not None]


def _letters(person: Person) -> list[Values]:
    rows = person.messages()
    answered = rows.annotate(together=Count("conversation__messages")).order_by("-together").first()
    warned = rows.exclude(warnings=[]).order_by("pk").first()
    picked = [answered, *_some(rows, "kind", ["person", "bounce", "list"]), warned]
    return _keys([row for row in dict.fromkeys(picked) if row is not None])


def _customers(person: Person) -> list[Values]:
    most = person.customers().annotate(letters=Count("messages")).order_by("-letters")
    return _keys([*most[:1], *person.customers().filter(messages=None)[:1]])


def _attachments(person: Person) -> list[Values]:
    rows = person.messages().filter(attachment_count__gt=0).order_by("pk")
    readings = [(row, open_letter(row).reading) for row in rows[:1]]
    return [
        {"pk": row.pk, "part": attachment.part}
        for row, reading in readings
        if reading is not None
        for attachment in reading.attachments[:1]
    ]


def _link_to_a_new_password(person: Person) -> list[Values]:
    token = PasswordResetTokenGenerator().make_token(person.user)
    return [{"pk": person.user.pk, "token": token}]


def _one_of_each_state(person: Person) -> list[Values]:
    states = list(CollectionAccount.State.values)
    return _keys(_some(person.collection_accounts(), "state", states))


def _one_of_each_outcome(person: Person) -> list[Values]:
    return _keys(_some(person.arrivals(), "outcome", list(Arrival.Outcome.values)))


# By what a route begins with, or by its name.
VALUES: dict[str, Callable[[Person], list[Values]]] = {
    "administrators/": lambda person: _keys([person.user]),
    "agents/": lambda person: _keys(person.agents()[:1]),
    "collection-accounts/": _one_of_each_state,
    "collection_account_preview": lambda person: [],  # made by a form, in the pages' process
    "customers/": _customers,
    "groups/": lambda person: _keys(person.groups()[:1]),
    "ledger/": _one_of_each_outcome,
    "letters/": _letters,
    "letter_attachment": _attachments,
    "me/sessions/": lambda person: _keys(open_sessions(person.user)[:1]),
    "notifications/": lambda person: _keys(person.notifications().order_by("-pk")[:1]),
    "settings/blocked/": lambda person: _keys(
        BlockedSender.objects.filter(organization=person.organization)[:1]
    ),
    "sign-in/new-password/": _link_to_a_new_password,
    "stores/": lambda person: _keys(person.stores()[:1]),
}
