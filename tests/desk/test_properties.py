"""For any sequence of what can happen, the rules hold (R5, R10, R12)."""

from collections import Counter
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from buzon.desk.assignment import hand_out, preview
from buzon.desk.events import Happened, record_all
from buzon.desk.handing_out import Given, HandingOut
from buzon.desk.keys import Keys
from buzon.desk.matching import known_senders, match
from buzon.desk.models import Agent, Assignment, Customer, CustomerAddress, Message
from buzon.desk.people import deactivate_agent, join_group, leave_group, reactivate_agent
from buzon.desk.people import set_status as set_by_hand
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db

SLOW = settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
STATUSES = st.sampled_from(["free", "free", "busy", "lunch", "break"])
places = st.integers(0, 30)


class SharingOut(RuleBasedStateMachine):
    """Arrivals among agents who come, go and change; the model knows who may get a customer."""

    @initialize()
    def open_shop(self) -> None:
        self.shop = cast.organization()
        self.group = cast.group(self.shop)
        self.agents: list[Agent] = []
        self.members: set[int] = set()
        self.run: Counter[int] = Counter()
        self.eligible: set[int] = set()
        self.turns = 0

    @rule(status=STATUSES, present=st.booleans())
    def an_agent_joins(self, status: str, present: bool) -> None:
        agent = cast.agent(self.shop, self.group, status=status, present=present)
        self.agents.append(agent)
        self.members.add(agent.pk)

    @precondition(lambda self: self.agents)
    @rule(place=places, status=STATUSES)
    def an_agent_sets_a_status(self, place: int, status: str) -> None:
        set_by_hand(self._agent(place), status)

    @precondition(lambda self: self.agents)
    @rule(place=places)
    def an_agent_is_heard_from(self, place: int) -> None:
        self._agent(place).heard_from(until=timezone.now() + timedelta(hours=1))

    @precondition(lambda self: self.agents)
    @rule(place=places)
    def an_agent_signs_out(self, place: int) -> None:
        self._agent(place).signed_out()

    @precondition(lambda self: self.agents)
    @rule(place=places)
    def an_agent_is_deactivated_or_back(self, place: int) -> None:
        agent = self._agent(place)
        (deactivate_agent if agent.active else reactivate_agent)(agent)

    @precondition(lambda self: self.agents)
    @rule(place=places)
    def an_agent_leaves_the_group_or_returns(self, place: int) -> None:
        agent = self._agent(place)
        if agent.pk in self.members:
            leave_group(agent, self.group)
        else:
            join_group(agent, self.group)
        self.members ^= {agent.pk}
        self.run.clear()  # whoever returns begins anew: the set was not constant

    @rule(count=st.integers(1, 9))
    def customers_arrive(self, count: int) -> None:
        promised = Counter({agent.pk: number for agent, number in preview(self.group, count)})
        got: Counter[int] = Counter()
        for _ in range(count):
            given = hand_out(cast.new_customer(self.shop), self.group)
            given_to = self._arrived(given)
            got[given_to] += given_to > 0
        assert +got == +promised

    @rule(count=st.integers(1, 9))
    def customers_arrive_in_one_batch(self, count: int) -> None:
        promised = Counter({agent.pk: number for agent, number in preview(self.group, count)})
        with transaction.atomic():
            events: list[Happened] = []
            handing = HandingOut(self.group, Keys(count, Assignment), events)
            given = [handing.give(cast.new_customer(self.shop)) for _ in range(count)]
            handing.store()
            record_all(events)
        got = Counter(map(self._arrived, given))
        got.pop(0, None)
        assert +got == +promised
        stored = Customer.objects.in_bulk([one.customer_id for one in given])
        assert all(stored[one.customer_id].agent_id == one.agent_id for one in given)

    def _arrived(self, given: Assignment | Given) -> int:
        eligible = self._who_may()
        if not eligible:
            assert given.agent_id is None
            return 0
        assert given.agent_id is not None
        assert given.agent_id in eligible
        assert given.why["of"] == len(eligible)
        self.turns += 1
        assert given.turn == self.turns
        if eligible != self.eligible:
            self.run.clear()
        self.eligible = eligible
        self.run[given.agent_id] += 1
        shares = [self.run[agent] for agent in eligible]
        assert max(shares) - min(shares) <= 1
        return given.agent_id

    def _who_may(self) -> set[int]:
        members = [
            agent for agent in map(self._fresh, self.agents)
            if agent.active and agent.pk in self.members
        ]  # fmt: skip
        free = {agent.pk for agent in members if agent.status == "free" and agent.present_until}
        return free or {agent.pk for agent in members}

    def _agent(self, place: int) -> Agent:
        return self.agents[place % len(self.agents)]

    @staticmethod
    def _fresh(agent: Agent) -> Agent:
        agent.refresh_from_db()
        return agent

    def teardown(self) -> None:
        turns = Assignment.objects.filter(group=self.group, turn__isnull=False)
        assert sorted(turns.values_list("turn", flat=True)) == list(range(1, self.turns + 1))


