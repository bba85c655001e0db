"""R10 and R12: new customers are shared out evenly among the group."""

from datetime import timedelta

import pytest
from django.utils import timezone

from buzon.desk.assignment import by_hand, hand_out, left_behind, preview, waits_for_agent
from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, AgentGroup, Assignment, Customer, Event, Membership
from buzon.desk.people import deactivate_agent, join_group, set_status
from buzon.desk.reasons import sentence
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> AgentGroup:
    return cast.group(cast.organization())


def _next(group: AgentGroup) -> Assignment:
    return hand_out(cast.new_customer(group.organization), group)


def test_r10_free_and_signed_in_agents_take_turns(group: AgentGroup) -> None:
    three = [cast.agent(group.organization, group) for _ in range(3)]
    given = [_next(group) for _ in range(7)]
    assert [one.agent for one in given] == [*three, *three, three[0]]
    assert [one.turn for one in given] == [1, 2, 3, 4, 5, 6, 7]
    assert sentence(given[0].why) == "Free and signed in, next in turn of 3"
    assert given[0].customer.agent == three[0]
    stored = Customer.objects.get(pk=given[0].customer_id)
    assert stored.agent == three[0]


@pytest.mark.parametrize(
    ("status", "present"),
    [("busy", True), ("lunch", True), ("break", True), ("free", False), ("busy", False)],
)
def test_r10_whoever_is_not_free_and_signed_in_waits_until_there_is_nobody_else(
    group: AgentGroup, status: str, present: bool
) -> None:
    waiting = cast.agent(group.organization, group, status=status, present=present)
    free = cast.agent(group.organization, group)
    assert {_next(group).agent for _ in range(4)} == {free}
    set_status(free, "lunch")
    given = [_next(group) for _ in range(4)]
    assert sorted(one.agent_id for one in given) == sorted([waiting.pk, free.pk] * 2)
    assert given[0].agent == waiting
    assert given[0].why["status"] == status
    assert given[0].why["present"] is present
    assert sentence(given[0].why).startswith("Nobody of the group was Free and signed in")


def test_r10_presence_ends_two_minutes_after_the_last_sign_of_life(group: AgentGroup) -> None:
    gone = cast.agent(group.organization, group, present=False)
    here = cast.agent(group.organization, group, present=False)
    here.heard_from()
    gone.heard_from(until=timezone.now() - timedelta(seconds=1))
    assert _next(group).agent == here
    assert here.present_until is not None
    left = here.present_until - timezone.now()
    assert timedelta(seconds=110) < left <= timedelta(minutes=2)


def test_r12_a_new_agent_is_free_and_not_signed_in(group: AgentGroup) -> None:
    agent = Agent.objects.create(
        organization=group.organization, name="Eva", email="eva@shop.example"
    )
    assert (agent.status, agent.is_present()) == ("free", False)


def test_r12_the_status_is_kept_over_sign_out(group: AgentGroup) -> None:
    agent = cast.agent(group.organization, group)
    set_status(agent, "lunch")
    agent.signed_out()
    agent.refresh_from_db()
    assert (agent.status, agent.is_present()) == ("lunch", False)


def test_r10_deactivated_agents_get_nothing(group: AgentGroup) -> None:
    gone, here = (cast.agent(group.organization, group) for _ in range(2))
    deactivate_agent(gone)
    assert {_next(group).agent for _ in range(3)} == {here}


def test_r10_a_group_without_active_agents_leaves_the_customer_unassigned_and_says_so(
    group: AgentGroup,
) -> None:
    deactivate_agent(cast.agent(group.organization, group))
    left = _next(group)
    assert (left.agent, left.turn, left.customer.agent) == (None, None, None)
    assert sentence(left.why) == f"The group {group.name} has no active agents"
    event = Event.objects.get()
    assert (event.kind, event.customer) == ("customer_left_unassigned", left.customer)
    group.refresh_from_db()
    assert group.turn == 0


def test_r10_without_a_group_the_customer_is_left_unassigned(group: AgentGroup) -> None:
    left = hand_out(cast.new_customer(group.organization), None)
    assert (left.agent, left.why) == (None, {"code": "no_group"})


def test_r10_one_sequence_of_turns_across_the_tiers(group: AgentGroup) -> None:
    first, second = (cast.agent(group.organization, group) for _ in range(2))
    set_status(second, "busy")
    assert [_next(group).agent for _ in range(3)] == [first] * 3
    set_status(first, "busy")
    assert [_next(group).agent for _ in range(3)] == [second, first, second]
    assert list(Assignment.objects.order_by("turn").values_list("turn", flat=True)) == [
        1, 2, 3, 4, 5, 6,
    ]  # fmt: skip


