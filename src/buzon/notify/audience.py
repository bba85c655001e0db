"""Who is told of an event (R7, R11, R13), and through which channels.

to its agent                 customer_assigned, history_collected
to the customer's agent      message_received (where the account says so), letter_bounced
to every administrator       customer_left_unassigned, account_failed, _stopped, _recovered
to nobody                    customer_created

Where there is no administrator yet, the first one is told of what still holds then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from buzon.desk.models import Agent, Customer, Event, Organization, User
from buzon.notify.copies import may_be_written_to
from buzon.notify.models import Notification

_TO_AGENT = {
    Event.Kind.CUSTOMER_ASSIGNED,
    Event.Kind.MESSAGE_RECEIVED,
    Event.Kind.LETTER_BOUNCED,
    Event.Kind.HISTORY_COLLECTED,
}
_TO_ADMINISTRATORS = {
    Event.Kind.CUSTOMER_LEFT_UNASSIGNED,
    Event.Kind.ACCOUNT_FAILED,
    Event.Kind.ACCOUNT_STOPPED,
    Event.Kind.ACCOUNT_RECOVERED,
}
_COPIED_TO_ADMINISTRATORS = {Event.Kind.ACCOUNT_FAILED, Event.Kind.ACCOUNT_STOPPED}

# What an event that concerns administrators is about: ("account", its id) or ("group", its name).
_Thing = tuple[str, str]


class Untold(NamedTuple):
    """An event as telling needs it."""

    pk: int
    kind: str
    agent_id: int | None
    customer_id: int | None
    message_id: int | None
    silent: bool
    data: dict[str, Any]


class Audience:
    """The people of one organization, for one batch of events told in order."""

    def __init__(self, organization: int, events: Sequence[Untold]) -> None:
        self._organization = organization
        self._agent_of = _agents_of_customers(events)
        ids = {event.agent_id for event in events} | set(self._agent_of.values())
        self._agents = Agent.objects.filter(organization=organization).in_bulk(ids - {None})
        self._administrators = _administrators_of(organization)
        self._unread = _unread_of_administrators(organization)
        self._superseded: list[Notification] = []

    def notifications(self, event: Untold) -> Iterator[Notification]:
        """The rows to make for this event, not yet saved."""
        if event.kind in _TO_AGENT:
            agent = self._agent_to_tell(event)
            if agent is not None:
                yield self._made(event, agent=agent, email=_wants_copy(agent, event))
        elif event.kind in _TO_ADMINISTRATORS:
            yield from self._for_administrators(event)

    def save_superseded(self) -> None:
        Notification.objects.bulk_update(self._superseded, ["read_at"])

    def _for_administrators(self, event: Untold) -> Iterator[Notification]:
        email = event.kind in _COPIED_TO_ADMINISTRATORS
        for user in self._administrators:
            unread = self._unread[user.pk, _thing(event.kind, event.data)]
            if unread and unread[-1].kind == event.kind:
                continue  # the newest that they have not read says just this
            self._supersede(unread, event.kind)
            copied = email and may_be_written_to(user.email)
            notification = self._made(event, user=user, email=copied)
            unread.append(notification)
            yield notification

    def _supersede(self, unread: list[Notification], kind: str) -> None:
        """Failed, recovered, failed again: the second failure replaces the first, unread one."""
        for older in [one for one in unread if one.kind == kind]:
            unread.remove(older)
            older.read_at = timezone.now()
            if older.pk is not None:
                self._superseded.append(older)

    def _agent_to_tell(self, event: Untold) -> Agent | None:
        if event.kind == Event.Kind.MESSAGE_RECEIVED and event.data.get("notify") is not True:
            return None  # the account says not to (R7), or the letter is of a list or an answerer
        key = event.agent_id
        if key is None and event.customer_id is not None:
            key = self._agent_of.get(event.customer_id)
        agent = self._agents.get(key) if key is not None else None
        return agent if agent is not None and agent.active else None

    def _made(
        self, event: Untold, *, agent: Agent | None = None, user: User | None = None, email: bool
    ) -> Notification:
        loud = not event.silent
        return Notification(
            organization_id=self._organization,
            kind=event.kind,
            agent=agent,
            user=user,
            event_id=event.pk,
            customer_id=event.customer_id,
            message_id=event.message_id,
            data=event.data,
            channels={"list": True, "popup": loud, "email": loud and email},
        )


def _agents_of_customers(events: Iterable[Untold]) -> dict[int, int | None]:
    """Of the customers in events that name no agent: customer → agent."""
    nameless = (event.customer_id for event in events if event.agent_id is None)
    customers = {key for key in nameless if key is not None}
    rows = Customer.objects.filter(pk__in=customers)
    return dict(rows.values_list("pk", "agent_id"))


def _administrators_of(organization: int) -> list[User]:
    """Where there is none, none is being made either at this moment: she would miss what is told to
    nobody now (`desk.people.add_administrator`).
    """
    logins = User.objects.filter(
        organization=organization, role=User.Role.ADMINISTRATOR, is_active=True
    ).order_by("pk")
    found = list(logins)
    if not found:
        Organization.objects.select_for_update(no_key=True).values_list("pk").get(pk=organization)
        found = list(logins.all())
    return found


def _wants_copy(agent: Agent, event: Untold) -> bool:
    if not may_be_written_to(agent.email):
        return False
    if agent.email_copies == Agent.Copies.ASSIGNED:
        return event.kind == Event.Kind.CUSTOMER_ASSIGNED
    return agent.email_copies == Agent.Copies.ALL


def _unread_of_administrators(
    organization: int,
) -> defaultdict[tuple[int, _Thing], list[Notification]]:
    """By login and thing, oldest first. Few: at most one of a kind about a thing is unread."""
    unread: defaultdict[tuple[int, _Thing], list[Notification]] = defaultdict(list)
    rows = Notification.objects.filter(
        organization=organization, user__isnull=False, read_at=None, kind__in=_TO_ADMINISTRATORS
    )
    for one in rows.order_by("pk"):
        assert one.user_id is not None
        unread[one.user_id, _thing(one.kind, one.data)].append(one)
    return unread


def _thing(kind: str, data: dict[str, Any]) -> _Thing:
    if kind == Event.Kind.CUSTOMER_LEFT_UNASSIGNED:
        return "group", str(
            (data.get("why") or {}).get("group")
        )  # no group at all is one thing too
    return "account", str(data.get("account_id"))
