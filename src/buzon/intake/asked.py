"""What a person asks of the ledger: try a failed message again, fetch one that was left.

    failed ──retry──▶ waiting        skipped | oversized ──fetch──▶ waiting

All of what is named, or nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from buzon.desk.addresses import fold
from buzon.desk.models import CustomerAddress, Organization
from buzon.intake.models import Arrival, Duty

_LEFT = (Arrival.Outcome.SKIPPED, Arrival.Outcome.OVERSIZED)


class AskedError(Exception):
    """It cannot be done for all of these messages; `sentence` names the first and says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A verb, and from which outcomes it leads back to waiting."""

    verb: str
    outcomes: tuple[str, ...]
    by_person: bool


_RETRY = _Wish("retried", (Arrival.Outcome.FAILED,), by_person=False)
_FETCH = _Wish("fetched", _LEFT, by_person=True)


def retry(organization: Organization, ids: Collection[int]) -> int:
    """Failed messages wait again, with their attempts forgotten; how many. Raises AskedError."""
    return _wait_again(organization, ids, _RETRY)


def fetch(organization: Organization, ids: Collection[int]) -> int:
    """Skipped and oversized messages are downloaded whatever triage and limit say; how many.
    Raises AskedError.
    """
    return _wait_again(organization, ids, _FETCH)


def fetch_earlier_letters(organization: Organization, address: str) -> int:
    """What a customer wrote before being one, from all addresses of that customer, as far as it is
    still on the server; how many (0 too). Raises AskedError where nobody has that address.
    """
    folded = fold(address)
    if not folded:
        raise AskedError(f"{address!r} is not an e-mail address.")
    mine = CustomerAddress.objects.filter(organization=organization)
    customers = mine.filter(folded=folded).values("customer")
    senders = list(mine.filter(customer__in=customers).values_list("folded", flat=True))
    if not senders:
        raise AskedError(f"{organization} has no customer with the address {address}.")
    with transaction.atomic():
        left = Arrival.objects.select_for_update(of=("self",)).filter(
            _may_match(organization, customers),
            organization=organization,
            sender__in=senders,
            outcome__in=_LEFT,
            gone_at__isnull=True,
        )
        return _set_waiting(left, _FETCH)


def _may_match(organization: Organization, customers: "QuerySet[CustomerAddress, object]") -> Q:
    """Accounts whose mail these customers may match (R5): of their store, or of no store; for a
    customer of no store, every account.
    """
    stores = set(
        CustomerAddress.objects.filter(
            organization=organization, customer__in=customers
        ).values_list("store", flat=True)
    )
    if None in stores:
        return Q()
    return Q(account__store__isnull=True) | Q(account__store__in=stores)


def _wait_again(organization: Organization, ids: Collection[int], wish: _Wish) -> int:
    with transaction.atomic():
        rows = Arrival.objects.select_for_update().filter(
            organization=organization, pk__in=set(ids)
        )
        found = {row.pk: row for row in rows}
        for pk in ids:
            _check(pk, found.get(pk), wish)
        return _set_waiting(Arrival.objects.filter(pk__in=found), wish)


def _check(pk: int, row: Arrival | None, wish: _Wish) -> None:
    if row is None:
        raise AskedError(f"The ledger has no message {pk}.")
    if row.outcome not in wish.outcomes:
        raise AskedError(
            f"Message {pk} is {row.outcome}: only {' and '.join(wish.outcomes)} messages can be "
            f"{wish.verb}."
        )
    if row.gone_at is not None and not row.sha256:
        raise AskedError(f"Message {pk} is no longer on the server.")


def _set_waiting(rows: "QuerySet[Arrival]", wish: _Wish) -> int:
    keys = dict(rows.values_list("pk", "account_id"))
    changes = {"asked_by_person": True} if wish.by_person else {}
    Arrival.objects.filter(pk__in=keys).update(
        outcome=Arrival.Outcome.WAITING,
        reason={},
        attempts=0,
        retry_at=None,
        decided_at=None,
        **changes,
    )
    # What is in custody only needs to be read; the rest is downloaded first.
    Duty.objects.filter(account__in=set(keys.values())).update(due_at=timezone.now())
    return len(keys)