def test_r10_a_new_member_is_next_and_gets_no_more_than_the_others(group: AgentGroup) -> None:
    for _ in range(2):
        cast.agent(group.organization, group)
    for _ in range(10):
        _next(group)
    late = cast.agent(group.organization, group)
    got = [_next(group).agent for _ in range(6)]
    assert (got[0], got.count(late)) == (late, 2)
    join_group(late, group)
    assert Membership.objects.get(agent=late).last_turn > 0


def test_r10_agents_of_another_group_or_organization_get_nothing(group: AgentGroup) -> None:
    cast.agent(group.organization, cast.group(group.organization))
    stranger = cast.agent(cast.organization())
    Membership.objects.create(group=group, agent=stranger)
    assert _next(group).agent is None


def test_r11_the_agent_is_told_of_the_assignment(group: AgentGroup) -> None:
    agent = cast.agent(group.organization, group)
    given = _next(group)
    event = Event.objects.get()
    assert (event.kind, event.agent, event.customer) == (
        "customer_assigned", agent, given.customer,
    )  # fmt: skip
    assert event.data == {"assignment": given.pk, "why": given.why}
    assert not event.silent
    assert event.told_at is None


def test_r10_a_customer_that_another_collector_gave_away_is_not_given_again(
    group: AgentGroup,
) -> None:
    for _ in range(2):
        cast.agent(group.organization, group)
    customer = cast.new_customer(group.organization)
    stale = Customer.objects.get(pk=customer.pk)
    first = hand_out(customer, group)
    again = hand_out(stale, group)
    assert again == first
    assert stale.agent == first.agent
    assert Assignment.objects.count() == Event.objects.count() == 1
    assert _next(group).turn == 2


def test_r10_the_customers_of_a_deactivated_agent_are_handed_out_as_if_new(
    group: AgentGroup,
) -> None:
    gone = cast.agent(group.organization, group)
    customer = _next(group).customer
    heir = cast.agent(group.organization, group)
    assert not waits_for_agent(customer)
    deactivate_agent(gone)
    customer = Customer.objects.select_related("agent").get(pk=customer.pk)
    assert customer.agent == gone
    assert waits_for_agent(customer)
    assert list(left_behind(group.organization)) == [customer]
    assert not left_behind(cast.organization()).exists()
    assert hand_out(customer, group).agent == heir
    assert not left_behind(group.organization).exists()


def test_r10_an_existing_customer_without_an_agent_waits_only_if_the_account_says_so(
    group: AgentGroup,
) -> None:
    customer = cast.new_customer(group.organization)
    assert not waits_for_agent(customer)
    assert waits_for_agent(customer, hand_out_existing=True)


def test_r10_the_preview_says_what_handing_out_then_does(group: AgentGroup) -> None:
    for status in ("free", "free", "free", "busy"):
        cast.agent(group.organization, group, status=status)
    _next(group)
    promised = preview(group, 8)
    got = [_next(group).agent for _ in range(8)]
    assert [count for _, count in promised] == [3, 3, 2]
    assert {agent: got.count(agent) for agent, _ in promised} == dict(promised)
    assert preview(cast.group(group.organization), 8) == []


def test_r10_shared_among_the_whole_group(group: AgentGroup) -> None:
    for status in ("free", "busy"):
        cast.agent(group.organization, group, status=status)
    promised = preview(group, 4, whole_group=True)
    assert [count for _, count in promised] == [2, 2]
    given = [
        hand_out(cast.new_customer(group.organization), group, whole_group=True, silent=True)
        for _ in range(4)
    ]
    got = [one.agent for one in given]
    assert {agent: got.count(agent) for agent, _ in promised} == dict(promised)
    assert sentence(given[0].why) == "Shared among the whole group, next in turn of 2"
    assert all(event.silent for event in Event.objects.all())


def test_by_hand_takes_no_turn_and_says_who_did_it(group: AgentGroup) -> None:
    first, second = (cast.agent(group.organization, group) for _ in range(2))
    customer = cast.new_customer(group.organization)
    given = by_hand(customer, second, by=first)
    assert sentence(given.why) == f"Given by {first.name}"
    assert (given.turn, customer.agent) == (None, second)
    assert _next(group).turn == 1
    taken = by_hand(customer, None)
    assert sentence(taken.why) == "Taken away by the operator"
    assert Customer.objects.get(pk=customer.pk).agent is None
    kinds = Event.objects.filter(customer=customer).values_list("kind", flat=True)
    assert list(kinds) == ["customer_assigned"]


def test_by_hand_refuses_strangers_and_the_deactivated(group: AgentGroup) -> None:
    customer = cast.new_customer(group.organization)
    stranger = cast.agent(cast.organization())
    with pytest.raises(DeskError, match="another organization"):
        by_hand(customer, stranger)
    gone = cast.agent(group.organization)
    deactivate_agent(gone)
    with pytest.raises(DeskError, match="deactivated"):
        by_hand(customer, gone)
    assert not Assignment.objects.exists()
