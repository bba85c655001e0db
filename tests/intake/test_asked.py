"""What a person asks of the ledger: try again, fetch after all; all of it or nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from buzon.desk.customers import add_customer
from buzon.desk.models import Organization, Store
from buzon.desk.stores import add_store
from buzon.intake.asked import (
    AskedError,
    earlier_letters,
    fetch,
    fetch_earlier_letters,
    retry,
    retry_all,
)
from buzon.intake.models import Arrival, CollectionAccount, Duty
from tests.intake import rows
from tests.intake.rows import waiting

OCTETS = ("sha256", "header_sha256")  # where they are in custody: whole, or the header


def account(shop: Organization, name: str = "sales", **fields: Any) -> CollectionAccount:
    made = rows.account_of(shop, name, **fields)
    made.duties.update(due_at=timezone.now() + timedelta(hours=1))
    return made


def arrival(of: CollectionAccount, outcome: str, **fields: Any) -> Arrival:
    tried = {"reason": {"code": "no_customer"}, "attempts": 3}
    return rows.arrival(of, outcome, **(tried | fields))


def test_retry_makes_failed_messages_wait_now(shop: Organization) -> None:
    row = arrival(account(shop), "failed", sha256="ab", retry_at=timezone.now())
    assert retry(shop, [row.pk]) == 1
    row.refresh_from_db()
    assert (row.outcome, row.reason, row.attempts, row.retry_at) == ("waiting", {}, 0, None)
    assert not row.asked_by_person
    assert Duty.objects.get(kind="process").due_at <= timezone.now()


@pytest.mark.parametrize("outcome", ["skipped", "oversized"])
def test_fetch_asks_for_it_whatever_triage_says(shop: Organization, outcome: str) -> None:
    row = arrival(account(shop), outcome)
    assert fetch(shop, [row.pk, row.pk]) == 1
    row.refresh_from_db()
    assert (row.outcome, row.asked_by_person, row.attempts) == ("waiting", True, 0)
    assert all(duty.due_at <= timezone.now() for duty in Duty.objects.all())


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
    left = {
        name: arrival(account(shop, name, store=store), "skipped", sender="ana@example.com")
        for name, store in accounts.items()
    }
    assert fetch_earlier_letters(shop, "ana@example.com") == 2
    assert waiting() == {left["n"].pk, left["all"].pk}


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


class TestAll:
    """Retry without naming them."""

    def test_all_that_failed_of_the_organization_waits(self, shop: Organization) -> None:
        one, other = account(shop), account(shop, "other")
        failed = [arrival(of, "failed", sha256="ab") for of in (one, other)]
        failed.append(arrival(one, "failed", retry_at=timezone.now()))
        left = [arrival(one, outcome) for outcome in ("skipped", "filed", "oversized", "ignored")]
        theirs = arrival(account(Organization.objects.create(name="Other")), "failed")
        assert retry_all(shop) == 3
        assert waiting() == {row.pk for row in failed}
        row = Arrival.objects.get(pk=failed[2].pk)
        assert (row.reason, row.attempts, row.retry_at, row.decided_at) == ({}, 0, None, None)
        assert not row.asked_by_person
        for each in (*left, theirs):
            before = each.outcome
            each.refresh_from_db()
            assert each.outcome == before
        assert retry_all(shop) == 0

    def test_all_of_one_account(self, shop: Organization) -> None:
        one, other = account(shop), account(shop, "other")
        mine = arrival(one, "failed")
        arrival(other, "failed")
        assert retry_all(shop, account=one) == 1
        assert waiting() == {mine.pk}

    def test_nothing_of_another_organizations_account(self, shop: Organization) -> None:
        elsewhere = account(Organization.objects.create(name="Other"))
        arrival(elsewhere, "failed")
        assert retry_all(shop, account=elsewhere) == 0
        assert not waiting()

    def test_what_can_no_longer_be_had_stays_failed(self, shop: Organization) -> None:
        of, gone = account(shop), timezone.now()
        lost = arrival(of, "failed", gone_at=gone)
        here = [arrival(of, "failed", gone_at=gone, **{name: "ab"}) for name in OCTETS]
        assert retry_all(shop) == 2
        assert waiting() == {row.pk for row in here}
        with pytest.raises(AskedError, match="no longer on the server"):
            retry(shop, [lost.pk])

    def test_a_server_is_asked_only_for_what_is_not_in_custody(self, shop: Organization) -> None:
        """Else a login that is refused would be tried again each time."""
        here, there, idle = (account(shop, name) for name in ("here", "there", "idle"))
        arrival(here, "failed", sha256="ab")
        arrival(there, "failed")
        arrival(idle, "filed", sha256="ab")
        retry_all(shop)
        due = Duty.objects.filter(due_at__lte=timezone.now())
        assert set(due.values_list("account__name", "kind")) == {
            ("here", "process"),
            ("there", "process"),
            ("there", "collect"),
        }

    def test_ten_thousand_take_as_many_queries_as_one(
        self, shop: Organization, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        of = account(shop)
        arrival(of, "failed", sha256="ab")
        rows.arrive(of, 9_999, outcome="failed", reason={"code": "no_customer"}, attempts=3)
        with django_assert_num_queries(4):  # a savepoint around the two statements
            assert retry_all(shop) == 10_000
