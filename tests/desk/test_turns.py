"""Whose turn is next (R10): what is shown is what would be done."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from buzon.desk.assignment import hand_out, turns
from buzon.desk.models import Agent, AgentGroup
from buzon.desk.people import deactivate_agent
from buzon.desk.reasons import sentence
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> AgentGroup:
    return cast.group(cast.organization())


def test_r10_the_next_one_shown_is_the_next_one_given(group: AgentGroup) -> None:
    """Over many states: the agent, and the reason, that `hand_out` then gives."""
    chance = random.Random(4711)
    agents = [cast.agent(group.organization, group) for _ in range(5)]
    for _ in range(60):
        agent = chance.choice(agents)
        agent.set_status(chance.choice(list(Agent.Status)))
        agent.signed_out() if chance.random() < 0.6 else agent.heard_from()
        Agent.objects.filter(pk=agent.pk).update(active=chance.random() < 0.8)
        shown = turns([group])[group.pk]
        given = hand_out(cast.new_customer(group.organization), group)
        assert (shown.next, shown.why) == (given.agent, given.why)


def test_members_stand_in_the_order_of_their_turns(group: AgentGroup) -> None:
    shop = group.organization
    away, gone = cast.agent(shop, group, present=False), cast.agent(shop, group)
    first, second = cast.agent(shop, group), cast.agent(shop, group)
    busy = cast.agent(shop, group, status="busy")
    deactivate_agent(gone)
    hand_out(cast.new_customer(shop), group)
    shown = turns([group])[group.pk]
    assert [turn.agent for turn in shown.members] == [second, first, away, busy, gone]
    assert [turn.shares for turn in shown.members] == [True, True, False, False, False]
    assert [turn.last_turn for turn in shown.members] == [0, 1, 0, 0, 0]
    assert sentence(shown.why) == "Free and signed in, next in turn of 2"


def test_a_group_without_active_agents_says_so(group: AgentGroup) -> None:
    assert turns([group])[group.pk].next is None
    deactivate_agent(cast.agent(group.organization, group))
    shown = turns([group])[group.pk]
    assert shown.next is None
    assert sentence(shown.why) == f"The group {group.name} has no active agents"


def test_many_groups_are_one_query(group: AgentGroup) -> None:
    groups = [group] + [cast.group(group.organization) for _ in range(9)]
    for each in groups:
        cast.agent(group.organization, each)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        shown = turns(groups)
    assert len(queries) == 1
    assert all(one.next for one in shown.values())
