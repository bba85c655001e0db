"""Events become notifications: to whom, once, and in the transaction that says so."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from buzon.desk.models import Agent, Event
from buzon.lease import LeaseLost, claim
from buzon.notify import rounds
from buzon.notify.models import Copy, Notification, Round
from tests.notify import people

pytestmark = pytest.mark.django_db


def test_r11_a_new_customer_gives_the_agent_two_notifications() -> None:
    shop = people.shop()
    ana = people.agent(shop)
    new = people.customer(shop, agent=ana)
    people.event("customer_created", shop, customer=new)
    people.event("customer_assigned", shop, customer=new, agent=ana)
    people.arrived(new)
    assert people.tell(shop) == 2
    assert people.told(ana) == ["customer_assigned", "message_received"]


def test_r7_a_letter_is_told_only_where_the_account_says_so() -> None:
    shop = people.shop()
    ana = people.agent(shop)
    known = people.customer(shop, agent=ana)
    people.arrived(known, data={"notify": False})
    people.arrived(known, data={})
    assert people.tell(shop) == 0
    people.arrived(known)
    assert people.tell(shop) == 1
    assert people.told(ana) == ["message_received"]


def test_assigned_to_you_is_told_whatever_the_account_says() -> None:
    shop = people.shop()
    ana = people.agent(shop)
    new = people.customer(shop, agent=ana)
    people.event("customer_assigned", shop, customer=new, agent=ana, data={"notify": False})
    people.tell(shop)
    assert people.told(ana) == ["customer_assigned"]


def test_a_letter_is_told_to_the_agent_of_when_it_came() -> None:
    shop = people.shop()
    then, now = people.agent(shop), people.agent(shop)
    known = people.customer(shop, agent=then)
    people.arrived(known)
    known.agent = now
    known.save()
    people.tell(shop)
    assert (people.told(then), people.told(now)) == (["message_received"], [])


def test_a_bounce_is_told_to_the_customers_agent_and_history_to_its_own() -> None:
    shop = people.shop()
    ana, ben = people.agent(shop), people.agent(shop)
    known = people.customer(shop, agent=ana)
    people.event("letter_bounced", shop, customer=known)
    data = {"letters": 120, "customers": 7, "account": "info"}
    people.event("history_collected", shop, agent=ben, data=data)
    people.tell(shop)
    assert people.told(ana) == ["letter_bounced"]
    assert people.told(ben) == ["history_collected"]
    assert Notification.objects.get(agent=ben).data == data


def test_nobody_is_told_for_an_inactive_agent_or_a_customer_without_one() -> None:
    shop = people.shop()
    boss, gone = people.administrator(shop), people.agent(shop, active=False)
    people.arrived(people.customer(shop, agent=gone))
    people.arrived(people.customer(shop))
    people.event("customer_assigned", shop, agent=gone)
    assert people.tell(shop) == 0
    assert people.told(boss) == []
    assert not Event.objects.filter(told_at=None).exists()


@pytest.mark.parametrize(
    "kind", ["customer_left_unassigned", "account_failed", "account_recovered", "account_stopped"]
)
def test_administrators_are_told_what_concerns_the_installation(kind: str) -> None:
    shop, elsewhere = people.shop(), people.shop()
    first, second = people.administrator(shop), people.administrator(shop)
    former = people.administrator(shop, is_active=False)
    of_agent = people.administrator(shop, role="agent")
    stranger = people.administrator(elsewhere)
    people.event(kind, shop, data={"account": "info", "account_id": 5})
    people.tell(shop)
    assert [people.told(one) for one in (first, second)] == [[kind], [kind]]
    assert [people.told(one) for one in (former, of_agent, stranger)] == [[], [], []]


def about(group: str | None) -> dict[str, Any]:
    """The data of a customer who was left unassigned."""
    if group is None:
        return {"why": {"code": "no_group"}}
    return {"why": {"code": "group_without_agents", "group": group}}


def test_the_same_about_the_same_is_told_once_until_it_was_read() -> None:
    shop = people.shop()
    boss = people.administrator(shop)
    for group in ("help", "help", "sales", None, None):
        people.event("customer_left_unassigned", shop, data=about(group))
    people.tell(shop)
    people.event("customer_left_unassigned", shop, data=about("sales"))
    people.tell(shop)
    told = Notification.objects.filter(user=boss).order_by("pk")
    assert [one.data for one in told] == [about(group) for group in ("help", "sales", None)]
    Notification.objects.update(read_at=timezone.now())
    people.event("customer_left_unassigned", shop, data=about("sales"))
    people.tell(shop)
    assert len(people.told(boss)) == 4


@pytest.mark.parametrize("limit", [1, 500])
def test_failed_again_after_a_recovery_replaces_the_unread_failure(limit: int) -> None:
    shop = people.shop()
    boss = people.administrator(shop)
    for kind in ("account_failed", "account_recovered", "account_failed", "account_failed"):
        people.event(kind, shop, data={"account": "info", "account_id": 3})
    people.tell(shop, limit=limit)
    unread = Notification.objects.filter(user=boss, read_at=None).order_by("pk")
    assert [one.kind for one in unread] == ["account_recovered", "account_failed"]
    assert people.told(boss) == ["account_failed", "account_recovered", "account_failed"]


def test_r13_a_silent_event_is_an_entry_of_the_list_only(settings: Settings) -> None:
    settings.BUZON_SMTP_URL, settings.BUZON_MAIL_FROM = "smtp://127.0.0.1:1", "b@shop.example"
    shop = people.shop()
    ana = people.agent(shop, email_copies=Agent.Copies.ALL)
    known = people.customer(shop, agent=ana)
    people.arrived(known, silent=True)
    people.arrived(known)
    people.tell(shop)
    silent, loud = Notification.objects.order_by("pk")
    assert silent.channels == {"list": True, "popup": False, "email": False}
    assert loud.channels == {"list": True, "popup": True, "email": True}
    assert [copy.notification_id for copy in Copy.objects.all()] == [loud.pk]


@pytest.mark.parametrize(
    ("wanted", "copied"),
    [
        ("none", []),
        ("assigned", ["customer_assigned"]),
        ("all", ["customer_assigned", "message_received"]),
    ],
)
def test_r13_an_agent_gets_the_copies_they_want(
    wanted: str, copied: list[str], settings: Settings
) -> None:
    settings.BUZON_SMTP_URL, settings.BUZON_MAIL_FROM = "smtp://127.0.0.1:1", "b@shop.example"
    shop = people.shop()
    ana = people.agent(shop, email_copies=wanted)
    new = people.customer(shop, agent=ana)
    people.event("customer_assigned", shop, customer=new, agent=ana)
    people.arrived(new)
    people.tell(shop)
    copies = Copy.objects.order_by("pk")
    assert [copy.notification.kind for copy in copies] == copied
    assert {copy.to for copy in copies} <= {ana.email}


def test_without_a_mail_server_nothing_is_copied() -> None:
    shop = people.shop()
    people.arrived(people.customer(shop, agent=people.agent(shop, email_copies="all")))
    people.tell(shop)
    assert Notification.objects.get().channels["email"] is False
    assert not Copy.objects.exists()


def test_administrators_get_copies_of_failures_but_a_made_up_address_does_not(
    settings: Settings,
) -> None:
    settings.BUZON_SMTP_URL, settings.BUZON_MAIL_FROM = "smtp://127.0.0.1:1", "b@shop.example"
    shop = people.shop()
    boss = people.administrator(shop)
    people.administrator(shop, email="admin@localhost")
    for kind in ("account_failed", "account_stopped", "account_recovered"):
        people.event(kind, shop, data={"account": "info", "account_id": 1})
    people.tell(shop)
    copies = Copy.objects.order_by("pk")
    assert [copy.notification.kind for copy in copies] == ["account_failed", "account_stopped"]
    assert {copy.to for copy in copies} == {boss.email}


def test_events_are_told_in_order_in_batches_and_never_twice() -> None:
    shop = people.shop()
    ana = people.agent(shop)
    known = people.customer(shop, agent=ana)
    events = [people.arrived(known) for _ in range(7)]
    assert people.tell(shop, limit=3) == 7
    assert people.tell(shop) == 0
    rows = Notification.objects.order_by("pk").values_list("event", flat=True)
    assert list(rows) == [event.pk for event in events]


def test_an_event_told_again_by_hand_makes_nothing_new() -> None:
    shop = people.shop()
    people.arrived(people.customer(shop, agent=people.agent(shop)))
    people.tell(shop)
    Event.objects.update(told_at=None)
    assert people.tell(shop) == 0
    assert Notification.objects.count() == 1
    again = Notification.objects.get()
    again.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)


def test_a_worker_that_lost_its_lease_tells_nothing() -> None:
    shop = people.shop()
    people.arrived(people.customer(shop, agent=people.agent(shop)))
    row = Round.objects.create(organization=shop)
    lease = claim(row)
    assert lease is not None
    Round.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claim(row) is not None
    with pytest.raises(LeaseLost):
        rounds.tell(lease)
    assert not Notification.objects.exists()
    assert Event.objects.filter(told_at=None).count() == 1


def test_only_what_is_of_the_organization_is_told() -> None:
    shop, elsewhere = people.shop(), people.shop()
    ana, foreign = people.agent(shop), people.agent(elsewhere)
    people.arrived(people.customer(shop, agent=ana))
    people.arrived(people.customer(elsewhere, agent=foreign))
    people.event("customer_assigned", shop, agent=foreign)  # a mistake of whoever recorded it
    assert people.tell(shop) == 1
    assert (people.told(ana), people.told(foreign)) == (["message_received"], [])


def test_a_round_is_due_when_something_is_untold() -> None:
    shop, quiet, suspended = people.shop(), people.shop(), people.shop()
    suspended.suspended_at = timezone.now()
    suspended.save()
    for one in (shop, suspended):
        people.arrived(people.customer(one, agent=people.agent(one)))
    assert rounds.wake() == 1
    assert [row.organization_id for row in Round.objects.all()] == [shop.pk]
    assert rounds.tell_now() == 1
    assert Round.objects.get().due_at is None
    assert rounds.wake() == 0
    people.arrived(people.customer(shop, agent=people.agent(shop)))
    assert rounds.wake() == 1
    assert rounds.tell_now() == 1
    assert not Round.objects.filter(organization=quiet).exists()


def test_a_round_that_waits_after_a_failure_is_not_woken() -> None:
    shop = people.shop()
    later = timezone.now() + timedelta(minutes=5)
    Round.objects.create(organization=shop, due_at=later, attempts=2)
    people.arrived(people.customer(shop, agent=people.agent(shop)))
    assert rounds.wake() == 0
    assert Round.objects.get().due_at == later


def test_a_round_takes_as_many_statements_for_400_events_as_for_40() -> None:
    """With copies, and with events that leave it to the customer whose agent is told."""
    taken: list[int] = []
    for count in (8, 40, 400):
        shop = people.shop()
        people.administrator(shop)
        ana, eva = (people.agent(shop, email_copies="all") for _ in range(2))
        for number in range(count // 4):
            known = people.customer(shop, agent=(ana, eva)[number % 2])
            for kind in ("customer_created", "customer_assigned", "letter_bounced"):
                agent = known.agent if kind == "customer_assigned" else None
                people.event(kind, shop, customer=known, agent=agent)
            people.arrived(known)
        with CaptureQueriesContext(connection) as context:
            assert people.tell(shop) == count // 4 * 3
        assert len(people.told(ana)) == len(people.told(eva)) == count // 8 * 3
        taken.append(len(context))
    # The very first rows of a table take one more on SQLite.
    assert taken[1] == taken[2] <= min(taken[0], 28), context.captured_queries
