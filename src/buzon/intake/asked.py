"""What a person asks of the ledger: try a failed message again, fetch one that was left.

    failed ──retry──▶ waiting        skipped | oversized ──fetch──▶ waiting
                                     skipped ──judge again──▶ waiting

All of what is named, or nothing. What is in custody then only needs to be read; for the rest the
server is asked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy

from buzon.desk.addresses import fold
from buzon.desk.entries import no_address
from buzon.desk.models import Customer, CustomerAddress, Organization
from buzon.intake.again import again
from buzon.intake.earlier import senders_who_are_customers
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.intake.models.arrival import Arrivals
from buzon.intake.quarantine import quarantine_of

_LEFT = (Arrival.Outcome.SKIPPED, Arrival.Outcome.OVERSIZED)
# The outcomes inside a sentence; in English they are the codes that the command line takes.
_OUTCOMES = {
    "waiting": pgettext_lazy("outcome", "waiting"),
    "filed": pgettext_lazy("outcome", "filed"),
    "skipped": pgettext_lazy("outcome", "skipped"),
    "ignored": pgettext_lazy("outcome", "ignored"),
    "oversized": pgettext_lazy("outcome", "oversized"),
    "failed": pgettext_lazy("outcome", "failed"),
}


class AskedError(Exception):
    """It cannot be done for all of these messages.

    `sentence` names the first and says why, in the language that was active; `field` is the
    verb's argument that is wrong ("ids", "address").
    """

    def __init__(self, sentence: str, *, field: str = "") -> None:
        self.sentence = sentence
        self.field = field
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A verb: from which outcomes it leads back to waiting, and how it refuses the others."""

    refusal: str
    outcomes: tuple[str, ...]
    by_person: bool


_RETRY = _Wish(
    gettext_noop("Message {id} is {outcome}: only {outcomes} messages can be retried."),
    (Arrival.Outcome.FAILED,),
    by_person=False,
)
_FETCH = _Wish(
    gettext_noop("Message {id} is {outcome}: only {outcomes} messages can be fetched."),
    _LEFT,
    by_person=True,
)
_JUDGE_AGAIN = _Wish(
    gettext_noop("Message {id} is {outcome}: only {outcomes} messages can be judged again."),
    (Arrival.Outcome.SKIPPED,),
    by_person=False,
)


def retry(organization: Organization, ids: Collection[int]) -> int:
    """Failed messages wait again, with their attempts forgotten; how many. Raises AskedError."""
    return _wait_again(organization, ids, _RETRY)


def retry_all(organization: Organization, *, account: CollectionAccount | None = None) -> int:
    """All failed messages that can still be had wait again, of the organization or of one account;
    how many. One statement, however many they are.
    """
    failed = quarantine_of(organization, account=account).obtainable()
    return again(lambda: _all_wait_again(failed))


def fetch(organization: Organization, ids: Collection[int]) -> int:
    """Skipped and oversized messages are downloaded whatever triage and limit say; how many.
    Raises AskedError.
    """
    return _wait_again(organization, ids, _FETCH)


def judge_again(organization: Organization, ids: Collection[int]) -> int:
    """Skipped messages are judged as if they had just come, because their sender is a customer by
    now: downloaded, filed and notified like any letter of a customer; how many. Raises AskedError.
    """
    return _wait_again(organization, ids, _JUDGE_AGAIN)


def fetch_earlier_letters(organization: Organization, address: str) -> int:
    """What a customer wrote before being one, from all addresses of that customer, as far as it is
    still on the server; how many (0 too). Raises AskedError where nobody has that address.
    """
    folded = fold(address)
    if not folded:
        raise AskedError(no_address(address), field="address")
    mine = CustomerAddress.objects.filter(organization=organization, folded=folded)
    customers = set(mine.values_list("customer", flat=True))
    if not customers:
        told = _("{organization} has no customer with the address {address}.")
        told = told.format(organization=organization, address=address)
        raise AskedError(told, field="address")
    with transaction.atomic():
        accounts = _accounts_with_left(organization.pk, customers)
        return sum(_fetch_left_by(account, customers) for account in accounts)


