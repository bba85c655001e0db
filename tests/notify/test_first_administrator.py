"""What concerns administrators and happens while there is none waits for the first one."""

import threading
from typing import Any

import pytest
from django.db import connections, transaction

from buzon.desk.models import Customer, Organization, User
from buzon.desk.people import add_administrator
from buzon.notify.models import Notification
from tests.database import DATABASE
from tests.notify import people

pytestmark = pytest.mark.django_db


def about(account: int, kind: str, shop: Organization) -> None:
    people.event(kind, shop, data={"account": f"info{account}", "account_id": account})


def left(customer: Customer, group: str | None) -> None:
    why: dict[str, Any] = {"code": "no_group"}
    if group is not None:
        why = {"code": "group_without_agents", "group": group}
    people.event(
        "customer_left_unassigned", customer.organization, customer=customer, data={"why": why}
    )


def boss_of(shop: Organization) -> User:
    return add_administrator(
        shop, email=f"boss{User.objects.count()}@shop.internal", password="a long enough one"
    )


def found_by(user: User) -> set[tuple[str, object]]:
    """Kind, and account or customer, of what this login was told."""
    rows = Notification.objects.filter(user=user)
    return {(row.kind, row.data.get("account_id") or row.customer_id) for row in rows}


def test_the_first_administrator_finds_what_still_holds_and_nothing_else() -> None:
    shop, elsewhere = people.shop(), people.shop()
    for place in (shop, elsewhere):
        about(1, "account_failed", place)
    about(2, "account_failed", shop)
    about(2, "account_recovered", shop)
    about(3, "account_failed", shop)
    about(3, "account_stopped", shop)
    about(4, "account_recovered", shop)
    about(4, "account_failed", shop)
    ana = people.agent(shop)
    helped = people.customer(shop, agent=ana)
    older, newer, of_none = (people.customer(shop) for _ in range(3))
    for customer, group in ((older, "help"), (newer, "help"), (helped, "sales"), (of_none, None)):
        left(customer, group)
    people.arrived(helped)
    assert people.tell(shop) == 1  # Ana's letter; the rest is told to nobody
    assert people.tell(elsewhere) == 0
    boss = boss_of(shop)
    assert people.tell(shop) == 5
    assert found_by(boss) == {
        ("account_failed", 1),
        ("account_stopped", 3),
        ("account_failed", 4),
        ("customer_left_unassigned", newer.pk),
        ("customer_left_unassigned", of_none.pk),
    }
    assert people.told(ana) == ["message_received"]
    assert people.tell(elsewhere) == 0


def test_what_was_told_to_somebody_is_not_told_to_the_next() -> None:
    shop = people.shop()
    first = boss_of(shop)
    about(1, "account_failed", shop)
    people.tell(shop)
    second = boss_of(shop)
    assert people.tell(shop) == 0
    assert (people.told(first), people.told(second)) == (["account_failed"], [])


def test_after_an_administrator_who_may_no_more_comes_a_first_one_again() -> None:
    shop = people.shop()
    former = boss_of(shop)
    User.objects.filter(pk=former.pk).update(is_active=False)
    about(1, "account_failed", shop)
    people.tell(shop)
    assert (people.told(boss_of(shop)), people.told(former)) == ([], [])
    people.tell(shop)
    assert found_by(User.objects.get(is_active=True)) == {("account_failed", 1)}


@pytest.mark.skipif(DATABASE != "postgresql", reason="on SQLite one writes after the other")
@pytest.mark.django_db(transaction=True)
def test_who_is_being_made_at_that_moment_misses_nothing() -> None:
    shop = people.shop()
    about(1, "account_failed", shop)
    is_made, may_commit = threading.Event(), threading.Event()

    def make() -> None:
        with transaction.atomic():
            boss_of(shop)
            is_made.set()
            may_commit.wait(20)
        connections.close_all()

    def tell() -> None:
        people.tell(shop)
        connections.close_all()

    maker, teller = threading.Thread(target=make), threading.Thread(target=tell)
    maker.start()
    assert is_made.wait(20)
    teller.start()
    teller.join(1)  # it waits for the one who is being made
    assert teller.is_alive()
    may_commit.set()
    for one in (maker, teller):
        one.join(20)
    people.tell(shop)
    assert found_by(User.objects.get()) == {("account_failed", 1)}
