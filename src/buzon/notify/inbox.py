"""A person's notifications: those of the agent, and those of the login. Read one by one, or all."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from buzon.desk.models import Agent, User
from buzon.notify.models import Notification

MOST_COUNTED = 100  # "99+" tells as much as the number does


def notifications_of(user: User, agent: Agent | None) -> "QuerySet[Notification]":
    """All that this person was told, in no order."""
    mine = Q(user=user) if agent is None else Q(user=user) | Q(agent=agent)
    return Notification.objects.filter(mine, organization=user.organization_id)


def unread_count(user: User, agent: Agent | None) -> int:
    """How many are unread, counted up to MOST_COUNTED."""
    unread = notifications_of(user, agent).filter(read_at=None).values_list("pk")
    return len(unread[:MOST_COUNTED])


def mark_read(notifications: "QuerySet[Notification]") -> int:
    """These are read now, as far as they were not; how many."""
    return notifications.filter(read_at=None).update(read_at=timezone.now())
