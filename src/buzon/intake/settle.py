"""Settle: tell the server that we hold a message, as R6 asks. A phase of its own, never implied.

    1. is R6 still on, with as many days, the account active and its organization not suspended?
    2. is every message whole in custody, filed, and here for as long as the account says? What is
       to be removed is read back, and is what its digest says; and it came as long as announced
    3. note in the rows that the server is being asked (a crash from here on leaves a trace)
    4. before each command: is it all still so (1), and the lease ours for longer than it may take?
       Then ask the server, naming exactly these messages
    5. note in the rows that it is done

What is asked of the server is in `settle_imap` and `settle_pop3`, with the look at whether a name
still means the same message. What is damaged here is fetched again and never removed meanwhile.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from buzon.intake import grace, vault
from buzon.intake.given import FromServer
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.models.arrival import Arrivals
from buzon.intake.run import Run

log = structlog.get_logger("buzon.settle")
MOST = 500


def still_wanted(run: Run) -> bool:
    """Steps 1 and 4, with the account as it is in the database now: as it was when this began."""
    account = run.account
    if account.after == CollectionAccount.After.LEAVE:
        return False
    rows = CollectionAccount.objects.filter(pk=account.pk)
    now = rows.values_list("active", "after", "delete_after_days", "organization__suspended_at")
    return now.first() == (True, account.after, account.delete_after_days, None)


def due_keys(run: Run, folder: Folder) -> list[int]:
    """Step 2: the ids of the folder's rows that are due; a sent folder is never settled."""
    if folder.role == Folder.Role.SENT or run.account.after == CollectionAccount.After.LEAVE:
        return []
    rows = due_rows(run.account).filter(folder=folder)
    if folder.uidvalidity is not None:
        rows = rows.filter(uidvalidity=folder.uidvalidity)
    return list(rows.order_by("uid", "pk").values_list("pk", flat=True))


def batches(run: Run, keys: Sequence[int]) -> Iterator[list[Arrival]]:
    """The rows of these ids, in this order, as far as they are still due."""
    for start in range(0, len(keys), MOST):
        rows = due_rows(run.account).in_bulk(keys[start : start + MOST])
        if rows:
            yield [rows[key] for key in keys[start : start + MOST] if key in rows]


def due_rows(account: CollectionAccount) -> Arrivals:
    """What the next collection would settle, as far as the ledger knows: filed, and for deletion
    come whole, and here for as many days as the account says. `buzon account deletions` lists it:
    the dry run.
    """
    rows = Arrival.objects.filter(account=account).exclude(folder__role=Folder.Role.SENT)
    rows = rows.to_settle()
    if account.after != CollectionAccount.After.DELETE:
        return rows
    rows = rows.filter(left_because="")
    return rows.filter(decided_at__lte=grace.until(account)) if account.delete_after_days else rows


def sound(run: Run, rows: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Step 2: rows whose octets are in the vault as they came, and those whose are not.

    What this very session has put there need not be read back, nor what is not removed.
    """
    organization = run.account.organization_id
    held = vault.held(organization, {row.sha256 for row in rows})
    if run.account.after == CollectionAccount.After.DELETE:
        earlier = {row.sha256 for row in rows if row.name not in run.retrieved}
        held -= earlier - vault.intact(organization, earlier & held)
    damaged = [row for row in rows if row.sha256 not in held]
    if damaged:
        log.error("damaged", account=run.account.pk, arrivals=[row.pk for row in damaged])
    return [row for row in rows if row.sha256 in held], damaged


def mend(run: Run, row: Arrival, message: FromServer, *, listed_size: int) -> None:
    """What the server gives again takes the place of what is damaged or missing here, where it is
    the same; if it is not, nobody can tell, and it is left there.
    """
    if message.error is not None:
        return
    is_same = vault.digest(message.octets) == row.sha256
    with transaction.atomic():
        run.lease.fence()
        if is_same:
            vault.put(run.account.organization_id, [(row.sha256, message.octets)])
        changes: dict[str, Any] = {"listed_size": listed_size}
        if not is_same:
            changes = {"left_because": Arrival.Left.OCTETS}
        Arrival.objects.filter(pk=row.pk).update(**changes)
    log.warning("looked at again", account=run.account.pk, arrival=row.pk, is_same=is_same)


def asking(run: Run, rows: Sequence[Arrival]) -> None:
    """Step 3."""
    _mark(run, rows, settling_at=timezone.now())
    for row in rows:
        log.info("settling", account=run.account.pk, arrival=row.pk, after=run.account.after)


def not_asked(run: Run, rows: Sequence[Arrival]) -> None:
    """Step 3 taken back: nothing was done on the server, or what was done has been undone."""
    _mark(run, rows, settling_at=None)
    log.info("not settled", account=run.account.pk, arrivals=len(rows))


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
