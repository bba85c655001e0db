"""`buzon search`: letters by their words."""

import time
from argparse import Namespace
from typing import Any

from django.db.models import QuerySet

from buzon.config.command import output, scope
from buzon.config.command.customer import customer_of
from buzon.config.command.parser import Parser
from buzon.config.command.values import day, one_of, whole
from buzon.desk.letters import in_order
from buzon.desk.models import Customer, Message, Organization, SearchEntry
from buzon.desk.people import agent_named
from buzon.desk.search import Asked, Excerpt, excerpts, found, index_waiting
from buzon.desk.stores import store_named

_MOST = 1_000
_INDEXING = 5.0  # seconds
_DESCRIPTION = """Letters that hold all these words, the newest first. A word is found in the
singular and the plural, in upper and lower case, with and without accents; bota* finds what begins
so, and '"botas rojas"' (with quotes that the shell leaves) these words in this order. Looked
through are subject, text (its first 65,536 characters), names and addresses, and file names."""


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = _DESCRIPTION
    parser.does(_search)
    parser.add_argument("words", metavar="WORD", nargs="+", help="what the letters hold")
    parser.add_argument("--customer", metavar="ADDRESS|ID", help="only letters of this customer")
    parser.add_argument("--agent", metavar="A", help="only of the customers of this agent")
    parser.add_argument("--store", metavar="S", help="only of this store")
    parser.add_argument("--account", metavar="NAME", help="only what came by this account")
    parser.add_argument(
        "--kind",
        metavar="K",
        type=one_of(*Message.Kind.values),
        help=f"only of this kind: {', '.join(Message.Kind.values)}",
    )
    parser.add_argument("--since", metavar="DATE", type=day, help="only of this day and later")
    parser.add_argument("--until", metavar="DATE", type=day, help="only of this day and before")
    parser.add_argument("--attachments", action="store_true", help="only with attachments")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole(1, _MOST),
        default=50,
        help=f"so many at most, up to {_MOST:,} (default: 50)",
    )
    parser.add_json()


def _search(options: Namespace) -> None:
    organization = scope.organization_of(options)
    letters, customers = _chosen(options, organization)
    asked = Asked(
        organization=organization,
        text=" ".join(options.words),
        customers=customers,
        since=options.since,
        until=options.until,
    )
    _catch_up(organization)
    keys = found(asked, letters, number=options.limit)
    told = excerpts(asked.text, keys)
    joined = in_order(letters).select_related("customer__agent", "store")
    by_key = joined.prefetch_related("customer__addresses").in_bulk(keys)
    rows = [by_key[key] for key in keys if key in by_key]
    if options.json:
        output.document([_as_json(row, told.get(row.pk)) for row in rows])
        return
    headings = ("id", "when", "from", "subject", "found")
    shown = (_row(row, told.get(row.pk)) for row in rows)
    output.table(headings, shown, empty="No letter holds these words.")


def _chosen(
    options: Namespace, organization: Organization
) -> "tuple[QuerySet[Message], QuerySet[Customer] | None]":
    """Which letters, and of which customers. Raises what says that there is no such thing."""
    letters = Message.objects.filter(organization=organization)
    customers = None
    if options.customer is not None:
        chosen = customer_of(organization, options.customer)
        customers = Customer.objects.filter(pk=chosen.pk)
    if options.agent is not None:
        agent = agent_named(organization, options.agent)
        every = Customer.objects.filter(organization=organization)
        customers = (every if customers is None else customers).filter(agent=agent)
    if options.store is not None:
        letters = letters.filter(store=store_named(organization, options.store))
    if options.account is not None:
        account = scope.account_of(organization, options.account)
        letters = letters.filter(arrivals__account=account)
    if options.kind is not None:
        letters = letters.filter(kind=options.kind)
    return letters.filter(attachment_count__gt=0) if options.attachments else letters, customers


def _catch_up(organization: Organization) -> None:
    """Where nothing runs, nobody else indexes what was collected last (PostgreSQL)."""
    deadline = time.monotonic() + _INDEXING
    while index_waiting(organization_id=organization.pk):
        if time.monotonic() > deadline:
            left = SearchEntry.objects.filter(waits=True, organization=organization).count()
            if left:
                output.note(f"{output.counted(left, 'letter')} cannot be found by words yet.")
            return


def _as_json(row: Message, excerpt: Excerpt | None) -> dict[str, Any]:
    customer = row.customer
    return {
        "message": row.pk,
        "customer": customer.pk if customer else None,
        "agent": customer.agent.name if customer and customer.agent else None,
        "store": row.store.name if row.store else None,
        "direction": row.direction,
        "kind": row.kind,
        "from": {"name": row.from_name, "address": row.from_address},
        "subject": row.subject,
        "happened_at": output.stamp(row.happened_at),  # type: ignore[attr-defined]  # annotated
        "attachments": row.attachment_count,
        "sha256": row.sha256,
        "excerpt": None if excerpt is None else str(excerpt),
    }


def _row(row: Message, excerpt: Excerpt | None) -> tuple[Any, ...]:
    return (
        str(row.pk),
        row.happened_at,  # type: ignore[attr-defined]  # annotated
        row.from_address or row.from_name,
        row.subject,
        "" if excerpt is None else str(excerpt),
    )
