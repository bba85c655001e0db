"""Comparing a POP3 listing with the ledger: the whole memory of what was seen, without cursors.

on the server   in the ledger
    no              yes        its row is closed; if we were deleting it, that is now certain
    yes             no         a new row, of the next generation if that UIDL was there before
    yes             yes        known
    at the baseline, before the window: remembered as outside, forgotten when it goes
"""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from buzon.desk.reasons import reason
from buzon.intake.again import again
from buzon.intake.custody import decide
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from buzon.intake.run import Run
from buzon.intake.window import is_within
from buzon.wire.pop3 import Listing

DIGEST = "digest:"  # how the ledger names a message without a UIDL of its own
_CHUNK = 500


def compare(run: Run, folder: Folder, named: dict[str, Listing]) -> None:
    """One transaction: close, add, and at the first look take the baseline (R4)."""
    again(lambda: _compare(run, folder, named))
    folder.refresh_from_db()


def _compare(run: Run, folder: Folder, named: dict[str, Listing]) -> None:
    first_look = folder.baseline_at is None
    live = Arrival.objects.filter(folder=folder).live().exclude(uidl__startswith=DIGEST)
    outside = OutsideMail.objects.filter(folder=folder).exclude(uidl__startswith=DIGEST)
    with transaction.atomic():
        run.lease.fence()
        known = dict(live.values_list("uidl", "pk"))
        before = set(outside.values_list("uidl", flat=True))
        close(folder, [pk for uidl, pk in known.items() if uidl not in named])
        forget_outside(folder, before - named.keys())
        new = [each for uidl, each in named.items() if uidl not in known and uidl not in before]
        if first_look and run.account.start == CollectionAccount.Start.NOW:
            add_outside(folder, [each.uidl or "" for each in new])
        else:
            _add(run.account, folder, new, of_history=first_look)
        if first_look:
            folder.baseline_at = timezone.now()
            folder.history_total = len(new)
            folder.save(update_fields=["baseline_at", "history_total"])


def close(folder: Folder, gone: Sequence[int]) -> None:
    """These rows' messages are no longer on the server."""
    now = timezone.now()
    for start in range(0, len(gone), _CHUNK):
        rows = Arrival.objects.filter(folder=folder, pk__in=gone[start : start + _CHUNK])
        rows.filter(settling_at__isnull=False, settled_at__isnull=True).update(settled_at=now)
        for row in rows.to_download():
            decide(row, Arrival.Outcome.SKIPPED, reason("gone_before_download"))
            row.save(update_fields=["outcome", "reason", "decided_at"])
        rows.update(gone_at=now)


def add_outside(folder: Folder, uidls: Collection[str]) -> None:
    """Messages from before the window: counted, never collected."""
    rows = [OutsideMail(folder=folder, uidl=uidl) for uidl in uidls]
    OutsideMail.objects.bulk_create(rows, batch_size=_CHUNK, ignore_conflicts=True)
    Folder.objects.filter(pk=folder.pk).update(outside=F("outside") + len(rows))


def forget_outside(folder: Folder, gone: Collection[str]) -> None:
    """They went from the server: should the name come back, it is new mail."""
    names = sorted(gone)
    for start in range(0, len(names), _CHUNK):
        OutsideMail.objects.filter(folder=folder, uidl__in=names[start : start + _CHUNK]).delete()
    Folder.objects.filter(pk=folder.pk).update(outside=F("outside") - len(names))


def is_outside(account: CollectionAccount, row: Arrival) -> bool:
    """History from before the account's date."""
    return row.of_history and not is_within(account, row.internal_date)


def leave_outside(run: Run, folder: Folder, rows: Sequence[Arrival]) -> None:
    """Rows whose date turned out to be before the window: they leave the ledger for the count."""
    if not rows:
        return
    with transaction.atomic():
        run.lease.fence()
        Arrival.objects.filter(pk__in=[row.pk for row in rows]).delete()
        add_outside(folder, [row.uidl or "" for row in rows])
        Folder.objects.filter(pk=folder.pk).update(history_total=F("history_total") - len(rows))


def generations(folder: Folder, uidls: Collection[str]) -> dict[str, int]:
    """The highest generation of each UIDL so far, for those that were there before."""
    names = sorted(uidls)
    found: dict[str, int] = {}
    for start in range(0, len(names), _CHUNK):
        rows = Arrival.objects.filter(folder=folder, uidl__in=names[start : start + _CHUNK])
        found |= dict(rows.values_list("uidl").annotate(Max("generation")))
    return found


def _add(
    account: CollectionAccount, folder: Folder, new: Sequence[Listing], *, of_history: bool
) -> None:
    past = generations(folder, [each.uidl or "" for each in new])
    Arrival.objects.bulk_create(
        [
            Arrival(
                organization_id=account.organization_id,
                account=account,
                folder=folder,
                uidl=each.uidl,
                generation=past.get(each.uidl or "", 0) + 1,
                size=each.size,
                of_history=of_history,
            )
            for each in sorted(new, key=lambda each: each.number)
        ],
        batch_size=_CHUNK,
    )
