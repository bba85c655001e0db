"""History: how it is notified, and when it is all here.

Up to 50 letters are notified one by one; of more, each agent gets one summary at the end. A folder
that is added later has a history of its own, with a summary of its own.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from buzon.desk.events import record
from buzon.desk.models import Agent, Event
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.run import Run

ONE_BY_ONE = 50


def is_muted(account: CollectionAccount) -> bool:
    """Whether letters of this account's history are not notified one by one."""
    if account.history != CollectionAccount.History.AUTO:
        return account.history == CollectionAccount.History.SILENT
    return _letters(account) > ONE_BY_ONE


def finish_if_done(run: Run) -> None:
    """Once all history is decided: remember it, and give each agent the summary if that is how."""
    account = run.account
    folders = _unfinished(account)
    if not folders or not _is_all_here(account):
        return
    now = timezone.now()
    with transaction.atomic():
        run.lease.fence()
        CollectionAccount.objects.filter(pk=account.pk).update(history_done_at=now)
        if account.history == CollectionAccount.History.AUTO and is_muted(account):
            _sum_up(account, folders)
    account.history_done_at = now


def _unfinished(account: CollectionAccount) -> list[Folder]:
    """The folders whose history is not remembered as done: at first all of them."""
    folders = Folder.objects.filter(account=account)
    if account.history_done_at is not None:
        folders = folders.filter(history_begun_at__gt=account.history_done_at)
    return list(folders)


def _letters(account: CollectionAccount) -> int:
    total = Folder.objects.filter(account=account).aggregate(total=Sum("history_total"))["total"]
    return total or 0


def _is_all_here(account: CollectionAccount) -> bool:
    folders = Folder.objects.filter(account=account)
    if folders.filter(Q(baseline_at__isnull=True) | Q(low__gt=1)).exists():
        return False
    waiting = Arrival.objects.filter(account=account, outcome="waiting", of_history=True)
    return not waiting.live().exists()


def _sum_up(account: CollectionAccount, folders: Sequence[Folder]) -> None:
    """One event for each agent: how many letters, how many of the customers are new."""
    counted = _counted_by_agent(account, folders)
    agents = Agent.objects.in_bulk([row["message__customer__agent"] for row in counted])
    for row in counted:
        record(
            Event.Kind.HISTORY_COLLECTED,
            organization=account.organization_id,
            agent=agents[row["message__customer__agent"]],
            data={
                "account": account.name,
                "letters": row["letters"],
                "customers": row["customers"],
            },
        )


def _counted_by_agent(account: CollectionAccount, folders: Sequence[Folder]) -> Any:
    """Rows of agent, letters, and customers that were created since the first look."""
    begun = min(each.history_begun_at for each in folders if each.history_begun_at is not None)
    is_new = Q(message__customer__created_at__gte=begun, message__customer__created_by="mail")
    letters: Any = Arrival.objects.filter(
        account=account,
        folder__in=folders,
        of_history=True,
        decided_at__gte=F("folder__history_begun_at"),
        folder__role=Folder.Role.INBOX,
        message__customer__agent__active=True,
    )
    return letters.values("message__customer__agent").annotate(
        letters=Count("message", distinct=True),
        customers=Count("message__customer", distinct=True, filter=is_new),
    )
