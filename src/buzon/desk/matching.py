"""Which customer a letter is from (R5).

A store's account: a customer of that store, then one of no store. An account of no store: any
customer; of several the most recently active, and the reason says how many there were.
Nothing is ever looked up outside the organization.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, Q, QuerySet

from buzon.desk.addresses import base_of, fold
from buzon.desk.models import Customer, CustomerAddress
from buzon.desk.reasons import reason
from buzon.desk.rows import in_pieces

_OF_RECIPIENT = {
    "sender_of_store": "recipient_of_store",
    "sender_of_no_store": "recipient_of_no_store",
    "sender_of_any_store": "recipient_of_any_store",
}


@dataclass(frozen=True, slots=True)
class Match:
    """The customer whom an address belongs to, if any, and why (`buzon.desk.reasons`)."""

    customer: Customer | None
    why: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address of a customer in this store (or of no store), in its folded form."""

    folded: str
    store_id: int | None
    customer: Customer


def match(
    organization_id: int,
    store_id: int | None,
    folded: str,
    *,
    dots: bool = False,
    plus: bool = False,
) -> Match:
    """The customer of one folded address. One query; the customer comes with its agent."""
    if not folded:
        return Match(None, reason("no_customer"))
    rows = candidates(organization_id, store_id, [folded], provider_rules=dots or plus)
    wanted = fold(folded, dots=dots, plus=plus)
    found = [row for row in rows if fold(row.folded, dots=dots, plus=plus) == wanted]
    return choose(found, store_id, folded)


def choose(found: Sequence[Candidate], store_id: int | None, folded: str) -> Match:
    """Among those with the same address, the customer who is meant."""
    if not found:
        return Match(None, reason("no_customer"))
    best = min(found, key=partial(_rank_of, store_id=store_id, folded=folded))
    rivals = {one.customer.pk for one in found if _level(one, store_id) == _level(best, store_id)}
    if len(rivals) > 1:
        return Match(best.customer, reason("ambiguous_most_recent", of=len(rivals)))
    return Match(best.customer, reason(_code(best, store_id)))


def of_recipient(found: Match) -> Match:
    """The same match where the address is not the sender's: a letter that was sent to it."""
    code = _OF_RECIPIENT.get(found.why["code"])
    return found if code is None else Match(found.customer, found.why | {"code": code})


def known_senders(
    organization_id: int,
    store_id: int | None,
    folded: Collection[str],
    *,
    dots: bool = False,
    plus: bool = False,
) -> dict[str, int]:
    """Of these folded addresses those that match a customer, each with the customer's key.

    The same cascade as `match`, for a batch of headers: one query per 5,000 addresses.
    """
    known: dict[str, int] = {}
    for batch in in_pieces(one for one in folded if one):
        rows = _rows(organization_id, store_id, batch, provider_rules=dots or plus)
        active = rows.annotate(active_at=F("customer__last_active_at"))
        known |= _best_of_each(list(active), store_id, batch, dots=dots, plus=plus)
    return known


def candidates(
    organization_id: int, store_id: int | None, folded: Collection[str], *, provider_rules: bool
) -> list[Candidate]:
    """The addresses that may be one of these in this store, each with its customer and agent; where
    a customer has several, it is the same object. One query per 5,000.
    """
    customers: dict[int, Customer] = {}
    found: dict[int, Candidate] = {}  # with the providers' rules two pieces may find the same
    for piece in in_pieces(folded):
        rows = _rows(organization_id, store_id, piece, provider_rules=provider_rules)
        for row in rows.select_related("customer__agent"):
            customer = customers.setdefault(row.customer_id, row.customer)
            found[row.pk] = Candidate(row.folded, row.store_id, customer)
    return list(found.values())


def _best_of_each(
    rows: list[Any], store_id: int | None, batch: list[str], *, dots: bool, plus: bool
) -> dict[str, int]:
    by_form: dict[str, list[Any]] = {}
    for row in rows:
        by_form.setdefault(fold(row.folded, dots=dots, plus=plus), []).append(row)
    best: dict[str, int] = {}
    for one in batch:
        found = by_form.get(fold(one, dots=dots, plus=plus), [])
        if found:
            rank = partial(_rank_of_row, store_id=store_id, folded=one)
            best[one] = min(found, key=rank).customer_id
    return best


def _rows(
    organization_id: int, store_id: int | None, folded: list[str], *, provider_rules: bool
) -> QuerySet[CustomerAddress]:
    rows = CustomerAddress.objects.filter(organization_id=organization_id)
    if store_id is not None:
        rows = rows.filter(Q(store_id=store_id) | Q(store__isnull=True))
    if provider_rules:
        return rows.filter(base__in={base_of(one) for one in folded})
    return rows.filter(folded__in=folded)


def _rank_of_row(row: Any, *, store_id: int | None, folded: str) -> tuple[Any, ...]:
    return _rank(row, store_id, folded, row.active_at, row.customer_id)


def _rank_of(one: Candidate, *, store_id: int | None, folded: str) -> tuple[Any, ...]:
    return _rank(one, store_id, folded, one.customer.last_active_at, one.customer.pk)


def _rank(
    row: CustomerAddress | Candidate,
    store_id: int | None,
    folded: str,
    active_at: datetime | None,
    customer_id: int,
) -> tuple[Any, ...]:
    return (
        _level(row, store_id),
        row.folded != folded and store_id is not None,
        active_at is None,
        0.0 if active_at is None else -active_at.timestamp(),
        customer_id,
    )


def _level(row: CustomerAddress | Candidate, store_id: int | None) -> int:
    return 0 if store_id is None or row.store_id == store_id else 1


def _code(row: Candidate, store_id: int | None) -> str:
    if store_id is None:
        return "sender_of_any_store"
    return "sender_of_store" if row.store_id == store_id else "sender_of_no_store"
