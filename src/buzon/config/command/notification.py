"""`buzon notification`: who was told of what."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.config.command.values import whole
from buzon.desk.models import Customer
from buzon.desk.people import agent_named
from buzon.notify.models import Notification

_AT_ONCE = 2_000  # rows in memory


def add_to(parser: Parser) -> None:
    """The verbs."""
    verbs = parser.verbs()
    every = verbs.add("list", "All notifications, the newest first", _list)
    every.add_argument("--agent", metavar="NAME", help="only to this agent")
    every.add_argument("--unread", action="store_true", help="only those that were not read")
    every.add_argument(
        "--limit", metavar="N", type=whole(1, 10**9), help="only so many (default: all)"
    )
    every.add_json()


def _list(options: Namespace) -> None:
    rows = _chosen(options)
    if options.json:
        output.document([_as_json(each) for each in rows.iterator(chunk_size=_AT_ONCE)])
        return
    headings = ("id", "to", "what", "customer", "letter", "when", "read")
    output.table(headings, _rows(rows), empty="There are no such notifications.")


def _chosen(options: Namespace) -> "QuerySet[Notification]":
    organization = scope.organization_of(options)
    rows = Notification.objects.filter(organization=organization)
    if options.agent is not None:
        rows = rows.filter(agent=agent_named(organization, options.agent))
    if options.unread:
        rows = rows.filter(read_at__isnull=True)
    newest = rows.order_by("-pk").select_related("agent", "user", "customer", "message")
    newest = newest.prefetch_related("customer__addresses")
    return newest if options.limit is None else newest[: options.limit]


def _as_json(each: Notification) -> dict[str, Any]:
    return {
        "id": each.pk,
        "agent": each.agent.name if each.agent else None,
        "login": each.user.email if each.user else None,
        "kind": each.kind,
        "customer": each.customer_id,
        "message": each.message_id,
        "created_at": output.stamp(each.created_at),
        "read_at": output.stamp(each.read_at),
        "channels": each.channels,
        "data": each.data,
    }


def _rows(rows: "QuerySet[Notification]") -> Iterator[tuple[Any, ...]]:
    for each in rows.iterator(chunk_size=_AT_ONCE):
        yield (
            str(each.pk),
            each.agent or each.user,
            each.kind.replace("_", " "),
            _customer(each.customer) if each.customer else None,
            each.message.subject if each.message else None,
            each.created_at,
            each.read_at,
        )


def _customer(customer: Customer) -> str:
    """By name; one that mail made has none, and is known by its address."""
    return customer.name or next((each.address for each in customer.addresses.all()), str(customer))
