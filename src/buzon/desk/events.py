"""What happened, written down for `notify` to tell."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet

from buzon.desk.models import Agent, Customer, Event, Message, Organization
from buzon.desk.rows import insert_rows
from buzon.desk.text import storable_data

_FIELDS = ("organization", "kind", "customer", "message", "agent", "silent", "data")


class Happened(NamedTuple):
    """An event that is not yet stored; everything else by its key."""

    organization_id: int
    kind: str
    customer_id: int | None = None
    message_id: int | None = None
    agent_id: int | None = None
    silent: bool = False
    data: dict[str, Any] = {}


def record(
    kind: Event.Kind | str,
    *,
    organization: Organization | int,
    customer: Customer | None = None,
    message: Message | None = None,
    agent: Agent | int | None = None,
    silent: bool = False,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """One event, in the transaction of what it tells of. `organization` and `agent`
    may be given by their keys.

    `silent`: told as an entry of the list only, without pop-up and e-mail. Raises ValueError for
    a kind that does not exist.
    """
    return Event.objects.create(
        organization_id=organization if isinstance(organization, int) else organization.pk,
        kind=Event.Kind(kind),
        customer=customer,
        message=message,
        agent_id=agent.pk if isinstance(agent, Agent) else agent,
        silent=silent,
        data=storable_data(dict(data or {})),
    )


def record_all(events: Sequence[Happened]) -> None:
    """The same for many, in their order."""
    rows = [(*event[:-1], storable_data(event.data)) for event in events]
    insert_rows(Event, _FIELDS, rows)


def untell_what_stands(organization: Organization) -> int:
    """What concerns administrators, happened while there was none, and still holds is to be told,
    to the one who is there now; how many events.

    It holds until the contrary happened: of each collection account the newest event, but not that
    it recovered; of each group (or of none) the newest customer who is left without an agent still.
    However long ago: an account that fails says so once, not every day.
    """
    mine = Event.objects.filter(organization=organization).order_by()
    of_accounts = _newest_of_each(mine.filter(kind__in=_OF_ACCOUNTS), "data__account_id")
    unassigned = mine.filter(kind=Event.Kind.CUSTOMER_LEFT_UNASSIGNED, customer__agent=None)
    of_groups = _newest_of_each(unassigned, "data__why__group")
    standing = mine.filter(pk__in=[*of_accounts, *of_groups])
    return standing.exclude(kind=Event.Kind.ACCOUNT_RECOVERED).update(told_at=None)


_OF_ACCOUNTS = (
    Event.Kind.ACCOUNT_FAILED,
    Event.Kind.ACCOUNT_STOPPED,
    Event.Kind.ACCOUNT_RECOVERED,
)


def _newest_of_each(events: "QuerySet[Event]", what: str) -> list[int]:
    newest = events.values(what).annotate(newest=Max("pk"))
    return list(newest.values_list("newest", flat=True))
