"""The days that a message stays on its server after it was filed here, by a clock that may jump.

    account.clock   when it was last looked at, what the machine's own ticks said, and the jumps
    a jump          the clock moved by another time than went by: what was between does not count

What goes by is told by the ticks of the machine (they count from its start, and no setting of the
clock changes them). After a new start, or on another machine, up to UNSEEN is believed; of a longer
time nothing is. So a jump never shortens the days, but a long pause may lengthen them.
"""

import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from buzon.intake.models import CollectionAccount
from buzon.lease import Lease

STEADY = timedelta(minutes=1)  # what a clock may be set right by, from one look to the next
UNSEEN = timedelta(days=1)
LOOK_EVERY = timedelta(hours=1)
MOST_JUMPS = 50
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

Jump = tuple[datetime, datetime]  # what the clock would have said, and what it said


def look(account: CollectionAccount, lease: Lease) -> None:
    """At the clock, at each collection; a jump is kept with the account. Raises LeaseLost."""
    before, now = account.clock, timezone.now()
    clock: dict[str, Any] = {
        "at": now.isoformat(),
        "boot": _boot(),
        "ticks": ticks(),
        "jumps": before.get("jumps", []),
    }
    if before:
        at = datetime.fromisoformat(before["at"])
        went_by = _went_by(before, clock, now - at)
        if abs(now - at - went_by) > STEADY:
            clock["jumps"] = _fewer([*clock["jumps"], [(at + went_by).isoformat(), clock["at"]]])
        elif now - at < LOOK_EVERY:
            return
    with transaction.atomic():
        lease.fence()
        CollectionAccount.objects.filter(pk=account.pk).update(clock=clock)
    account.clock = clock


def until(account: CollectionAccount) -> datetime:
    """What was filed by then has been here for as long as the account says."""
    left, end = timedelta(days=account.delete_after_days), timezone.now()
    for before, after in _jumps(account):
        if end - after >= left:
            break
        left -= max(end - after, timedelta(0))
        end = min(before, after)
    return end - left


def goes_at(account: CollectionAccount, filed_at: datetime) -> datetime | None:
    """When a message may go that was filed then, if the clock does not jump again; None for now."""
    now = timezone.now()
    been, end = timedelta(0), now
    for before, after in _jumps(account):
        if filed_at >= after:
            break
        been += max(end - after, timedelta(0))
        end = min(before, after)
    been += max(end - filed_at, timedelta(0))
    left = timedelta(days=account.delete_after_days) - been
    return now + left if left > timedelta(0) else None


def ticks() -> float:
    """Seconds since the machine was started, asleep or awake, where the system tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


@cache
def _boot() -> str:
    """Which start of the machine this is; "" where nothing tells."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


def _went_by(before: dict[str, Any], now: dict[str, Any], by_the_clock: timedelta) -> timedelta:
    if now["boot"] and now["boot"] == before["boot"]:
        return timedelta(seconds=now["ticks"] - before["ticks"])
    return by_the_clock if timedelta(0) <= by_the_clock <= UNSEEN else timedelta(0)


def _fewer(jumps: list[list[str]]) -> list[list[str]]:
    """The two oldest become one, so that what was between them does not count either."""
    if len(jumps) <= MOST_JUMPS:
        return jumps
    (before, _), (_, after), *rest = jumps
    return [[before, after], *rest]


def _jumps(account: CollectionAccount) -> list[Jump]:
    """The newest first."""
    told = account.clock.get("jumps", [])
    moments = [[datetime.fromisoformat(at) for at in jump] for jump in told]
    return [(before, after) for before, after in reversed(moments)]
