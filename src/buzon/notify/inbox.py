"""A person's notifications: those of the agent, and those of the login. Read one by one, or all."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from buzon.desk.models import Agent, User
from buzon.notify.models import Notification

MOST_COUNTED = 100  # "99+" tells as much as the number does
MOST_MISSED = 50  # of what came while nobody looked


class Reader(NamedTuple):
    """Who is told, by key: a login, and the agent that it is, if it is one."""

    user_id: int
    agent_id: int | None


class Fresh(NamedTuple):
    """A notification that has come to exist, and to whom it is told."""

    pk: int
    agent_id: int | None
    user_id: int | None

    def is_for(self, reader: Reader) -> bool:
        """Whether this reader is the one who is told."""
        if self.agent_id is not None:
            return self.agent_id == reader.agent_id
        return self.user_id == reader.user_id


def notifications_of(user: User, agent: Agent | None) -> "QuerySet[Notification]":
    """All that this person was told, in no order."""
    mine = Q(user=user) if agent is None else Q(user=user) | Q(agent=agent)
    return Notification.objects.filter(mine, organization=user.organization_id)


def newest_first(notifications: "QuerySet[Notification]") -> "QuerySet[Notification]":
    """With all that a headline needs, so that a list asks no more."""
    rows = notifications.select_related("customer", "message")
    return rows.prefetch_related("customer__addresses").order_by("-pk")


def unread_count(user: User, agent: Agent | None) -> int:
    """How many are unread, counted up to MOST_COUNTED."""
    return _counted(notifications_of(user, agent))


def unread_count_of(reader: Reader) -> int:
    """The same of one who is known by key alone."""
    return _counted(_told_to([reader]))


def mark_read(notifications: "QuerySet[Notification]") -> int:
    """These are read now, as far as they were not; how many."""
    return notifications.filter(read_at=None).update(read_at=timezone.now())


def newest_id(reader: Reader) -> int:
    """The key of the last notification that this reader was given; 0 before the first."""
    return _told_to([reader]).aggregate(newest=Max("pk"))["newest"] or 0


def newest_id_of_all() -> int:
    """The key of the last notification of this installation; 0 before the first."""
    return Notification.objects.aggregate(newest=Max("pk"))["newest"] or 0


def missed(reader: Reader, *, after: int) -> list[Notification]:
    """What popped up after this key while the reader was away and is still unread, oldest first;
    of very many the newest MOST_MISSED.
    """
    rows = _told_to([reader]).filter(pk__gt=after, read_at=None, channels__popup=True)
    return list(newest_first(rows)[:MOST_MISSED])[::-1]


def fresh(readers: Collection[Reader], *, after: int) -> list[Fresh]:
    """What these readers were given after this key, oldest first."""
    rows = _told_to(readers).filter(pk__gt=after).order_by("pk")
    return [Fresh(*row) for row in rows.values_list("pk", "agent_id", "user_id")]


def who_read(readers: Collection[Reader], *, since: datetime) -> set[Reader]:
    """Those of these readers who have read something since then, here or elsewhere."""
    rows = _told_to(readers).filter(read_at__gte=since).order_by()
    seen = set(rows.values_list("agent_id", "user_id").distinct())
    return {one for one in readers if seen & {(one.agent_id, None), (None, one.user_id)}}


def in_full(keys: Iterable[int]) -> dict[int, Notification]:
    """These notifications, with all that a headline needs."""
    return {row.pk: row for row in newest_first(Notification.objects.filter(pk__in=set(keys)))}


def _told_to(readers: Collection[Reader]) -> "QuerySet[Notification]":
    users = {one.user_id for one in readers}
    agents = {one.agent_id for one in readers if one.agent_id is not None}
    told = Q(user__in=users) | Q(agent__in=agents) if agents else Q(user__in=users)
    return Notification.objects.filter(told)


def _counted(notifications: "QuerySet[Notification]") -> int:
    unread = notifications.filter(read_at=None).values_list("pk")
    return len(unread[:MOST_COUNTED])
