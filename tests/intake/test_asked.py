"""What a person asks of the ledger: try again, fetch after all; all of it or nothing."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from buzon.desk.customers import add_customer
from buzon.desk.models import Organization, Store
from buzon.desk.stores import add_store
from buzon.intake.accounts import add_account
from buzon.intake.asked import AskedError, earlier_letters, fetch, fetch_earlier_letters, retry
from buzon.intake.models import Arrival, CollectionAccount, Duty

_uids = itertools.count(1)


@pytest.fixture
def shop(db: None, settings: Settings) -> Organization:
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="
    return Organization.objects.create(name="Shop")


def account(shop: Organization, name: str = "sales", **fields: Any) -> CollectionAccount:
    made = add_account(shop, name=name, host="h.example", username="u", secret="s", **fields)
    made.duties.update(due_at=timezone.now() + timedelta(hours=1))
    return made


def arrival(of: CollectionAccount, outcome: str, **fields: Any) -> Arrival:
    return Arrival.objects.create(
        organization=of.organization,
        account=of,
        folder=of.folders.get(),
        uidvalidity=1,
        uid=next(_uids),
        outcome=outcome,
        **({"reason": {"code": "no_customer"}, "attempts": 3} | fields),
    )


def waiting() -> set[int]:
    return set(Arrival.objects.filter(outcome="waiting").values_list("pk", flat=True))


def test_retry_makes_failed_messages_wait_now(shop: Organization) -> None:
    row = arrival(account(shop), "failed", sha256="ab", retry_at=timezone.now())
    assert retry(shop, [row.pk]) == 1
    row.refresh_from_db()
    assert (row.outcome, row.reason, row.attempts, row.retry_at) == ("waiting", {}, 0, None)
    assert not row.asked_by_person
    assert all(duty.due_at <= timezone.now() for duty in Duty.objects.all())


@pytest.mark.parametrize("outcome", ["skipped", "oversized"])
def test_fetch_asks_for_it_whatever_triage_says(shop: Organization, outcome: str) -> None:
    row = arrival(account(shop), outcome)
    assert fetch(shop, [row.pk, row.pk]) == 1
    row.refresh_from_db()
    assert (row.outcome, row.asked_by_person, row.attempts) == ("waiting", True, 0)


@pytest.mark.parametrize("outcome", ["waiting", "filed", "ignored", "failed"])
def test_fetch_of_what_was_not_left_changes_nothing(shop: Organization, outcome: str) -> None:
    of = account(shop)
    left, other = arrival(of, "skipped"), arrival(of, outcome)
    with pytest.raises(AskedError, match=f"Message {other.pk} is {outcome}"):
        fetch(shop, [left.pk, other.pk])
    assert left.pk not in waiting()


def test_what_is_no_longer_on_the_server_cannot_be_fetched(shop: Organization) -> None:
    row = arrival(account(shop), "skipped", gone_at=timezone.now())
    with pytest.raises(AskedError, match="no longer on the server"):
        fetch(shop, [row.pk])


def test_what_is_in_custody_is_retried_also_after_it_left_the_server(shop: Organization) -> None:
    row = arrival(account(shop), "failed", sha256="ab", gone_at=timezone.now())
    assert retry(shop, [row.pk]) == 1


def test_nothing_of_another_organization(shop: Organization) -> None:
    other = Organization.objects.create(name="Other")
    theirs = arrival(account(other), "failed")
    with pytest.raises(AskedError, match=f"no message {theirs.pk}"):
        retry(shop, [theirs.pk])
    with pytest.raises(AskedError, match="no message"):
        fetch(shop, [theirs.pk])
    assert not waiting()


def test_all_that_a_customer_wrote_before_being_one(shop: Organization) -> None:
    of = account(shop)
    ana = add_customer(shop, addresses=["ana@example.com", "ana@work.example"])
    mine = [arrival(of, "skipped", sender=one) for one in ("ana@example.com", "ana@work.example")]
    arrival(of, "skipped", sender="eva@example.com")
    arrival(of, "ignored", sender="ana@example.com")
    arrival(of, "skipped", sender="ana@example.com", gone_at=timezone.now())
    elsewhere = Organization.objects.create(name="Other")
    arrival(account(elsewhere), "skipped", sender="ana@example.com")
    assert earlier_letters(ana) == 2
    assert fetch_earlier_letters(shop, "Ana@Example.com") == 2
    assert earlier_letters(ana) == 0
    assert waiting() == {row.pk for row in mine}
    assert fetch_earlier_letters(shop, "ana@example.com") == 0


def test_r5_a_stores_customer_has_no_letters_in_another_stores_account(
    shop: Organization,
) -> None:
    north, south = (add_store(shop, name) for name in ("North", "South"))
    add_customer(shop, addresses=["ana@example.com"], store=north)
    accounts: dict[str, Store | None] = {"n": north, "s": south, "all": None}
    rows = {
        name: arrival(account(shop, name, store=store), "skipped", sender="ana@example.com")
        for name, store in accounts.items()
    }
    assert fetch_earlier_letters(shop, "ana@example.com") == 2
    assert waiting() == {rows["n"].pk, rows["all"].pk}


@pytest.mark.parametrize(
    ("address", "told"), [("nobody", "not an e-mail address"), ("x@y.example", "no customer")]
)
def test_a_wrong_customer(shop: Organization, address: str, told: str) -> None:
    with pytest.raises(AskedError, match=told):
        fetch_earlier_letters(shop, address)


def test_earlier_letters_by_a_providers_rules(shop: Organization) -> None:
    of = account(shop, fold_dots=True)
    ana = add_customer(shop, addresses=["ana.b@gmail.com"])
    arrival(of, "skipped", sender="anab@gmail.com")
    arrival(account(shop, "exact"), "skipped", sender="anab@gmail.com")
    assert earlier_letters(ana) == 1


def test_a_customer_without_earlier_letters_is_one_query_of_an_index(
    shop: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        arrival(account(shop, f"account {number}"), "skipped", sender="eva@example.com")
    ana = add_customer(shop, addresses=["ana@example.com"])
    with django_assert_num_queries(1):
        assert earlier_letters(ana) == 0
