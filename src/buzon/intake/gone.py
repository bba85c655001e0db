"""Messages that are no longer on the server: their rows are closed, and stay as a memory."""

from collections.abc import Sequence

from django.db.models import Q
from django.utils import timezone

from buzon.desk.reasons import reason
from buzon.intake.models import Arrival

_CHUNK = 500
_NOT_DOWNLOADED = "gone_before_download"
_UNDECIDED = (Arrival.Outcome.WAITING, Arrival.Outcome.FAILED)


def close(keys: Sequence[int]) -> None:
    """These rows' messages are gone; in the caller's fenced transaction.

    One that we were deleting is thereby settled: the server's answer was lost, not the deed. One
    that was still to be downloaded never will be; of an oversized one, what is held remains.
    """
    now = timezone.now()
    for start in range(0, len(keys), _CHUNK):
        rows = Arrival.objects.live().filter(pk__in=keys[start : start + _CHUNK])
        rows.filter(settling_at__isnull=False, settled_at__isnull=True).update(settled_at=now)
        rows.filter(asked_by_person=True, sha256="").update(asked_by_person=False)
        rows.filter(sha256="", header_sha256="", outcome__in=_UNDECIDED).update(
            outcome=Arrival.Outcome.SKIPPED,
            reason=reason(_NOT_DOWNLOADED),
            decided_at=now,
            retry_at=None,
        )
        rows.update(gone_at=now)


def not_downloaded() -> Q:
    """Rows that were closed while they waited: should the message come back, it is a new one."""
    return Q(outcome=Arrival.Outcome.SKIPPED, reason__code=_NOT_DOWNLOADED)
