"""How a collection account is doing, and when it is collected next.

    success   ──▶ working, due after the poll interval
    nobody takes it up for minutes ──▶ behind, until its next success
    Throttled ──▶ throttled, from 5 minutes on          Transient ──▶ unreachable, from the poll on
    Permanent ──▶ rejected, at most once in 10 minutes  MustAsk   ──▶ stopped, until a person says

Waiting times double with each failure in a row, up to an hour, with jitter, so that many accounts
of one server do not come back at the same moment. The administrator is told once when it fails
(at once if a person has to act, else after 15 minutes) and once when it recovers.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from buzon.desk.events import record
from buzon.desk.models import Event
from buzon.desk.reasons import reason, reason_of_error
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


def succeeded(account: CollectionAccount, lease: Lease) -> datetime:
    """The collection went well; returns when the next is due."""
    with transaction.atomic():
        lease.fence()
        if account.told_failing_at is not None:
            _tell(account, Event.Kind.ACCOUNT_RECOVERED, {})
        _change(
            account,
            state=State.WORKING,
            state_reason={},
            failures=0,
            told_failing_at=None,
            accept_renumbering=False,  # that answer was for the question of then
            last_collected_at=timezone.now(),
        )
    return timezone.now() + _poll(account)


def failed(account: CollectionAccount, lease: Lease, error: MailError) -> datetime:
    """The collection failed; returns when it is tried again."""
    state = _state_for(error)
    why = reason_of_error("mail_error", error, kind=type(error).__name__)
    failures = account.failures + 1
    with transaction.atomic():
        lease.fence()
        changes: dict[str, Any] = {"state": state, "state_reason": why, "failures": failures}
        if _is_to_be_told(account, state):
            _tell(account, Event.Kind.ACCOUNT_FAILED, why)
            changes["told_failing_at"] = timezone.now()
        _change(account, **changes)
    return timezone.now() + _wait(account, state, failures)


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
        noticed += _fall_behind(duty.account)
    return noticed


def _fall_behind(account: CollectionAccount) -> bool:
    why = reason("behind", kind="Behind")
    changes: dict[str, Any] = {"state": State.BEHIND, "state_reason": why}
    is_news = account.state != State.BEHIND
    with transaction.atomic():
        if _is_to_be_told(account, State.BEHIND):
            _tell(account, Event.Kind.ACCOUNT_FAILED, why)
            changes["told_failing_at"] = timezone.now()
        elif not is_news:
            return False
        _change(account, **changes)
    return is_news


def stopped(account: CollectionAccount, lease: Lease, asks: MustAsk) -> None:
    """Buzón cannot decide alone: nothing is collected, and nothing due, until `resume`."""
    with transaction.atomic():
        lease.fence()
        _tell(account, Event.Kind.ACCOUNT_STOPPED, asks.why)
        now = timezone.now()
        _change(account, state=State.STOPPED, state_reason=asks.why, told_failing_at=now)


def _state_for(error: MailError) -> "CollectionAccount.State":
    if isinstance(error, Throttled):
        return State.THROTTLED
    return State.REJECTED if isinstance(error, Permanent) else State.UNREACHABLE


def _is_to_be_told(account: CollectionAccount, state: "CollectionAccount.State") -> bool:
    if account.told_failing_at is not None:
        return False
    if state == State.REJECTED:
        return True
    last_good = account.last_collected_at or account.created_at
    return timezone.now() - last_good > TELL_AFTER


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


def _poll(account: CollectionAccount) -> timedelta:
    return timedelta(seconds=account.poll_seconds or settings.BUZON_POLL_SECONDS)


def _wait(account: CollectionAccount, state: "CollectionAccount.State", failures: int) -> timedelta:
    first = FIRST_WAIT.get(state, _poll(account))
    doublings: int = 2 ** min(failures - 1, 10)
    return min(first * doublings, max(LONGEST, first)) * random.uniform(1.0, 1.25)  # noqa: S311
