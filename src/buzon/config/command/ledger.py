"""`buzon ledger`: the fate of every message seen on the servers."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from buzon.config.command import output, scope
from buzon.config.command.parser import Parser
from buzon.config.command.values import one_of
from buzon.desk.reasons import sentence, told
from buzon.intake.models import Arrival

_AT_ONCE = 2_000  # rows in memory


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.does(_ledger)
    parser.add_argument("account", metavar="NAME", nargs="?", help="only of this account")
    parser.add_argument(
        "--outcome",
        metavar="O",
        type=one_of(*Arrival.Outcome.values),
        help=f"only these: {', '.join(Arrival.Outcome.values)}",
    )
    parser.add_argument("--jsonl", "--json", action="store_true", help="one JSON object a line")


def _ledger(options: Namespace) -> None:
    organization = scope.organization_of(options)
    rows = Arrival.objects.filter(organization=organization)
    if options.account is not None:
        rows = rows.filter(account=scope.account_of(organization, options.account))
    if options.outcome is not None:
        rows = rows.filter(outcome=options.outcome)
    show = _show_json if options.jsonl else _show
    show(rows.order_by("pk"))


def _show_json(rows: "QuerySet[Arrival]") -> None:
    for row in _read(rows):
        output.line(_as_json(row))


def _show(rows: "QuerySet[Arrival]") -> None:
    shown = False
    for row in _read(rows):
        if not shown:
            print(f"{'id':>8}  {'outcome':9}  {'size':>8}  sender, and why")
            shown = True
        print(_line(row).rstrip())
    if not shown:
        print("The ledger has no such message.")


def _line(row: Arrival) -> str:
    why = (row.sender, sentence(row.reason), sentence(row.left_reason))
    told = " - ".join(filter(None, why))
    size = output.size(row.size)
    return f"{row.pk:>8}  {row.outcome:9}  {size:>8}  {output.printable(told)}"


def _as_json(row: Arrival) -> dict[str, Any]:
    customer = row.message.customer if row.message else None
    return {
        "id": row.pk,
        "account": row.account.name,
        "folder": row.folder.name,
        "uidvalidity": row.uidvalidity,
        "uid": row.uid,
        "uidl": row.uidl,
        "size": row.size,
        "internal_date": output.stamp(row.internal_date),
        "sender": row.sender,
        "outcome": row.outcome,
        "reason": told(row.reason),
        "sha256": row.sha256,
        "attempts": row.attempts,
        "message": row.message_id,
        "customer": customer.pk if customer else None,
        "agent": customer.agent.name if customer and customer.agent else None,
        "settled_at": output.stamp(row.settled_at),
        "left_there": told(row.left_reason),
    }


def _read(rows: "QuerySet[Arrival]") -> Iterator[Arrival]:
    joined = rows.select_related("account", "folder", "message__customer__agent")
    return joined.iterator(chunk_size=_AT_ONCE)
