"""From events to notifications: each person who is to know of an event gets one row.

    event (untold) ──tell──▶ notification (+ copy) ═COMMIT with told_at═

Events are the truth: a round is due when its organization has an untold event. A kick that was lost
is made good by the next `wake`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from buzon.desk.keys import Keys
from buzon.desk.models import Event
from buzon.desk.rows import insert_objects
from buzon.lease import Lease, claim_due
from buzon.notify.audience import Audience, Untold
from buzon.notify.copies import copy_of
from buzon.notify.models import Copy, Notification, Round

log = structlog.get_logger()


def wake() -> int:
    """Make due the rounds of organizations with something untold; how many. Safe to repeat."""
    untold = Event.objects.filter(told_at=None, organization__suspended_at=None)
    waiting = set(untold.order_by().values_list("organization", flat=True).distinct())
    if not waiting:
        return 0
    rounds = Round.objects.filter(organization__in=waiting)
    missing = waiting - set(rounds.values_list("organization_id", flat=True))
    if missing:
        new = [Round(organization_id=pk) for pk in missing]
        Round.objects.bulk_create(new, ignore_conflicts=True)
    # A round with a due time is on its way, or waits after a failure.
    return rounds.filter(due_at=None).update(due_at=Now()) + len(missing)


def tell_now() -> int:
    """In the foreground: tell whatever is untold and in nobody's hands; how many notifications."""
    wake()
    made = 0
    while leases := claim_due(Round.objects.filter(organization__suspended_at=None), limit=1):
        made += tell(leases[0])
    return made


def tell(lease: Lease, *, limit: int = 500) -> int:
    """Tell an organization's untold events, oldest first; how many notifications were made.

    `lease` is on its Round, and is released. One transaction per `limit` events. Raises LeaseLost.
    """
    organization = Round.objects.values_list("organization_id", flat=True).get(pk=lease.pk)
    total = _Told()
    while True:
        told = _tell_batch(lease, organization, limit=limit)
        total = _Told(total.events + told.events, total.made + told.made)
        if told.events < limit:
            break
        lease.renew_if_needed()
    lease.release(due_at=None, attempts=0)
    if total.events:
        log.info("told", organization=organization, events=total.events, notifications=total.made)
    return total.made


@dataclass(frozen=True)
class _Told:
    events: int = 0
    made: int = 0


def _tell_batch(lease: Lease, organization: int, *, limit: int) -> _Told:
    with transaction.atomic():
        lease.fence()
        events = _untold(organization, limit=limit)
        if not events:
            return _Told()
        notifications = _new_notifications(organization, events)
        insert_objects(notifications)
        copies = [copy for one in notifications if (copy := copy_of(one)) is not None]
        Copy.objects.bulk_create(copies)
        told = Event.objects.filter(pk__in=[event.pk for event in events])
        told.update(told_at=timezone.now())
    return _Told(events=len(events), made=len(notifications))


def _untold(organization: int, *, limit: int) -> list[Untold]:
    events = Event.objects.filter(organization=organization, told_at=None)
    return [Untold(*row) for row in events.order_by("pk").values_list(*Untold._fields)[:limit]]


def _new_notifications(organization: int, events: Sequence[Untold]) -> list[Notification]:
    """With keys of their own, so that copies may refer to them."""
    audience = Audience(organization, events)
    made = [one for event in events for one in audience.notifications(event)]
    audience.save_superseded()
    held = Notification.objects.filter(event__in=[event.pk for event in events])
    known = set(held.values_list("event", "agent", "user"))
    new = [one for one in made if (one.event_id, one.agent_id, one.user_id) not in known]
    keys = Keys(len(new), Notification)
    for one in new:
        one.pk = keys.next(Notification)
    return new
