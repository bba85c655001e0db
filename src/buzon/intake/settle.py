"""Settle: tell the server that we hold a message, as R6 asks. A phase of its own, never implied.

    1. is R6 still on, and the account active?
    2. is every message whole in custody, filed, and here for as long as the account says?
    3. note in the rows that the server is being asked (a crash from here on leaves a trace)
    4. before each command: is R6 still on, and the lease ours for longer than it may take? Then
       ask the server, naming exactly these messages
    5. note in the rows that it is done

What is asked of the server is in `settle_imap` and `settle_pop3`.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from buzon.intake import vault
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.models.arrival import Arrivals
from buzon.intake.run import Run

log = structlog.get_logger("buzon.settle")
MOST = 500


def still_wanted(run: Run) -> bool:
    """Steps 1 and 4, with the account as it is in the database now."""
    now = CollectionAccount.objects.filter(pk=run.account.pk).values_list("active", "after").first()
    return now is not None and now[0] and now[1] == run.account.after != "leave"


def next_rows(run: Run, folder: Folder, *, most: int | None = MOST) -> list[Arrival]:
    """Step 2: filed rows whose octets are in the vault; a sent folder is never settled."""
    if folder.role == Folder.Role.SENT or run.account.after == CollectionAccount.After.LEAVE:
        return []
    rows = due_rows(run.account).filter(folder=folder)
    if folder.uidvalidity is not None:
        rows = rows.filter(uidvalidity=folder.uidvalidity)
    chosen = list(rows.order_by("uid", "id")[:most])
    held = vault.held(run.account.organization_id, {row.sha256 for row in chosen})
    return [row for row in chosen if row.sha256 in held]


def due_rows(account: CollectionAccount) -> Arrivals:
    """What the next collection would settle, as far as the ledger knows: filed, and for deletion
    here for as many days as the account says. `buzon account deletions` lists it: the dry run.
    """
    rows = Arrival.objects.filter(account=account).exclude(folder__role=Folder.Role.SENT)
    rows = rows.to_settle()
    if account.after == CollectionAccount.After.DELETE and account.delete_after_days:
        rows = rows.filter(decided_at__lte=timezone.now() - grace(account))
    return rows


def grace(account: CollectionAccount) -> timedelta:
    """How long a message stays on the server after it was filed here."""
    return timedelta(days=account.delete_after_days)


def asking(run: Run, rows: Sequence[Arrival]) -> None:
    """Step 3."""
    _mark(run, rows, settling_at=timezone.now())
    for row in rows:
        log.info("settling", account=run.account.pk, arrival=row.pk, after=run.account.after)


def may_command(run: Run) -> bool:
    """Step 4, just before a command that changes the server; False where R6 was switched off
    meanwhile. Raises LeaseLost.
    """
    if not still_wanted(run):
        return False
    run.lease.check_before_server_change(deadline=run.deadline)
    return True


def done(run: Run, rows: Sequence[Arrival], *, gone: bool) -> None:
    """Step 5; `gone`: the server has removed them."""
    now = timezone.now()
    _mark(run, rows, settled_at=now, **({"gone_at": now} if gone else {}))
    run.totals.settled += len(rows)


def _mark(run: Run, rows: Sequence[Arrival], **changes: object) -> None:
    with transaction.atomic():
        run.lease.fence()
        for start in range(0, len(rows), MOST):
            chunk = [row.pk for row in rows[start : start + MOST]]
            Arrival.objects.filter(pk__in=chunk).update(**changes)
