"""Who looks after a customer: new ones are shared out evenly among a group (R10).

Two tiers: the group's active agents who are Free and signed in; only if there is not one, the
rest of its active agents. Within the tier the one whose last turn is the longest ago gets the
customer and the group's next turn. One sequence of turns per group, across accounts, collectors
and tiers, guarded by the lock on the group's row, so with the eligible set constant shares
differ by at most one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from buzon.desk.errors import DeskError, Overtaken
from buzon.desk.events import Happened, record, record_all
from buzon.desk.handing_out import HandingOut, active_members, tier_of
from buzon.desk.keys import Keys
from buzon.desk.models import (
    Agent,
    AgentGroup,
    Assignment,
    Customer,
    Event,
    Membership,
    Organization,
    User,
)
from buzon.desk.reasons import OPERATOR, reason

Giver = User | Agent | None  # who assigns by hand; None: whoever runs the installation


def hand_out(
    customer: Customer,
    group: AgentGroup | None,
    *,
    whole_group: bool = False,
    silent: bool = False,
) -> Assignment:
    """Give the customer to the agent of the group whose turn it is, and say so to the agent.

    The customer is changed only if its agent is still the one in `customer`; if another collector
    was first, what it did is returned. A group without active agents (or none at all): an
    Assignment without agent, and the event customer_left_unassigned. `whole_group`: one tier.
    `silent`: the event is told in the list only. Meant for the transaction that creates the
    customer.
    """
    events: list[Happened] = []
    with transaction.atomic(savepoint=False):
        handing = HandingOut(group, Keys(1, Assignment), events, whole_group=whole_group)
        given = handing.give(customer, silent=silent)
        try:
            handing.store()
        except Overtaken:
            return _done_by_another(customer, group, whole_group=whole_group, silent=silent)
        record_all(events)
        stored = Assignment(**given._asdict() | {"group": group, "customer": customer})
        stored._state.adding = False
        return stored


def preview(group: AgentGroup, count: int, *, whole_group: bool = False) -> list[tuple[Agent, int]]:
    """Who would get how many of `count` new customers, were they all handed out now.

    The eligible agents in the order of their turns; empty for a group without active agents.
    """
    tier, _code = tier_of(active_members(group.pk), timezone.now(), whole_group=whole_group)
    each, over = divmod(count, len(tier) or 1)
    return [(member.agent, each + (place < over)) for place, member in enumerate(tier)]


@dataclass(frozen=True, slots=True)
class Turn:
    """A member of a group. `last_turn` 0: never had one. `shares`: is among those who get new
    customers as things are now.
    """

    agent: Agent
    last_turn: int
    shares: bool


@dataclass(frozen=True, slots=True)
class Turns:
    """The members: those who share now, whose turn is next first; then the others; then the
    deactivated. `why`: the reason that the next one would be given now, or that nobody would.
    """

    members: list[Turn]
    why: dict[str, Any]

    @property
    def next(self) -> Agent | None:
        first = self.members[0] if self.members else None
        return first.agent if first and first.shares else None


def turns(groups: Iterable[AgentGroup]) -> dict[int, Turns]:
    """Group's key → whose turn is next, as `hand_out` would decide now. One query for all."""
    now, wanted = timezone.now(), list(groups)
    rows = Membership.objects.filter(group__in=wanted).select_related("agent")
    of: dict[int, list[Membership]] = {group.pk: [] for group in wanted}
    for row in rows.order_by("last_turn", "pk"):
        of[row.group_id].append(row)
    return {group.pk: _turns(group, of[group.pk], now) for group in wanted}


def by_hand(customer: Customer, agent: Agent | None, *, by: Giver = None) -> Assignment:
    """A person gives the customer to this agent, or takes it away (`agent` None).

    Raises DeskError for an agent of another organization or one who is deactivated.
    """
    if agent is not None:
        _check_may_get(agent, customer)
    code = "given_by_hand" if agent is not None else "taken_by_hand"
    with transaction.atomic():
        changed = customer.agent_id != (agent and agent.pk)
        Customer.objects.filter(pk=customer.pk).update(agent=agent)
        customer.agent = agent
        given = _recorded(customer, customer.agent_id, why=reason(code, by=_name(by)))
        if changed and agent is not None:
            _tell(customer, given)
        return given


def waits_for_agent(customer: Customer, *, hand_out_existing: bool = False) -> bool:
    """Whether a customer who is not new is to be handed out as if new when a letter comes.

    Yes where the agent was deactivated; without any agent only where the account says so.
    """
    if customer.agent is None:
        return hand_out_existing
    return not customer.agent.active


def left_behind(organization: Organization) -> QuerySet[Customer]:
    """The customers of deactivated agents, who are handed out as if new when they next write."""
    return Customer.objects.filter(organization=organization, agent__active=False)


def _turns(group: AgentGroup, rows: list[Membership], now: datetime) -> Turns:
    tier, code = tier_of((row for row in rows if row.agent.active), now)
    sharing = {member.pk for member in tier}
    why = reason("group_without_agents", group=group.name)
    if tier:
        first = tier[0].agent
        why = reason(code, of=len(tier), status=first.status, present=first.is_present(now))
    ordered = sorted(rows, key=lambda row: (row.pk not in sharing, not row.agent.active))
    return Turns([Turn(row.agent, row.last_turn, row.pk in sharing) for row in ordered], why)


def _done_by_another(
    customer: Customer, group: AgentGroup | None, *, whole_group: bool, silent: bool
) -> Assignment:
    """Another collector handed this customer out first: its assignment, not a second one."""
    customer.refresh_from_db(fields=["agent"])
    if customer.agent is None or not customer.agent.active:
        return hand_out(customer, group, whole_group=whole_group, silent=silent)
    given = Assignment.objects.filter(customer=customer, agent=customer.agent)
    return given.select_related("agent", "group").latest("pk")


def _recorded(
    customer: Customer,
    agent_id: int | None,
    *,
    why: dict[str, Any],
) -> Assignment:
    return Assignment.objects.create(
        organization_id=customer.organization_id,
        customer=customer,
        agent_id=agent_id,
        why=why,
    )


def _tell(customer: Customer, given: Assignment) -> None:
    record(
        Event.Kind.CUSTOMER_ASSIGNED,
        organization=customer.organization_id,
        customer=customer,
        agent=given.agent_id,
        data={"assignment": given.pk, "why": given.why},
    )


def _check_may_get(agent: Agent, customer: Customer) -> None:
    if agent.organization_id != customer.organization_id:
        told = _("The agent {name} belongs to another organization.").format(name=agent.name)
        raise DeskError(told, field="agent")
    if not agent.active:
        raise DeskError(deactivated(agent), field="agent")


def deactivated(agent: Agent) -> str:
    """The sentence that refuses customers to a deactivated agent."""
    told = _("The agent {name} is deactivated and cannot get customers.")
    return told.format(name=agent.name)


def _name(by: Giver) -> str:
    if by is None:
        return OPERATOR
    return by.name if isinstance(by, Agent) else by.email
