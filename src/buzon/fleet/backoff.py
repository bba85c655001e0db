"""When a row whose run raised is tried again. `attempts` of the row counts such runs in a row."""

import random
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from buzon.lease import Lease, LeasedRow

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)


def postpone(lease: Lease) -> None:
    """Release the row, due later, and later still with each failure in a row."""
    rows = lease.model._base_manager.filter(pk=lease.pk)
    attempts = rows.values_list("attempts", flat=True).first() or 0
    planned: timedelta = min(FIRST * 2 ** min(attempts, 20), LONGEST)
    delay = planned * random.uniform(0.75, 1.25)  # noqa: S311 (spread, not a secret)
    lease.release(due_at=timezone.now() + delay, attempts=F("attempts") + 1)


def went_well(model: type[LeasedRow], pk: int) -> None:
    """The failures in a row are over."""
    model._base_manager.filter(pk=pk, attempts__gt=0).update(attempts=0)
