"""From the ledger: an unknown sender becomes a customer, and what they wrote is fetched."""

from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.customers import add_customer
from buzon.desk.models import Agent, Assignment, Customer, Message, Organization
from buzon.desk.people import add_agent, add_group
from buzon.desk.stores import add_store
from buzon.intake.asked import AskedError
from buzon.intake.asked_customers import create_customer_and_fetch
from buzon.intake.models import Arrival, CollectionAccount
from buzon.notify.models import Notification
from buzon.notify.rounds import tell_now
from tests.intake.collecting import collect
from tests.intake.rows import account_of, arrival, waiting
from tests.intake.scene import STRANGER, outcomes, scene


def left(of: CollectionAccount, sender: str = "zoe@stranger.example", **fields: Any) -> Arrival:
    known = {"outcome": "skipped", "reason": {"code": "unknown_sender"}} | fields
    return arrival(of, sender=sender, **known)


def test_the_sender_becomes_a_customer_of_the_accounts_store_and_all_is_fetched(
    shop: Organization,
) -> None:
    north, south = add_store(shop, "North"), add_store(shop, "South")
    of = account_of(shop, store=north)
    chosen, earlier = left(of), left(of)
    of_no_store = left(account_of(shop, "info"))
    left(account_of(shop, "south", store=south))
    left(of, "eva@stranger.example")
    left(of, gone_at=timezone.now())
    made = create_customer_and_fetch(shop, [chosen.pk])
    assert made.letters == 3
    (customer,) = made.customers
    assert (customer.store, customer.created_by) == (north, "person")
    assert [row.address for row in customer.addresses.all()] == ["zoe@stranger.example"]
    assert waiting() == {chosen.pk, earlier.pk, of_no_store.pk}
    # Judged as a customer's, and not as what somebody asked for and therefore looks at.
    assert not any(row.asked_by_person for row in Arrival.objects.filter(outcome="waiting"))


def test_R10_the_new_customer_is_handed_out_to_the_accounts_group(shop: Organization) -> None:
    group = add_group(shop, "Sales")
    for name in ("Ana", "Luis"):
        add_agent(shop, name=name, email=f"{name}@shop.example", groups=[group])
    of = account_of(shop, group=group)
    rows = [left(of, f"new{n}@stranger.example") for n in range(4)]
    made = create_customer_and_fetch(shop, [row.pk for row in rows])
    assert [one.agent.name for one in made.customers if one.agent] == ["Ana", "Luis"] * 2
    why = Assignment.objects.get(customer=made.customers[0]).why
    assert why["code"] == "rest_next_in_turn"


def test_without_a_group_nobody_gets_it_and_nobody_is_alarmed(shop: Organization) -> None:
    made = create_customer_and_fetch(shop, [left(account_of(shop)).pk])
    assert made.customers[0].agent is None
    assert not Assignment.objects.exists()


def test_two_letters_of_one_sender_make_one_customer(shop: Organization) -> None:
    of = account_of(shop)
    rows = [left(of), left(of)]
    made = create_customer_and_fetch(shop, [row.pk for row in (*rows, rows[0])])
    assert (len(made.customers), made.letters) == (1, 2)


def test_a_sender_who_is_a_customer_by_now_stays_that_one(shop: Organization) -> None:
    row = left(account_of(shop))
    zoe = add_customer(shop, addresses=[row.sender])
    made = create_customer_and_fetch(shop, [row.pk])
    assert (made.customers, made.letters) == ([], 1)
    assert Customer.objects.get() == zoe


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"outcome": "filed", "reason": {"code": "known_customer"}}, "not left because of an unk"),
        ({"reason": {"code": "machine_mail_list"}}, "not left because of an unknown sender"),
        ({"sender": ""}, "not left because of an unknown sender"),
        ({"gone_at": timezone.now()}, "no longer on the server"),
    ],
)
def test_all_or_nothing(shop: Organization, fields: dict[str, Any], told: str) -> None:
    of = account_of(shop)
    good, bad = left(of), left(of, **({"sender": "eva@stranger.example"} | fields))
    with pytest.raises(AskedError, match=f"Message {bad.pk} .*{told}|{told}"):
        create_customer_and_fetch(shop, [good.pk, bad.pk])
    assert not Customer.objects.exists()
    assert not waiting()


def test_nothing_of_another_organization(shop: Organization) -> None:
    other = Organization.objects.create(name="Other")
    theirs = left(account_of(other))
    with pytest.raises(AskedError, match=f"no message {theirs.pk}"):
        create_customer_and_fetch(shop, [theirs.pk])


@pytest.mark.django_db(transaction=True)
def test_R11_the_next_collection_brings_the_letter_and_both_notifications() -> None:
    with scene() as place:
        group = add_group(place.organization, "Sales")
        ana = add_agent(place.organization, name="Ana", email="ana@shop.example", groups=[group])
        of = place.account(create_customer=False, group=group)
        place.deliver(STRANGER, STRANGER)
        collect(of)
        assert outcomes(of) == {"skipped": 2}
        create_customer_and_fetch(place.organization, [of.arrivals.first().pk])  # type: ignore[union-attr]
        collect(of)
        assert outcomes(of) == {"filed": 2}
        letters = Message.objects.filter(organization=place.organization)
        assert {one.customer.agent for one in letters if one.customer} == {ana}
        tell_now()
        kinds = list(Notification.objects.filter(agent=ana).values_list("kind", flat=True))
        assert sorted(kinds) == ["customer_assigned", "message_received", "message_received"]
        assert Agent.objects.get() == ana
