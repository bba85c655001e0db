"""The turns of one group (R10), taken in memory while its row is locked.

lock the group ══▶ read the members ──▶ give, give, give …  ══▶ store
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F
from django.utils import timezone

from buzon.desk.errors import Overtaken
from buzon.desk.events import Happened
from buzon.desk.keys import Keys
from buzon.desk.models import Agent, AgentGroup, Assignment, Customer, Event, Membership
from buzon.desk.reasons import reason
from buzon.desk.rows import insert_rows, update_rows
from buzon.desk.statements import change_agents


def active_members(group_id: int) -> list[Membership]:
    """With their agents; whose turn is next first."""
    rows = Membership.objects.filter(group=group_id, agent__active=True)
    mine = rows.filter(agent__organization=F("group__organization"))
    return list(mine.select_related("agent").order_by("last_turn", "pk"))


def tier_of(
    members: Iterable[Membership], now: datetime, *, whole_group: bool = False
) -> tuple[list[Membership], str]:
    """Among whom the next customer is shared, whose turn is next first; and the reason's code."""
    everybody = list(members)
    if whole_group:
        return everybody, "whole_group_next_in_turn"
    free = [m for m in everybody if m.agent.status == Agent.Status.FREE and m.agent.is_present(now)]
    return (free, "free_next_in_turn") if free else (everybody, "rest_next_in_turn")


class Given(NamedTuple):
    """An assignment that is not yet stored, by keys; without an agent where there was none."""

    pk: int
    organization_id: int
    customer_id: int
    agent_id: int | None
    group_id: int | None
    turn: int | None
    why: dict[str, Any]


class HandingOut:
    """Hands customers out to a group's agents, or, without a group, to nobody, in one transaction.

    What happened goes to `events`, for the caller to store. `whole_group`: one tier.
    """

    def __init__(
        self,
        group: AgentGroup | None,
        keys: Keys,
        events: list[Happened],
        *,
        whole_group: bool = False,
    ) -> None:
        self._group = group
        self._keys = keys
        self._events = events
        self._whole_group = whole_group
        self._members: list[Membership] | None = None
        self._tiers: dict[bool, tuple[list[Membership], str]] = {}
        self._turn = 0
        self._now = timezone.now()
        self._given: list[Given] = []
        self._seen: dict[int, int | None] = {}
        self._customers: dict[int, Customer] = {}
        self._turned: dict[int, Membership] = {}

    def give(self, customer: Customer, *, silent: bool = False, whole_group: bool = False) -> Given:
        """The customer goes to the agent whose turn it is; the agent is told of it.

        A group without active agents (or none at all): nobody gets it, and the event is
        customer_left_unassigned. `silent`: the event is told in the list only. `whole_group`:
        this one in one tier, if not all are.
        """
        tier, code = self._tier(whole_group=whole_group or self._whole_group)
        if not tier:
            return self._leave_unassigned(customer, silent=silent)
        chosen = min(tier, key=_last_turn)
        self._turn += 1
        chosen.last_turn = self._turn
        self._turned[chosen.pk] = chosen
        agent = chosen.agent
        if not customer._state.adding:
            self._seen.setdefault(customer.pk, customer.agent_id)
            self._customers[customer.pk] = customer
        customer.agent = agent
        present = agent.is_present(self._now)
        why = reason(code, of=len(tier), status=agent.status, present=present)
        given = self._recorded(customer, agent.pk, turn=self._turn, why=why)
        self._tell(Event.Kind.CUSTOMER_ASSIGNED, given, silent=silent)
        return given

    def store(self) -> None:
        """Customers that are rows already change agents only if theirs is still the one seen; else
        Overtaken is raised, before anything was stored.
        """
        changes = [(key, seen, self._customers[key].agent_id) for key, seen in self._seen.items()]
        if change_agents(changes) < len(changes):
            raise Overtaken
        names = ("pk", "organization", "customer", "agent", "group", "turn", "why")
        insert_rows(Assignment, names, self._given)
        if self._group is not None and self._turned:
            AgentGroup.objects.filter(pk=self._group.pk).update(turn=self._turn)
            update_rows(list(self._turned.values()), ["last_turn"])

    def _tier(self, *, whole_group: bool) -> tuple[list[Membership], str]:
        if whole_group not in self._tiers:
            members = self._locked_members()
            self._tiers[whole_group] = tier_of(members, self._now, whole_group=whole_group)
        return self._tiers[whole_group]

    def _locked_members(self) -> list[Membership]:
        """1. Lock the group's row until the transaction ends. 2. Only then read the members, so
        that the turns of whoever held the lock before are seen.
        """
        if self._members is None:
            self._members = []
            if self._group is not None:
                rows = AgentGroup.objects.select_for_update(no_key=True)
                self._turn = rows.values_list("turn", flat=True).get(pk=self._group.pk)
                self._members = active_members(self._group.pk)
        return self._members

    def _leave_unassigned(self, customer: Customer, *, silent: bool) -> Given:
        if self._group is None:
            why = reason("no_group")
        else:
            why = reason("group_without_agents", group=self._group.name)
        left = self._recorded(customer, None, turn=None, why=why)
        self._tell(Event.Kind.CUSTOMER_LEFT_UNASSIGNED, left, silent=silent)
        return left

    def _recorded(
        self, customer: Customer, agent_id: int | None, *, turn: int | None, why: dict[str, Any]
    ) -> Given:
        given = Given(
            pk=self._keys.next(Assignment),
            organization_id=customer.organization_id,
            customer_id=customer.pk,
            agent_id=agent_id,
            group_id=self._group.pk if self._group is not None else None,
            turn=turn,
            why=why,
        )
        self._given.append(given)
        return given

    def _tell(self, kind: Event.Kind, given: Given, *, silent: bool) -> None:
        of = {"assignment": given.pk} if kind == Event.Kind.CUSTOMER_ASSIGNED else {}
        told = Happened(
            organization_id=given.organization_id,
            kind=kind,
            customer_id=given.customer_id,
            agent_id=given.agent_id,
            silent=silent,
            data=of | {"why": given.why},
        )
        self._events.append(told)


def _last_turn(member: Membership) -> tuple[int, int]:
    return member.last_turn, member.pk