def test_r10_r12_the_tiers_and_even_shares_hold_for_any_sequence() -> None:
    run_state_machine_as_test(
        SharingOut, settings=settings(SLOW, max_examples=40, stateful_step_count=30)
    )


@SLOW
@given(data=st.data())
def test_conversations_are_the_same_in_whatever_order_and_batches_the_letters_arrive(
    data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, 10))
    names = {
        number: data.draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        for number in range(count)
    }
    arriving = data.draw(st.lists(st.sampled_from(range(count)), unique=True, min_size=1))
    shop = cast.organization()
    left = iter(arriving)
    while batch := list(islice(left, data.draw(st.integers(1, 4)))):
        with transaction.atomic():
            filing = cast.filing(shop, len(batch))
            for number in batch:
                named = tuple(f"<{one}@x>" for one in sorted(names[number]))
                letter = cast.letter(shop, message_id=f"<{number}@x>", references=named)
                filing.file(letter, customer=None, link={})
            filing.store()
    found: dict[int, set[int]] = {}
    for message_id, key in Message.objects.filter(organization=shop).values_list(
        "message_id", "conversation_id"
    ):
        found.setdefault(key, set()).add(int(message_id[1:-3]))
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, _joined(names, arriving)))


def _joined(names: dict[int, set[int]], arriving: list[int]) -> list[set[int]]:
    """The connected parts of the graph of those letters that are held."""
    parts: list[set[int]] = []
    for number in arriving:
        touching = {number} | {one for one in names[number] if one in arriving}
        joined = [part for part in parts if part & touching]
        parts = [part for part in parts if not part & touching]
        parts.append(touching.union(*joined))
    return parts


ADDRESSES = ["ana@x.es", "a.na@gmail.com", "ana@gmail.com", "ana+1@gmail.com", "ana+1@x.es"]


@SLOW
@given(data=st.data())
def test_r5_the_match_is_what_the_rule_says_for_any_customers(data: st.DataObject) -> None:
    shops = [cast.organization(), cast.organization()]
    stores = {shop.pk: [None, add_store(shop, "A"), add_store(shop, "B")] for shop in shops}
    held: list[dict[str, Any]] = []
    for number in range(data.draw(st.integers(0, 8))):
        shop = data.draw(st.sampled_from(shops))
        store = data.draw(st.sampled_from(stores[shop.pk]))
        address = data.draw(st.sampled_from(ADDRESSES))
        row = {"shop": shop.pk, "store": store and store.pk, "address": address}
        if any({name: one[name] for name in row} == row for one in held):
            continue
        days = data.draw(st.one_of(st.none(), st.integers(0, 3)))
        active = None if days is None else cast.NOON + timedelta(days=days)
        customer = Customer.objects.create(
            organization=shop, store=store, created_by="mail", last_active_at=active
        )
        CustomerAddress.objects.create(
            organization=shop, store=store, customer=customer, address=address, folded=address,
            base=_simple(address, dots=True, plus=True),
        )  # fmt: skip
        held.append(row | {"days": -1 if days is None else days, "pk": customer.pk, "n": number})
    shop = shops[0]
    store = data.draw(st.sampled_from(stores[shop.pk]))
    rules = {"dots": data.draw(st.booleans()), "plus": data.draw(st.booleans())}
    address = data.draw(st.sampled_from(ADDRESSES))
    expected = _by_the_rule(held, shop.pk, store and store.pk, address, rules)
    found = match(shop.pk, store and store.pk, address, **rules)
    assert (found.customer and found.customer.pk) == expected
    known = known_senders(shop.pk, store and store.pk, [address, "nobody@x.es"], **rules)
    assert known == ({address: expected} if expected else {})


def _simple(address: str, *, dots: bool, plus: bool) -> str:
    local, _, domain = address.partition("@")
    if plus:
        local = local.split("+")[0]
    if dots and domain == "gmail.com":
        local = local.replace(".", "")
    return f"{local}@{domain}"


def _by_the_rule(
    held: list[dict[str, Any]], shop: int, store: int | None, address: str, rules: dict[str, bool]
) -> int | None:
    alike = [
        one
        for one in held
        if one["shop"] == shop and _simple(one["address"], **rules) == _simple(address, **rules)
    ]
    if store is None:
        levels = [alike]
    else:
        levels = [[one for one in alike if one["store"] == level] for level in (store, None)]
        levels = [
            level for both in levels
            for level in ([one for one in both if one["address"] == address], both)
        ]  # fmt: skip
    for level in levels:
        if level:
            return max(level, key=lambda one: (one["days"], -one["n"]))["pk"]
    return None
