"""What a person asks of the ledger about an unknown sender: make a customer of them, and fetch what
they wrote.

    skipped, unknown sender ──▶ customer (of the account's store) ──R10──▶ agent
              └──────────── all of theirs that was left ──judged again──▶ waiting
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from buzon.desk.assignment import hand_out
from buzon.desk.conversations import lock_filing
from buzon.desk.customers import add_customer
from buzon.desk.models import Customer, Organization, Store
from buzon.intake.asked import AskedError, judge_again
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.surroundings import Surroundings

UNKNOWN = "unknown_sender"


@dataclass(frozen=True, slots=True)
class Created:
    """The customers made, in the order asked for, and how many letters now wait for download."""

    customers: list[Customer]
    letters: int


def can_become_customer(row: Arrival) -> bool:
    """Whether this message was left because nobody knew its sender, and is still there."""
    is_left = row.outcome == Arrival.Outcome.SKIPPED and row.gone_at is None
    return is_left and bool(row.sender) and row.reason.get("code") == UNKNOWN


def create_customer_and_fetch(organization: Organization, ids: Collection[int]) -> Created:
    """The senders of these messages become customers of their accounts' stores, are handed out to
    the accounts' groups where there are any (R10), and all that they wrote is fetched: as letters
    of a customer, so that the agent is told of the customer and of each letter (R11).

    A sender who has become a customer meanwhile stays that one. All of it or nothing. Raises
    AskedError for a message whose sender is known, that is gone, or that is somebody else's.
    """
    with transaction.atomic():
        # As when letters are filed: nobody else makes customers or takes turns meanwhile.
        lock_filing(organization.pk)
        rows = _rows(organization, ids)
        made = [customer for row in rows if (customer := _made(row)) is not None]
        letters = judge_again(organization, _left_by(organization, rows))
    return Created(made, letters)


def _rows(organization: Organization, ids: Collection[int]) -> list[Arrival]:
    chosen = Arrival.objects.filter(organization=organization, pk__in=set(ids))
    joined = chosen.select_related("account__store", "account__group", "account__organization")
    found = {row.pk: row for row in joined.select_for_update(of=("self",))}
    for pk in ids:
        _check(pk, found.get(pk))
    return [found[pk] for pk in dict.fromkeys(ids)]


def _check(pk: int, row: Arrival | None) -> None:
    if row is None:
        raise AskedError(_("The ledger has no message {id}.").format(id=pk), field="ids")
    if row.gone_at is not None:
        told = _("Message {id} is no longer on the server.").format(id=pk)
        raise AskedError(told, field="ids")
    if not can_become_customer(row):
        told = _("Message {id} was not left because of an unknown sender; it can only be fetched.")
        raise AskedError(told.format(id=pk), field="ids")


def _made(row: Arrival) -> Customer | None:
    """The new customer, handed out; None where the account knows the sender by now."""
    account = row.account
    if Surroundings(account).known([row.sender]):
        return None
    customer = add_customer(account.organization, addresses=[row.sender], store=account.store)
    if account.group is not None:
        hand_out(customer, account.group)
    return customer


def _left_by(organization: Organization, rows: list[Arrival]) -> list[int]:
    """All that lies on servers from these senders, in accounts that match the customer (R5)."""
    left = Arrival.objects.live().filter(organization=organization, outcome=Arrival.Outcome.SKIPPED)
    keys: set[int] = set()
    for sender, store in dict.fromkeys((row.sender, row.account.store) for row in rows):
        accounts = _matching(organization, store)
        theirs = left.filter(sender=sender, account__in=accounts)
        keys.update(theirs.values_list("pk", flat=True))
    return sorted(keys)


def _matching(organization: Organization, store: Store | None) -> "QuerySet[CollectionAccount]":
    """The accounts that a customer of this store, or of none, is looked for in."""
    accounts = CollectionAccount.objects.filter(organization=organization)
    if store is None:
        return accounts
    return accounts.filter(Q(store=store) | Q(store__isnull=True))
