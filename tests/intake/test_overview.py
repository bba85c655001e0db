"""What pages show of collection accounts: state, times, counts and progress, in few queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from buzon.desk.models import Organization
from buzon.intake.accounts import AccountError, collect_now, most_accounts
from buzon.intake.first_download import Reach
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.overview import (
    Overview,
    allowance,
    failing_arrivals,
    folder_counts,
    latest_arrivals,
    overviews,
)
from tests.intake import rows
from tests.intake.collecting import collect
from tests.intake.rows import account_of
from tests.intake.scene import scene


def arrive(account: CollectionAccount, number: int, **fields: Any) -> None:
    """So many rows, in custody unless said otherwise."""
    values = {"outcome": "filed", "sha256": "ab" * 32, "size": 1_000} | fields
    rows.arrive(account, number, **values)


def overview_of(account: CollectionAccount) -> Overview:
    (found,) = overviews([CollectionAccount.objects.get(pk=account.pk)])
    return found


def test_counts_by_outcome_are_each_accounts_own(shop: Organization) -> None:
    account, other = account_of(shop), account_of(shop, "other")
    arrive(account, 3)
    arrive(account, 2, outcome="skipped", sha256="")
    arrive(other, 1, outcome="failed")
    found = overview_of(account).outcomes
    assert {name: many for name, many in found.items() if many} == {"filed": 3, "skipped": 2}
    assert set(found) == set(Arrival.Outcome.values)
    assert overview_of(other).outcomes["failed"] == 1


def test_next_collection_is_the_duties(shop: Organization) -> None:
    account = account_of(shop)
    later = timezone.now() + timedelta(seconds=40)
    account.duties.filter(kind="collect").update(due_at=later)
    account.duties.filter(kind="process").update(due_at=None)
    assert overview_of(account).next_at == later
    assert not overview_of(account).is_due
    account.duties.filter(kind="collect").update(due_at=timezone.now())
    assert overview_of(account).is_due
    CollectionAccount.objects.update(active=False)
    assert overview_of(account).next_at is None
    CollectionAccount.objects.update(active=True, state="stopped")
    assert overview_of(account).next_at is None


def test_due_for_minutes_without_a_collector_is_overdue(shop: Organization) -> None:
    account = account_of(shop)
    duty = account.duties.filter(kind="collect")
    duty.update(due_at=timezone.now() - timedelta(minutes=1))
    assert not overview_of(account).is_overdue
    duty.update(due_at=timezone.now() - timedelta(minutes=3))
    assert overview_of(account).is_overdue
    duty.update(lease_owner="worker", lease_until=timezone.now() + timedelta(minutes=1))
    assert overview_of(account).is_collecting
    assert not overview_of(account).is_overdue
    duty.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not overview_of(account).is_collecting


def begun(account: CollectionAccount, **fields: Any) -> None:
    """Its first folder was looked at; `fields` say what was found there."""
    now = timezone.now()
    account.folders.update(**({"baseline_at": now, "history_begun_at": now} | fields))


def collecting(account: CollectionAccount) -> None:
    """Somebody is at work on it."""
    until = timezone.now() + timedelta(minutes=1)
    account.duties.filter(kind="collect").update(lease_owner="worker", lease_until=until)


def reach_of(account: CollectionAccount) -> Reach:
    first = overview_of(account).first_download
    assert first is not None
    return first.whole


def test_progress_of_a_first_download(shop: Organization) -> None:
    """R14: done of total, octets, rate, and how long still at the pace of the last minute."""
    account = account_of(shop)
    begun(
        account, history_total=1_000, history_octets=1_000_000, to_come=600, octets_to_come=600_000
    )
    arrive(account, 300, of_history=True)
    arrive(account, 100, of_history=True, outcome="waiting", sha256="")
    arrive(account, 7)  # new mail is no part of it
    arrive(account, 2, outcome="waiting")
    assert reach_of(account) == Reach(300, 1_000, 300_000, 1_000_000)
    assert reach_of(account).percent == 30
    account.folders.update(pace=[[0.0, 900, 900_000], [10.0, 700, 700_000]])
    assert reach_of(account).left is None  # nobody is at it
    collecting(account)
    moving = reach_of(account)
    assert (moving.rate, moving.octets_rate) == (20, 20_000)
    assert moving.left is not None
    assert moving.left.total_seconds() == pytest.approx(35)


def test_progress_over_pop3_without_names_counts_what_is_still_to_be_retrieved(
    shop: Organization,
) -> None:
    account = account_of(shop, protocol="pop3")
    begun(account, history_total=10, history_octets=9_999, low=11, to_come=6, octets_to_come=5_999)
    for number in range(4):
        arrive(account, 1, uid=None, uidvalidity=None, uidl=f"digest:{number}", of_history=True)
    assert reach_of(account) == Reach(4, 10, 4_000, 9_999)
    (folder,) = folder_counts(account)
    assert (folder.live, folder.on_server) == (4, 10)


def test_progress_of_each_folder_and_of_all_together(shop: Organization) -> None:
    account = account_of(shop, folders=["INBOX", "Ventas"])
    inbox, ventas = account.folders.order_by("pk")
    begun(account, history_total=50, history_octets=500)
    Folder.objects.filter(pk=inbox.pk).update(to_come=50, octets_to_come=500)
    arrive(account, 10, folder=ventas, of_history=True, outcome="waiting", size=7)
    first = overview_of(account).first_download
    assert first is not None
    assert first.whole == Reach(40, 100, 430, 1_000)
    assert first.folders == {inbox.pk: Reach(0, 50, 0, 500), ventas.pk: Reach(40, 50, 430, 500)}


def test_progress_where_nothing_moves_promises_nothing(shop: Organization) -> None:
    account = account_of(shop)
    begun(account, history_total=50, to_come=50, pace=[[0.0, 50, 0], [9.0, 50, 0]])
    collecting(account)
    assert reach_of(account) == Reach(0, 50, 0, 0, rate=0, octets_rate=0)


def test_mail_that_was_removed_meanwhile_is_not_waited_for(shop: Organization) -> None:
    account = account_of(shop)
    begun(account, history_total=50, history_octets=500)
    arrive(account, 40, of_history=True)
    arrive(account, 10, of_history=True, outcome="waiting", sha256="", gone_at=timezone.now())
    assert reach_of(account) == Reach(50, 50, 500, 500)


def test_no_progress_without_history_or_once_it_is_all_here(shop: Organization) -> None:
    account = account_of(shop)
    assert overview_of(account).first_download is None  # never looked
    begun(account)
    assert overview_of(account).first_download is None  # nothing within the window
    begun(account, history_total=3)
    assert reach_of(account).done == 3  # not yet remembered as being all here
    CollectionAccount.objects.update(history_done_at=timezone.now())
    assert overview_of(account).first_download is None
    added = Folder.objects.create(account=account, name="Ventas", history_begun_at=timezone.now())
    assert overview_of(account).first_download is None  # nothing was there
    Folder.objects.filter(pk=added.pk).update(history_total=7, to_come=7)
    assert (reach_of(account).done, reach_of(account).total) == (0, 7)  # of the added one alone


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_real_collection_ends_with_everything_counted(db: None, protocol: str) -> None:
    with scene(protocol) as on:
        on.deliver(*["ana@customer.example"] * 5)
        account = on.account()
        assert overview_of(account).first_download is None
        collect(account)
        found = overview_of(account)
        assert found.first_download is None
        assert found.outcomes["filed"] == 5
        assert not found.is_collecting
        (folder,) = folder_counts(account)
        assert (folder.on_server, folder.live, folder.folder.to_come) == (5, 5, 0)
        assert (folder.folder.history_total, folder.folder.octets_to_come) == (5, 0)
        assert folder.folder.history_octets == sum(row.size for row in account.arrivals.all())


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_is_outside_the_window_is_counted_apart(db: None, protocol: str) -> None:
    with scene(protocol) as on:
        on.deliver(*["ana@customer.example"] * 4)
        account = on.account(start="now")
        collect(account)
        on.deliver("ana@customer.example")
        collect(account)
        (folder,) = folder_counts(account)
        assert (folder.on_server, folder.live, folder.folder.outside) == (5, 1, 4)


def test_folders_in_the_midst_of_a_first_download(shop: Organization) -> None:
    account = account_of(shop, folders=["INBOX", "Ventas"], sent_folders=["Enviados"])
    begun(account)
    account.folders.filter(name="INBOX").update(
        history_total=100, low=61, outside=20, baseline_uidnext=41, to_come=60
    )
    arrive(account, 40, of_history=True)
    arrive(account, 2)
    arrive(account, 1, gone_at=timezone.now())
    found = folder_counts(account)
    assert [each.folder.name for each in found] == ["INBOX", "Ventas", "Enviados"]
    assert (found[0].live, found[0].on_server) == (42, 122)
    assert (found[1].live, found[1].on_server) == (0, 0)


def test_many_accounts_take_no_more_queries_than_one(
    shop: Organization, settings: Settings, django_assert_max_num_queries: Any
) -> None:
    settings.BUZON_MAX_ACCOUNTS = 50
    for number in range(50):
        account = account_of(shop, f"a{number}")
        begun(account, history_total=9, low=5, to_come=4)
        arrive(account, 2, of_history=True)
    rows = list(CollectionAccount.objects.all())
    with django_assert_max_num_queries(5):
        assert all(each.first_download for each in overviews(rows))


def test_no_accounts_no_overviews(shop: Organization) -> None:
    assert overviews([]) == []


def test_latest_and_failing_rows_newest_first(shop: Organization) -> None:
    account = account_of(shop)
    arrive(account, 3)
    arrive(account, 2, outcome="failed", sha256="")
    arrive(account_of(shop, "other"), 1, outcome="failed")
    assert [row.uid for row in latest_arrivals(account, most=4)] == [5, 4, 3, 2]
    assert [row.uid for row in failing_arrivals(account, most=4)] == [5, 4]


def test_the_latest_are_those_that_arrived_last_whenever_they_were_seen(
    shop: Organization,
) -> None:
    account, now = account_of(shop), timezone.now()
    arrive(account, 1, internal_date=now - timedelta(days=2))
    arrive(account, 1, internal_date=now - timedelta(hours=1))
    arrive(account, 1, internal_date=now - timedelta(days=400), of_history=True)
    arrive(account, 1)  # the server does not say: when it was seen
    arrive(account, 1, internal_date=now - timedelta(days=3), outcome="skipped", sha256="")
    assert [row.uid for row in latest_arrivals(account, most=9)] == [4, 2, 1, 5, 3]


def test_a_date_that_is_still_to_come_is_not_the_latest_for_ever(shop: Organization) -> None:
    account, now = account_of(shop), timezone.now()
    arrive(account, 1, internal_date=now + timedelta(days=4000))
    arrive(account, 1)
    assert [row.uid for row in latest_arrivals(account, most=9)] == [2, 1]


def test_the_latest_are_found_by_their_index(shop: Organization) -> None:
    account = account_of(shop)
    arrive(account, 300)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of few rows it would rather look at each
            cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        plan = latest_arrivals(account, most=10).explain()
    assert "arrival_latest" in plan
    assert "TEMP B-TREE" not in plan


def test_r1_allowance(shop: Organization, settings: Settings) -> None:
    settings.BUZON_MAX_ACCOUNTS = 2
    account_of(shop)
    assert allowance(shop) == (1, 2)
    assert not allowance(shop).is_used_up
    account_of(shop, "second")
    assert allowance(shop).is_used_up
    shop.max_accounts = 5
    assert most_accounts(shop) == 5
    assert not allowance(shop).is_used_up
    shop.max_accounts = 0
    assert allowance(shop).is_used_up


def test_collect_now_waits_for_no_back_off(shop: Organization) -> None:
    account = account_of(shop)
    Duty.objects.update(due_at=timezone.now() + timedelta(hours=1))
    CollectionAccount.objects.update(state="rejected")
    account.refresh_from_db()
    collect_now(account)
    assert all(duty.due_at <= timezone.now() for duty in Duty.objects.all())


@pytest.mark.parametrize(
    ("values", "told"),
    [({"active": False}, "is paused"), ({"state": "stopped"}, "waits for a decision")],
)
def test_collect_now_says_why_not(shop: Organization, values: dict[str, Any], told: str) -> None:
    account = account_of(shop)
    later = timezone.now() + timedelta(hours=1)
    Duty.objects.update(due_at=later)
    CollectionAccount.objects.update(**values)
    account.refresh_from_db()
    with pytest.raises(AccountError, match=told):
        collect_now(account)
    assert {duty.due_at for duty in Duty.objects.all()} == {later}
