"""Letters that were left because their sender was no customer yet, and now is one."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings


def ask_for_skipped(run: Run) -> None:
    """Where the account says so (`fetch_skipped_at_once`), they wait for download again."""
    if not run.account.fetch_skipped_at_once:
        return
    skipped = Arrival.objects.live().filter(
        account=run.account, outcome=Arrival.Outcome.SKIPPED, reason__code="unknown_sender"
    )
    known = senders_who_are_customers(run.account, skipped)
    for start in range(0, len(known), 500):
        with transaction.atomic():
            run.lease.fence()
            skipped.filter(sender__in=known[start : start + 500]).update(
                outcome=Arrival.Outcome.WAITING, reason={}, decided_at=None
            )


def senders_who_are_customers(
    account: CollectionAccount,
    rows: "QuerySet[Arrival]",
    *,
    customers: Collection[int] | None = None,
) -> list[str]:
    """Of these rows' senders, those whom this account now matches (R5): to any customer, or to one
    of `customers`.
    """
    senders = set(rows.values_list("sender", flat=True).distinct())
    known = Surroundings(account).known(senders)
    return sorted(sender for sender, key in known.items() if customers is None or key in customers)