def earlier_letters(customer: Customer) -> int:
    """How many letters of this customer lie on the servers, left there before it was one."""
    accounts = _accounts_with_left(customer.organization_id, {customer.pk})
    return sum(_left_by(account, {customer.pk}).count() for account in accounts)


def _accounts_with_left(
    organization_id: int, customers: Collection[int]
) -> "QuerySet[CollectionAccount]":
    """Those with a message left that one of these customers may have sent: by an index, because
    the card of every customer asks.
    """
    of_theirs = _left().filter(
        organization=organization_id, sender__in=_folded_addresses(customers)
    )
    accounts = CollectionAccount.objects.filter(organization=organization_id)
    by_provider_rules = Q(fold_dots=True) | Q(fold_plus=True)
    return accounts.filter(Q(pk__in=of_theirs.values("account")) | by_provider_rules)


def _fetch_left_by(account: CollectionAccount, customers: Collection[int]) -> int:
    keys = list(_left_by(account, customers).values_list("pk", flat=True))
    left = Arrival.objects.filter(pk__in=keys)
    _make_due(left)
    return left.filter(outcome__in=_LEFT).update(**_changes(_FETCH))


def _left_by(account: CollectionAccount, customers: Collection[int]) -> "QuerySet[Arrival]":
    left = _left().filter(organization=account.organization_id, account=account)
    if not (account.fold_dots or account.fold_plus):
        left = left.filter(sender__in=_folded_addresses(customers))
    senders = senders_who_are_customers(account, left, customers=customers)
    return left.filter(sender__in=senders)


def _left() -> "QuerySet[Arrival]":
    return Arrival.objects.live().filter(outcome__in=_LEFT)


def _folded_addresses(customers: Collection[int]) -> "QuerySet[CustomerAddress, str]":
    rows = CustomerAddress.objects.filter(customer__in=customers)
    return rows.values_list("folded", flat=True)


def _wait_again(organization: Organization, ids: Collection[int], wish: _Wish) -> int:
    rows = Arrival.objects.filter(organization=organization, pk__in=set(ids))
    return again(lambda: _checked_wait_again(rows, ids, wish))


def _checked_wait_again(rows: Arrivals, ids: Collection[int], wish: _Wish) -> int:
    with transaction.atomic():
        _make_due(rows)
        found = {row.pk: row for row in rows.select_for_update()}
        for pk in ids:
            _check(pk, found.get(pk), wish)
        return rows.filter(pk__in=found).update(**_changes(wish))


def _all_wait_again(rows: Arrivals) -> int:
    with transaction.atomic():
        _make_due(rows)
        return rows.update(**_changes(_RETRY))


def _check(pk: int, row: Arrival | None, wish: _Wish) -> None:
    if row is None:
        raise AskedError(_("The ledger has no message {id}.").format(id=pk), field="ids")
    if row.outcome not in wish.outcomes:
        outcomes = f" {_('and')} ".join(str(_OUTCOMES[one]) for one in wish.outcomes)
        told = _(wish.refusal).format(id=pk, outcome=_OUTCOMES[row.outcome], outcomes=outcomes)
        raise AskedError(told, field="ids")
    if row.gone_at is not None and (wish.by_person or not row.is_obtainable):
        told = _("Message {id} is no longer on the server.").format(id=pk)
        raise AskedError(told, field="ids")


def _make_due(rows: "QuerySet[Arrival]") -> None:
    """Before the rows change, because a worker, too, holds its duty before it changes rows.

    A server that said "not now", or whose login fails, is asked only for what is not in custody.
    """
    accounts = rows.order_by().values("account")
    to_process = Q(kind=Duty.Kind.PROCESS, account__in=accounts)
    to_collect = Q(kind=Duty.Kind.COLLECT, account__in=accounts.filter(sha256=""))
    Duty.objects.filter(to_process | to_collect).update(due_at=timezone.now())


def _changes(wish: _Wish) -> dict[str, Any]:
    """The fields of a row that waits as if it had just come."""
    changes: dict[str, Any] = {"outcome": Arrival.Outcome.WAITING, "reason": {}, "attempts": 0}
    changes |= {"retry_at": None, "decided_at": None}
    return changes | ({"asked_by_person": True} if wish.by_person else {})
