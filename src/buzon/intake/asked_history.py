"""What a person asks of an account's history: to wait, to go on, to leave the rest, to come again.

    collecting ⇄ paused ─────────▶ (new mail is collected all the while)
        └──────────┴──cancel──▶ the rest is outside ──collect again──▶ collecting

Each may be asked twice, and asks nothing of the server: the next collection does, which is due now.
"""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from buzon.intake.account_values import AccountError
from buzon.intake.again import again
from buzon.intake.compare_pop3 import add_outside, is_history_begun
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.models.arrival import Arrivals
from buzon.intake.window import start_of_day
from buzon.lease import revoke

Start = CollectionAccount.Start
_CHUNK = 500


def pause_history(account: CollectionAccount) -> CollectionAccount:
    """No more of the history until `resume_history`; a run under way stops with it within seconds.
    Raises AccountError where nothing of it is to come.
    """
    if not _is_to_come(account):
        told = _("Nothing of the history of {account} is still to come.")
        raise AccountError(told.format(account=account))
    return _set_paused(account, paused=True)


def resume_history(account: CollectionAccount) -> CollectionAccount:
    """The history goes on where it was."""
    return _set_paused(account, paused=False)


def cancel_history(account: CollectionAccount) -> int:
    """What of the history is not in custody stays on the server, outside the window; how many
    messages. A run that is under way writes nothing more, and another one is due.
    """
    return again(lambda: _cancel(account))


def collect_again(account: CollectionAccount, *, since: date | None) -> CollectionAccount:
    """List the history again, from this day on (None: all of it), and collect what has no row yet,
    also what was cancelled; what was skipped is judged anew. Letters that are here stay as they
    are. Raises AccountError for a day that is still to come, or before the first look.
    """
    if since is not None and since > timezone.localdate():
        raise AccountError(_("That day is still to come."), field="since")
    if not account.folders.filter(baseline_at__isnull=False).exists():
        told = _("{account} was not looked at yet: change where it starts instead.")
        raise AccountError(told.format(account=account), field="since")
    again(lambda: _collect_again(account, since))
    account.refresh_from_db()
    return account


def is_window_all(account: CollectionAccount) -> bool:
    """Whether all that was there at first is wanted, and none of it was cancelled."""
    cancelled = account.folders.filter(cancelled_at__isnull=False).exists()
    return account.start == Start.ALL and not cancelled


def _is_to_come(account: CollectionAccount) -> bool:
    to_come = Q(history_begun_at__isnull=True) | Q(list_again=True)
    if account.history_done_at is None:
        return True
    to_come |= Q(history_begun_at__gt=account.history_done_at)
    return account.folders.filter(to_come).exists()


def _set_paused(account: CollectionAccount, *, paused: bool) -> CollectionAccount:
    with transaction.atomic():
        CollectionAccount.objects.filter(pk=account.pk).update(history_paused=paused)
        if not paused:
            account.duties.update(due_at=timezone.now())
    account.history_paused = paused
    return account


def _cancel(account: CollectionAccount) -> int:
    with transaction.atomic():
        _lock_duties(account)
        revoke(account.duties.filter(kind=Duty.Kind.COLLECT))
        folders = account.folders.filter(baseline_at__isnull=False)
        left = sum(_leave_rest(account, folder) for folder in folders)
        CollectionAccount.objects.filter(pk=account.pk).update(history_paused=False)
        account.history_paused = False
        account.duties.update(due_at=timezone.now())
    return left


def _leave_rest(account: CollectionAccount, folder: Folder) -> int:
    rows = _not_in_custody(folder)
    unlisted, octets_unlisted = folder.to_come, folder.octets_to_come
    keys = list(rows.values_list("pk", "uidl", "size"))
    left = unlisted + len(keys)
    if not left and not folder.list_again:
        return 0
    for start in range(0, len(keys), _CHUNK):
        rows.filter(pk__in=[pk for pk, _uidl, _size in keys[start : start + _CHUNK]]).delete()
    changes: dict[str, Any] = {"to_come": 0, "octets_to_come": 0, "list_again": False}
    changes["cancelled_at"] = timezone.now()
    if account.protocol == CollectionAccount.Protocol.IMAP:
        changes |= {"low": 1, "outside": F("outside") + left}
    else:
        # Without UIDLs the rest has no name yet: the next session gives it one (by digest).
        add_outside(folder, [uidl for _pk, uidl, _size in keys if uidl])
    if not is_history_begun(folder):
        changes["history_total"] = F("history_total") - left
        octets = octets_unlisted + sum(size for _pk, _uidl, size in keys)
        changes["history_octets"] = F("history_octets") - octets
    Folder.objects.filter(pk=folder.pk).update(**changes)
    return left


def _not_in_custody(folder: Folder) -> Arrivals:
    rows = Arrival.objects.filter(folder=folder, of_history=True, asked_by_person=False)
    return rows.to_download()


def _collect_again(account: CollectionAccount, since: date | None) -> None:
    with transaction.atomic():
        _lock_duties(account)
        account.refresh_from_db()
        _widen(account, since)
        folders = account.folders.filter(baseline_at__isnull=False)
        folders.update(list_again=True, cancelled_at=None)
        _judge_skipped_again(account, since)
        account.duties.update(due_at=timezone.now())


def _widen(account: CollectionAccount, since: date | None) -> None:
    """The window of now and from this day on; where some was cancelled, from this day on alone."""
    account.history_paused = False
    if since is None:
        account.start, account.start_date = Start.ALL, None
    elif not is_window_all(account):
        cancelled = account.folders.filter(cancelled_at__isnull=False).exists()
        before = None if cancelled or account.start == Start.NOW else account.start_date
        account.start, account.start_date = Start.DATE, min(since, before or since)
    account.save(update_fields=["history_paused", "start", "start_date"])


def _judge_skipped_again(account: CollectionAccount, since: date | None) -> None:
    rows = Arrival.objects.filter(account=account, outcome=Arrival.Outcome.SKIPPED).live()
    if since is not None:
        rows = rows.filter(internal_date__gte=start_of_day(account, since))
    if not account.create_customer:
        rows.filter(sha256="").update(header_digest="")  # its header is asked for, and decides
    for row in rows.filter(of_history=False).values("folder").order_by().annotate(
        number=Count("pk"), octets=Sum("size")
    ):  # fmt: skip
        Folder.objects.filter(pk=row["folder"]).update(
            history_total=F("history_total") + row["number"],
            history_octets=F("history_octets") + row["octets"],
        )
    # Of history from now on, so that they are told of as old letters are.
    changes: dict[str, Any] = {"outcome": Arrival.Outcome.WAITING, "reason": {}, "attempts": 0}
    rows.update(of_history=True, retry_at=None, decided_at=None, **changes)


def _lock_duties(account: CollectionAccount) -> None:
    # A collector's transaction begins by locking its duty's row (Lease.fence).
    list(Duty.objects.select_for_update().filter(account=account).order_by("pk"))
