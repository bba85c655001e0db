"""After a collection in the foreground: what happened becomes notifications before it ends."""

import time
from collections.abc import Callable

from buzon.desk.models import Event, Organization
from buzon.lease import LeaseLost, claim
from buzon.notify.models import Round
from buzon.notify.rounds import tell

LONGEST_WAIT = 30.0  # seconds for another worker that is telling
_EACH_WAIT = 0.2


def tell_all(organization: Organization, *, stop: Callable[[], bool]) -> None:
    """Tell every event of this organization that nobody was told of; if another worker is at it,
    wait for that one. What is still untold then is told by buzon up, or the next time.
    """
    row, _ = Round.objects.get_or_create(organization=organization)
    until = time.monotonic() + LONGEST_WAIT
    while _untold(organization) and not stop() and time.monotonic() < until:
        lease = claim(row)
        if lease is None:
            time.sleep(_EACH_WAIT)
            continue
        try:
            tell(lease)
        except LeaseLost:
            continue  # whoever took it over tells them


def _untold(organization: Organization) -> bool:
    return Event.objects.filter(organization=organization, told_at__isnull=True).exists()
