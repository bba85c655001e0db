"""Letters that were skipped because their sender was no customer yet, and now is one."""

from django.db import transaction

from buzon.intake.models import Arrival
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings


def ask_for_skipped(run: Run) -> None:
    """Where the account says so (`fetch_skipped_at_once`), they wait for download again."""
    if not run.account.fetch_skipped_at_once:
        return
    skipped = Arrival.objects.live().filter(
        account=run.account, outcome=Arrival.Outcome.SKIPPED, reason__code="unknown_sender"
    )
    senders = set(skipped.values_list("sender", flat=True).distinct())
    known = list(Surroundings.of(run.account).known(senders))
    for start in range(0, len(known), 500):
        with transaction.atomic():
            run.lease.fence()
            skipped.filter(sender__in=known[start : start + 500]).update(
                outcome=Arrival.Outcome.WAITING, reason={}, decided_at=None
            )
