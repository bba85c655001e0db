"""Where a person begins: for an agent what waits, for an administrator how the shop is doing."""

from typing import Any

from django.db.models import F
from django.db.models.expressions import OrderBy
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_GET

from buzon.desk.letters import threads, unread
from buzon.desk.models import Agent, Assignment, Message
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.overview import waits_for_customers
from buzon.intake.quarantine import held_by
from buzon.intake.today import decided_since
from buzon.web.access import Person, PersonRequest, for_agents
from buzon.web.letter_rows import listed
from buzon.web.pages.setup import setup_progress

HERE = {"here": "home"}
MOST_LETTERS = 10
MOST_ROWS = 8  # of customers and of agents
MOST_COUNTED = 99  # "99+" tells as much as the number does


@require_GET
@for_agents
def home(request: PersonRequest) -> HttpResponse:
    """An administrator who answers customers, too, sees both."""
    person = request.person
    context: dict[str, Any] = {"now": timezone.localtime()}
    if person.agent is not None:
        context |= _of_agent(person.agent)
    if person.is_administrator:
        context |= _of_shop(person)
    return render(request, "home/home.html", context | HERE)


def _of_agent(agent: Agent) -> dict[str, Any]:
    letters = listed(unread(Message.objects.filter(customer__agent=agent)))
    # Those who were given to somebody else meanwhile are no longer this agent's to see.
    given = Assignment.objects.filter(agent=agent, customer__agent=agent, at__gte=_midnight())
    given = given.select_related("customer", "group").prefetch_related("customer__addresses")
    return {
        "waiting": list(letters[: MOST_LETTERS + 1]),
        "most_letters": MOST_LETTERS,
        "given": given.order_by(_wrote_last("customer__"), "-pk")[:MOST_ROWS],
    }


def _of_shop(person: Person) -> dict[str, Any]:
    steps = setup_progress(person.organization)
    accounts = list(person.collection_accounts())
    unassigned = person.customers().filter(agent=None)
    # Counted as far as anybody wants to know: there may be a hundred thousand of them.
    newest_first = unassigned.order_by(_wrote_last(), "-pk")
    keys = list(newest_first.values_list("pk", flat=True)[: MOST_COUNTED + 1])
    shown = person.customers().filter(pk__in=keys[:MOST_ROWS]).order_by(_wrote_last(), "-pk")
    newest = _newest_threads(person)
    return {
        "steps": [] if all(step.done for step in steps) else steps,
        "accounts": sorted(accounts, key=_working_last),
        "failing": sum(account.active and not _is_working(account) for account in accounts),
        "failed_messages": sum(one.number for one in held_by(accounts)),
        "today": _today(person),
        "agents": person.agents().filter(active=True)[:MOST_ROWS],
        "unassigned": shown.select_related("store").prefetch_related("addresses"),
        "unassigned_count": len(keys),
        "most_counted": MOST_COUNTED,
        "threads": newest,
        "waits_for_customers": not newest and waits_for_customers(person.organization),
    }


def _wrote_last(customer: str = "") -> OrderBy:
    """By the newest letter, not by when it came: a first download brings the newest first."""
    return F(f"{customer}last_active_at").desc(nulls_last=True)


def _newest_threads(person: Person) -> list[Any]:
    """The newest conversations, whoever's they are."""
    newest = person.conversations().order_by("-last_message_at", "-pk")
    keys = list(newest.values_list("pk", flat=True)[: MOST_ROWS // 2])
    own = person.messages()
    found = threads(own, keys, shown=listed(own))
    return [found[pk] for pk in keys if pk in found]


def _today(person: Person) -> list[tuple[str, str, int]]:
    """(outcome, in words, how many); of those that did not happen only "filed"."""
    counts = decided_since(person.organization, _midnight())
    return [
        (outcome.value, str(outcome.label), counts.get(outcome.value, 0))
        for outcome in Arrival.Outcome
        if counts.get(outcome.value) or outcome == Arrival.Outcome.FILED
    ]


def _midnight() -> Any:
    """When today began where the shop is."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _is_working(account: CollectionAccount) -> bool:
    return account.state == CollectionAccount.State.WORKING


def _working_last(account: CollectionAccount) -> tuple[bool, bool]:
    return (_is_working(account), not account.active)


paths = [
    path("", home, name="home"),
]
