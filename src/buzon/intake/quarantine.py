"""The quarantine: failed messages, which could not be retrieved or could not be processed.

    tried for the 1st, 2nd time ──▶ failed, `retry_at` in 1, then 10 minutes ──▶ waiting again
    tried for the 3rd time      ──▶ failed, no `retry_at`: it waits for a person (`asked.retry`)

It keeps its octets where they are in custody, is never removed from its server, and holds up no
other message.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, QuerySet

from buzon.desk.models import Organization
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.models.arrival import Arrivals


class Held(NamedTuple):
    """An account's failed messages: how many; and how many of them are tried again by themselves,
    while the others wait for a person.
    """

    account: CollectionAccount
    number: int
    by_itself: int


def quarantine_of(
    organization: Organization, *, account: CollectionAccount | None = None
) -> Arrivals:
    """The failed messages of the organization, or of one of its accounts."""
    accounts = CollectionAccount.objects.filter(organization=organization)
    if account is not None:
        accounts = accounts.filter(pk=account.pk)
    # By account: that is what the index of outcomes begins with.
    return Arrival.objects.filter(account__in=accounts, outcome=Arrival.Outcome.FAILED)


def held_by(accounts: Sequence[CollectionAccount]) -> list[Held]:
    """Of those accounts that have failed messages, in the order given. Two queries of indexes."""
    rows = Arrival.objects.filter(account__in=[account.pk for account in accounts])
    number = _by_account(rows.filter(outcome=Arrival.Outcome.FAILED))
    by_itself = _by_account(rows.filter(retry_at__isnull=False))
    return [
        Held(account, number[account.pk], by_itself.get(account.pk, 0))
        for account in accounts
        if account.pk in number
    ]


def _by_account(rows: "QuerySet[Arrival]") -> dict[int, int]:
    return dict(rows.order_by().values_list("account").annotate(number=Count("*")))
