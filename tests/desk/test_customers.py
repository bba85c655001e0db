"""R8: a customer made from mail; customers entered by hand."""

import pytest
from django.db import transaction

from buzon.desk.customers import add_customer, change_customer, create_from_mail
from buzon.desk.errors import DeskError
from buzon.desk.models import Customer, CustomerAddress, Event, Organization
from buzon.desk.people import deactivate_agent
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def test_r8_a_customer_from_mail_has_only_the_address_and_the_accounts_store(
    shop: Organization,
) -> None:
    store = add_store(shop, "Madrid")
    customer, made = create_from_mail(shop.pk, store.pk, " Ana@Example.COM ")
    assert made
    customer.refresh_from_db()
    assert (customer.name, customer.agent, customer.last_active_at) == ("", None, None)
    assert (customer.store, customer.created_by) == (store, "mail")
    address = CustomerAddress.objects.get()
    assert (address.address, address.folded) == ("Ana@Example.COM", "ana@example.com")
    assert (address.store, address.organization) == (store, shop)


def test_r8_the_same_sender_again_is_the_same_customer(shop: Organization) -> None:
    first, _ = create_from_mail(shop.pk, None, "ana@example.com")
    again, made = create_from_mail(shop.pk, None, "ANA@example.com")
    assert (again, made) == (first, False)
    assert Customer.objects.count() == 1


def test_r8_meeting_a_customer_that_exists_keeps_the_rest_of_the_transaction(
    shop: Organization,
) -> None:
    create_from_mail(shop.pk, None, "ana@example.com")
    with transaction.atomic():
        eva, _ = create_from_mail(shop.pk, None, "eva@example.com")
        create_from_mail(shop.pk, None, "ana@example.com")
    assert Customer.objects.filter(pk=eva.pk).exists()


def test_r8_an_address_is_unique_per_store_and_among_those_of_no_store(
    shop: Organization,
) -> None:
    store = add_store(shop, "Madrid")
    places = [(shop.pk, None), (shop.pk, store.pk), (cast.organization().pk, None)]
    for _ in range(2):
        for place in places:
            create_from_mail(*place, "ana@example.com")
    assert Customer.objects.count() == 3


@pytest.mark.parametrize("written", ["", "ana", "ana@", "@example.com", "a b@example.com"])
def test_r8_what_is_no_address_makes_no_customer(shop: Organization, written: str) -> None:
    with pytest.raises(DeskError, match="is not an e-mail address"):
        create_from_mail(shop.pk, None, written)
    assert not Customer.objects.exists()


def test_a_customer_by_hand_with_store_name_addresses_and_agent(shop: Organization) -> None:
    store, agent = add_store(shop, "Madrid"), cast.agent(shop)
    customer = add_customer(
        shop,
        addresses=["ana@example.com", "ana@work.example"],
        store=store,
        name=" Ana ",
        agent=agent,
    )
    customer.refresh_from_db()
    assert (customer.name, customer.agent, customer.created_by) == ("Ana", agent, "person")
    assert customer.addresses.count() == 2
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert kinds == {"customer_created", "customer_assigned"}


def test_wrong_customers_are_refused_whole(shop: Organization) -> None:
    store, other = add_store(shop, "Madrid"), cast.organization()
    add_customer(shop, addresses=["Ana@example.com"], store=store)
    gone = cast.agent(shop)
    deactivate_agent(gone)
    wrong = [
        ({"addresses": []}, "needs an e-mail address"),
        ({"addresses": ["ana"]}, "'ana' is not an e-mail address."),
        ({"addresses": ["a@x.es", "A@x.es"]}, "The address A@x.es is given twice."),
        (
            {"addresses": ["new@x.es", "ana@example.com"], "store": store},
            "The address Ana@example.com already belongs to a customer of the store Madrid.",
        ),
        ({"addresses": ["a@x.es"], "store": add_store(other, "B")}, "another organization"),
        ({"addresses": ["a@x.es"], "agent": cast.agent(other)}, "another organization"),
        ({"addresses": ["a@x.es"], "agent": gone}, "deactivated"),
    ]
    for fields, sentence in wrong:
        with pytest.raises(DeskError, match=sentence):
            add_customer(shop, **fields)
    assert Customer.objects.count() == 1
    add_customer(shop, addresses=["ana@example.com"])


def test_the_refusal_names_no_store_where_there_is_none(shop: Organization) -> None:
    add_customer(shop, addresses=["ana@example.com"])
    with pytest.raises(DeskError, match="a customer of no store"):
        add_customer(shop, addresses=["ana@example.com"])


def test_other_addresses_all_or_nothing_what_stays_keeps_its_row(shop: Organization) -> None:
    ana = add_customer(shop, addresses=["ana@x.es", "Old@x.es"])
    kept = ana.addresses.get(folded="ana@x.es")
    change_customer(ana, name="Ana", addresses=["new@x.es ", "Ana@X.es"])
    rows = {row.folded: row for row in CustomerAddress.objects.filter(customer=ana)}
    assert set(rows) == {"ana@x.es", "new@x.es"}
    assert (rows["ana@x.es"].pk, rows["ana@x.es"].address) == (kept.pk, "Ana@X.es")
    assert rows["new@x.es"].address == "new@x.es"


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        ([], "needs an e-mail address"),
        (["ana@x.es", "eva@x.es"], "The address Eva@x.es already belongs to a customer of no"),
        (["ana"], "is not an e-mail address"),
        (["ana@x.es", "ANA@x.es"], "is given twice"),
    ],
)
def test_wrong_addresses_change_nothing(
    shop: Organization, addresses: list[str], told: str
) -> None:
    add_customer(shop, addresses=["Eva@x.es"])
    ana = add_customer(shop, addresses=["ana@x.es"], name="Ana")
    with pytest.raises(DeskError, match=told) as refused:
        change_customer(ana, name="Other", addresses=addresses)
    assert refused.value.field == "addresses"
    ana.refresh_from_db()
    assert ana.name == "Ana"
    assert [row.address for row in ana.addresses.all()] == ["ana@x.es"]


def test_the_same_address_in_another_store_is_no_obstacle(shop: Organization) -> None:
    add_customer(shop, addresses=["eva@x.es"], store=add_store(shop, "Madrid"))
    ana = add_customer(shop, addresses=["ana@x.es"])
    change_customer(ana, addresses=["ana@x.es", "eva@x.es"])
    assert ana.addresses.count() == 2


def test_a_customer_is_shown_by_name_or_first_address(shop: Organization) -> None:
    named = add_customer(shop, addresses=["eva@x.es"], name="Eva")
    nameless = add_customer(shop, addresses=["b@x.es", "a@x.es"])
    assert (named.shown_name(), nameless.shown_name()) == ("Eva", "b@x.es")
