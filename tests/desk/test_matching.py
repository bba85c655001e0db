"""R5: a letter is linked to the customer by the sender's address."""

from datetime import timedelta

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.matching import known_senders, match, of_recipient
from buzon.desk.models import Organization
from buzon.desk.reasons import sentence
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def test_r5_a_stores_account_matches_that_stores_customer_before_one_of_no_store(
    shop: Organization,
) -> None:
    store = add_store(shop, "Madrid")
    add_customer(shop, addresses=["ana@example.com"])
    own = add_customer(shop, addresses=["Ana@Example.COM"], store=store)
    found = match(shop.pk, store.pk, "ana@example.com")
    assert found.customer == own
    assert found.why == {"code": "sender_of_store"}
    assert known_senders(shop.pk, store.pk, ["ana@example.com"]) == {"ana@example.com": own.pk}


def test_r5_a_stores_account_falls_back_to_a_customer_of_no_store(shop: Organization) -> None:
    store = add_store(shop, "Madrid")
    of_none = add_customer(shop, addresses=["ana@example.com"])
    found = match(shop.pk, store.pk, "ana@example.com")
    assert (found.customer, found.why["code"]) == (of_none, "sender_of_no_store")


def test_r5_a_stores_account_never_matches_another_stores_customer(shop: Organization) -> None:
    madrid, sevilla = add_store(shop, "Madrid"), add_store(shop, "Sevilla")
    add_customer(shop, addresses=["ana@example.com"], store=sevilla)
    found = match(shop.pk, madrid.pk, "ana@example.com")
    assert (found.customer, found.why["code"]) == (None, "no_customer")
    assert known_senders(shop.pk, madrid.pk, ["ana@example.com"]) == {}


def test_r5_an_account_of_no_store_matches_the_most_recently_active_and_says_of_how_many(
    shop: Organization,
) -> None:
    madrid, sevilla = add_store(shop, "Madrid"), add_store(shop, "Sevilla")
    never = add_customer(shop, addresses=["ana@example.com"])
    old = add_customer(shop, addresses=["ana@example.com"], store=madrid)
    recent = add_customer(shop, addresses=["ana@example.com"], store=sevilla)
    for customer, ago in ((old, 2), (recent, 1)):
        customer.last_active_at = cast.NOON - timedelta(days=ago)
        customer.save()
    found = match(shop.pk, None, "ana@example.com")
    assert found.customer == recent
    assert found.why == {"code": "ambiguous_most_recent", "of": 3}
    assert "3 customers" in sentence(found.why)
    assert known_senders(shop.pk, None, ["ana@example.com"]) == {"ana@example.com": recent.pk}
    recent.delete()
    old.delete()
    assert match(shop.pk, None, "ana@example.com").customer == never


def test_r5_one_customer_is_not_ambiguous_for_having_two_addresses_alike(
    shop: Organization,
) -> None:
    ana = add_customer(shop, addresses=["ana.b@gmail.com", "anab@gmail.com"])
    found = match(shop.pk, None, "an.ab@gmail.com", dots=True)
    assert (found.customer, found.why["code"]) == (ana, "sender_of_any_store")


def test_r5_organizations_never_cross(shop: Organization) -> None:
    other = cast.organization()
    add_customer(other, addresses=["ana@example.com"])
    assert match(shop.pk, None, "ana@example.com").customer is None
    assert known_senders(shop.pk, None, ["ana@example.com"]) == {}
    assert known_senders(other.pk, None, ["ana@example.com"])


def test_r5_provider_rules_only_where_they_were_turned_on(shop: Organization) -> None:
    ana = add_customer(shop, addresses=["Ana.B+shop@gmail.com"])
    written = "anab@gmail.com"
    assert match(shop.pk, None, written).customer is None
    assert match(shop.pk, None, written, dots=True).customer is None
    assert match(shop.pk, None, written, plus=True).customer is None
    assert match(shop.pk, None, written, dots=True, plus=True).customer == ana
    assert known_senders(shop.pk, None, [written], dots=True, plus=True) == {written: ana.pk}
    assert known_senders(shop.pk, None, [written], plus=True) == {}


def test_r5_the_exact_address_wins_over_one_that_a_provider_rule_makes_alike(
    shop: Organization,
) -> None:
    store = add_store(shop, "Madrid")
    tagged = add_customer(shop, addresses=["ana+1@gmail.com"], store=store)
    exact = add_customer(shop, addresses=["ana@gmail.com"], store=store)
    tagged.last_active_at = cast.NOON
    tagged.save()
    assert match(shop.pk, store.pk, "ana@gmail.com", plus=True).customer == exact


def test_r5_a_sender_without_an_address_matches_nobody(shop: Organization) -> None:
    assert match(shop.pk, None, "").why == {"code": "no_customer"}
    assert known_senders(shop.pk, None, ["", ""]) == {}


def test_known_senders_takes_one_query_for_a_batch_of_headers(
    shop: Organization, django_assert_num_queries
) -> None:
    ana = add_customer(shop, addresses=["ana@example.com"])
    addresses = [f"sender{n}@example.com" for n in range(1000)] + ["ana@example.com"]
    with django_assert_num_queries(1):
        assert known_senders(shop.pk, None, addresses) == {"ana@example.com": ana.pk}


def test_r5_whoever_a_letter_was_sent_to_is_not_called_its_sender(shop: Organization) -> None:
    madrid, sevilla = add_store(shop, "Madrid"), add_store(shop, "Sevilla")
    ana = add_customer(shop, addresses=["ana@example.com"], store=madrid)
    eva = add_customer(shop, addresses=["eva@example.com"])
    found = {
        (of_recipient(made).customer, sentence(of_recipient(made).why))
        for store, address in (
            (madrid.pk, "ana@example.com"),
            (madrid.pk, "eva@example.com"),
            (None, "eva@example.com"),
            (sevilla.pk, "ana@example.com"),
        )
        for made in [match(shop.pk, store, address)]
    }
    assert found == {
        (ana, "It was sent to the address of a customer of this store"),
        (eva, "It was sent to the address of a customer of no store"),
        (eva, "It was sent to the address of a customer"),
        (None, "No customer has this address"),
    }
    add_customer(shop, addresses=["ana@example.com"], store=sevilla)
    doubtful = match(shop.pk, None, "ana@example.com")
    assert of_recipient(doubtful) == doubtful
