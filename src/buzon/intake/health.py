"""How a collection account is doing, and when it is collected next.

    success   ──▶ working, due after the poll interval
    nobody takes it up for minutes, or its server keeps us waiting ──▶ behind, until it succeeds
    success, but the server's day is used ──▶ throttled, due after the poll interval all the same
    Throttled ──▶ throttled, from 5 minutes on          Transient ──▶ unreachable, from the poll on
    Permanent ──▶ rejected, at most once in 10 minutes  MustAsk   ──▶ stopped, until a person says
    NoRoom    ──▶ full, from the poll on, never longer: it goes on as soon as there is room

Waiting times double with each failure in a row, up to an hour, with jitter, so that many accounts
of one server do not come back at the same moment. The administrator is told once when it fails
(at once if a person has to act, else after 15 minutes, whether it is tried then or not) and once
when it recovers, whichever of several workers sees it first.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from buzon.desk.events import record
from buzon.desk.models import Event, Organization
from buzon.desk.reasons import reason, reason_of_error
from buzon.intake.disk import NoRoom
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.renumbering import MustAsk
from buzon.lease import Lease
from buzon.wire.errors import MailError, Permanent, Throttled

State = CollectionAccount.State
LONGEST = timedelta(hours=1)
TELL_AFTER = timedelta(minutes=15)
BEHIND_AFTER = timedelta(minutes=2)
MOST_NOTICED = 500
FIRST_WAIT = {State.THROTTLED: timedelta(minutes=5), State.REJECTED: timedelta(minutes=10)}


def succeeded(
    account: CollectionAccount, lease: Lease, *, history_waits: dict[str, Any] | None = None
) -> datetime:
    """The collection went well; returns when the next is due.

    `history_waits`: the reason, where the rest of the history was left for another day.
    """
    with transaction.atomic():
        lease.fence()
        _tell_recovered(account)
        _change(
            account,
            state=State.THROTTLED if history_waits else State.WORKING,
            state_reason=history_waits or {},
            failures=0,
            failing_since=None,
            accept_renumbering=False,  # that answer was for the question of then
            last_collected_at=timezone.now(),
        )
    return timezone.now() + _poll(account)


def failed(account: CollectionAccount, lease: Lease, error: MailError) -> datetime:
    """The collection failed; returns when it is tried again."""
    state = _state_for(error)
    why = reason_of_error("mail_error", error, kind=type(error).__name__)
    before, failures = account.state, account.failures + 1
    with transaction.atomic():
        lease.fence()
        since = account.failing_since or timezone.now()
        _change(account, state=state, state_reason=why, failures=failures, failing_since=since)
        late = timezone.now() - since > TELL_AFTER
        if state == State.FULL:
            if before != State.FULL:
                _tell_full(account)
        elif state == State.REJECTED or late:
            _tell_failing(account)
    wait = _wait(account, state, failures)
    return timezone.now() + max(wait, min(_asked_to_wait(error), LONGEST))


def notice_behind() -> int:
    """Say so of accounts that have been due for minutes while all workers are busy; how many.

    Called by whoever hands out the work. The administrator hears of one that stays so.
    """
    late = timezone.now() - BEHIND_AFTER
    free = Q(lease_owner="") | Q(lease_until__lte=Now())
    duties = Duty.objects.filter(
        free,
        kind=Duty.Kind.COLLECT,
        due_at__lt=late,
        account__active=True,
        account__state__in=(State.WORKING, State.BEHIND),
        account__organization__suspended_at=None,
    )
    noticed = 0
    for duty in duties.select_related("account")[:MOST_NOTICED]:
        if duty.account.state != State.BEHIND:
            _change(
                duty.account,
                state=State.BEHIND,
                state_reason=reason("behind", kind="Behind"),
                failing_since=duty.due_at,
            )
            noticed += 1
    return noticed


def notice_slow(lease: Lease) -> bool:
    """Say so of an account that was well and whose server keeps this run waiting; whether it was.

    Called while the run is under way, by whoever watches it: what the run finds out itself, and
    what another one does, is said instead.
    """
    account = CollectionAccount.objects.filter(
        duties__pk=lease.pk,
        duties__lease_epoch=lease.epoch,
        duties__lease_owner=lease.owner,
        state=State.WORKING,
    ).first()
    if account is None:
        return False
    now = timezone.now()
    why = reason("slow", kind="Slow", host=account.host)
    _change(account, state=State.BEHIND, state_reason=why, failing_since=now)
    return True


def notice_failing() -> int:
    """Tell the administrator of those that have failed for long and were not told of; how many.

    Back-off may leave one alone for longer than the administrator is to wait.
    """
    failing = CollectionAccount.objects.filter(
        active=True,
        state__in=(State.BEHIND, State.THROTTLED, State.UNREACHABLE),
        failing_since__lt=timezone.now() - TELL_AFTER,
        told_failing_at=None,
        organization__suspended_at=None,
    )
    told = 0
    for account in failing[:MOST_NOTICED]:
        with transaction.atomic():
            told += _tell_failing(account)
    return told


def stopped(account: CollectionAccount, lease: Lease, asks: MustAsk) -> None:
    """Buzón cannot decide alone: nothing is collected, and nothing due, until `resume`."""
    with transaction.atomic():
        lease.fence()
        _tell(account, Event.Kind.ACCOUNT_STOPPED, asks.why)
        now = timezone.now()
        _change(account, state=State.STOPPED, state_reason=asks.why, told_failing_at=now)


def _state_for(error: MailError) -> "CollectionAccount.State":
    if isinstance(error, NoRoom):
        return State.FULL
    if isinstance(error, Throttled):
        return State.THROTTLED
    return State.REJECTED if isinstance(error, Permanent) else State.UNREACHABLE


def _tell_failing(account: CollectionAccount) -> bool:
    """Unless it was told, or has recovered, while we looked."""
    now = timezone.now()
    untold = CollectionAccount.objects.filter(
        pk=account.pk, told_failing_at=None, failing_since__isnull=False
    )
    if not untold.update(told_failing_at=now):
        return False
    account.told_failing_at = now
    _tell(account, Event.Kind.ACCOUNT_FAILED, account.state_reason)
    return True


def _tell_full(account: CollectionAccount) -> None:
    """All accounts wait for the same disk: the first of an organization says so for all, also where
    it was told before that its server fails.
    """
    Organization.objects.select_for_update().get(pk=account.organization_id)
    waiting = CollectionAccount.objects.filter(
        organization_id=account.organization_id, state=State.FULL
    )
    since = waiting.aggregate(first=Min("state_since"))["first"]
    told = Event.objects.filter(
        organization_id=account.organization_id,
        kind=Event.Kind.ACCOUNT_FAILED,
        at__gte=since,
        data__why__kind=NoRoom.__name__,
    )
    if not told.exists():
        _tell(account, Event.Kind.ACCOUNT_FAILED, account.state_reason)
        _change(account, told_failing_at=timezone.now())


def _tell_recovered(account: CollectionAccount) -> None:
    told = CollectionAccount.objects.filter(pk=account.pk, told_failing_at__isnull=False)
    if told.update(told_failing_at=None):
        account.told_failing_at = None
        _tell(account, Event.Kind.ACCOUNT_RECOVERED, {})


def _tell(account: CollectionAccount, kind: "Event.Kind", why: dict[str, Any]) -> None:
    record(
        kind,
        organization=account.organization_id,
        data={"account": account.name, "account_id": account.pk, "why": why},
    )


def _change(account: CollectionAccount, **changes: Any) -> None:
    if changes.get("state", account.state) != account.state:
        changes["state_since"] = timezone.now()
    for name, value in changes.items():
        setattr(account, name, value)
    # By query, so that fields which a person changed meanwhile stay as they are.
    CollectionAccount.objects.filter(pk=account.pk).update(**changes)


def _asked_to_wait(error: MailError) -> timedelta:
    return timedelta(seconds=error.asked_to_wait) if isinstance(error, Throttled) else timedelta()


def _poll(account: CollectionAccount) -> timedelta:
    return timedelta(seconds=account.poll_seconds or settings.BUZON_POLL_SECONDS)


def _wait(account: CollectionAccount, state: "CollectionAccount.State", failures: int) -> timedelta:
    if state == State.FULL:
        return _poll(account)
    first = FIRST_WAIT.get(state, _poll(account))
    doublings: int = 2 ** min(failures - 1, 10)
    return min(first * doublings, max(LONGEST, first)) * random.uniform(1.0, 1.25)  # noqa: S311
