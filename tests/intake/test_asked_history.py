"""What a person asks of an account's history: pause, go on, cancel, collect again. Nothing is lost,
nothing comes twice, and new mail is collected all the while.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Event, Message
from buzon.intake import first_download
from buzon.intake.account_values import AccountError
from buzon.intake.asked_history import (
    cancel_history,
    collect_again,
    pause_history,
    resume_history,
)
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.overview import overviews
from buzon.intake.reconcile import reconcile
from buzon.intake.runs import collect_once
from buzon.intake.totals import Totals
from buzon.lease import LeaseLost, claim
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, outcomes, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
KINDS = pytest.mark.parametrize(
    ("protocol", "uidl"), [("imap", True), ("pop3", True), ("pop3", False)]
)
LONG_AGO = datetime(2020, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks at every batch whether it is paused."""
    monkeypatch.setattr(first_download, "EVERY", 0.0)
    monkeypatch.setattr(first_download, "SHARE", 0)


def collect_and(account: CollectionAccount, what: Callable[[CollectionAccount], Any]) -> Totals:
    """A collection; `what` is done between two of its steps, once some letters are filed."""
    done = False

    def meanwhile() -> bool:
        nonlocal done
        if not done and account.arrivals.filter(outcome="filed").exists():
            done = True
            what(stored(account))
        return False

    lease = claim(Duty.objects.get(account=account, kind="collect"))
    assert lease is not None
    totals = collect_once(lease, stop=meanwhile)
    account.refresh_from_db()
    return totals


def stored(account: CollectionAccount) -> CollectionAccount:
    return CollectionAccount.objects.get(pk=account.pk)


def outside(account: CollectionAccount) -> int:
    return sum(account.folders.values_list("outside", flat=True))


@KINDS
def test_a_paused_history_waits_and_new_mail_comes(protocol: str, uidl: bool) -> None:
    with scene(protocol, uidl=uidl) as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account()
        assert collect_and(account, pause_history).error == ""
        filed = outcomes(account)["filed"]
        assert 0 < filed < 450
        (found,) = overviews([account])
        assert found.first_download is not None
        assert found.first_download.paused
        assert found.first_download.whole.total == 450
        for _ in range(2):
            at.deliver(STRANGER)
            assert collect(account).error == ""
        assert account.history_done_at is None
        assert outcomes(account)["filed"] == filed + 2
        assert account.arrivals.filter(of_history=False).count() == 2
        resume_history(account)
        assert collect(account).error == ""
        check_books(account, 452)
        assert account.history_done_at is not None
        assert Message.objects.count() == 452


@BOTH
def test_paused_before_the_first_look(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 5)
        account = pause_history(at.account())
        collect(account)
        assert "filed" not in outcomes(account)
        resume_history(account)
        collect(account)
        check_books(account, 5)


def test_pausing_is_refused_once_all_is_here_and_may_be_repeated_before() -> None:
    with scene() as at:
        at.deliver(KNOWN)
        account = at.account()
        pause_history(pause_history(account))
        resume_history(resume_history(account))
        collect(account)
        with pytest.raises(AccountError, match="still to come"):
            pause_history(account)


@KINDS
def test_what_is_cancelled_stays_outside_for_good(protocol: str, uidl: bool) -> None:
    with scene(protocol, uidl=uidl) as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account()
        collect_and(account, pause_history)
        filed = outcomes(account)["filed"]
        assert cancel_history(account) == 450 - filed
        assert cancel_history(account) == 0
        assert outcomes(account) == {"filed": filed}
        at.deliver(STRANGER)
        for _ in range(2):
            account.folders.update(reconciled_at=timezone.now() - timedelta(days=3))
            assert collect(account).error == ""
            assert outcomes(account) == {"filed": filed + 1}
            assert outside(account) == 450 - filed
        assert account.history_done_at is not None
        assert all(books.balance for books in reconcile(account))
        assert overviews([account])[0].first_download is None


@BOTH
def test_a_run_that_is_under_way_writes_nothing_more_once_it_is_cancelled(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account()
        with pytest.raises(LeaseLost):
            collect_and(account, cancel_history)
        filed = outcomes(account)["filed"]
        assert 0 < filed < 450
        collect(account)
        assert outcomes(account) == {"filed": filed}
        check_books(account, 450)
        assert account.history_done_at is not None


def test_a_folder_that_is_renumbered_after_that_brings_nothing_back() -> None:
    with scene() as at:
        dated(at, LONG_AGO, 450)
        account = at.account()
        collect_and(account, pause_history)
        filed = outcomes(account)["filed"]
        cancel_history(account)
        at.box.reset_uids()
        collect(account)
        collect(account)
        assert outcomes(account) == {"filed": filed}
        check_books(account, 450)


def test_the_summary_comes_when_the_rest_is_cancelled() -> None:
    from tests.intake.test_history import group_of, told

    with scene() as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account(group=group_of(at, "bea"))
        collect_and(account, pause_history)
        assert told("history_collected") == []
        filed = outcomes(account)["filed"]
        cancel_history(account)
        collect(account)
        assert [event.data["letters"] for event in told("history_collected")] == [filed]


@KINDS
@pytest.mark.parametrize("start", ["now", "all"])
def test_collected_again_from_a_day_nothing_comes_twice(
    protocol: str, uidl: bool, start: str
) -> None:
    with scene(protocol, uidl=uidl) as at:
        old = dated(at, LONG_AGO, 4)
        young = dated(at, timezone.now() - timedelta(days=20), 5)
        account = at.account(start=start)
        if start == "all":
            pause_history(account)
            collect(account)
            cancel_history(account)
        collect(account)
        assert outside(account) == 9
        at.deliver(KNOWN)
        collect(account)
        assert outcomes(account) == {"filed": 1}
        for _ in range(2):
            collect_again(account, since=timezone.localdate() - timedelta(days=30))
            collect(account)
            collect(account)
            assert outcomes(account) == {"filed": 1 + young}
            assert outside(account) == old
            assert account.history_done_at is not None
        check_books(account, 10)
        for _ in range(2):
            collect_again(account, since=None)
            collect(account)
            assert outcomes(account) == {"filed": 10}
        check_books(account, 10)
        assert Message.objects.count() == 10
        assert account.arrivals.filter(of_history=True).count() == 9
        assert all(books.balance for books in reconcile(account))


def dated(at: Scene, when: datetime, number: int) -> int:
    received = f"Received: from a by b; {when:%a, %d %b %Y %H:%M:%S +0000}\r\n"
    for _ in range(number):
        at.box.deliver(received.encode() + at.letter(), internal_date=when)
    return number


@BOTH
def test_the_window_is_never_made_narrower(protocol: str) -> None:
    with scene(protocol) as at:
        dated(at, LONG_AGO, 3)
        account = at.account(start="date", start_date=date(2020, 1, 1))
        collect(account)
        collect_again(account, since=date(2024, 1, 1))
        assert (account.start, account.start_date) == ("date", date(2020, 1, 1))
        whole = at.account(name="whole")
        collect(whole)
        collect_again(whole, since=date(2024, 1, 1))
        assert (whole.start, whole.start_date) == ("all", None)
        collect(whole)
        check_books(whole, 3)


@BOTH
def test_in_the_midst_of_a_first_download_it_goes_on(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account()
        collect_and(account, pause_history)
        collect_again(account, since=None)
        assert collect(account).error == ""
        check_books(account, 450)
        folder = account.folders.get()
        assert (folder.history_total, folder.to_come, folder.octets_to_come) == (450, 0, 0)
        assert Message.objects.count() == 450


@BOTH
def test_what_was_skipped_is_judged_anew(protocol: str) -> None:
    """R9, then R8: the shop creates customers from now on, and wants the mail of before."""
    with scene(protocol) as at:
        at.customer(KNOWN)
        at.deliver(KNOWN, *[STRANGER] * 60)
        account = at.account(create_customer=False)
        collect(account)
        at.deliver("late@else.example")
        collect(account)
        assert outcomes(account) == {"filed": 1, "skipped": 61}
        collect_again(account, since=None)
        collect(account)
        assert outcomes(account) == {"filed": 1, "skipped": 61}
        CollectionAccount.objects.update(create_customer=True)
        collect_again(stored(account), since=None)
        collect(account)
        assert outcomes(account) == {"filed": 62}
        assert Event.objects.filter(kind="message_received").count() == 0  # they are history
        check_books(account, 62)


def test_each_time_agents_hear_of_what_is_new_alone() -> None:
    from tests.intake.test_history import group_of, told

    with scene() as at:
        dated(at, LONG_AGO, 60)
        account = at.account(group=group_of(at, "bea"), start="now")
        collect(account)
        collect_again(account, since=date(2020, 1, 1))
        collect(account)
        collect_again(account, since=date(2020, 1, 1))
        collect(account)
        assert told("message_received") == []
        assert [event.data["letters"] for event in told("history_collected")] == [60]


def test_refusals() -> None:
    with scene() as at:
        account = at.account()
        with pytest.raises(AccountError, match="was not looked at yet"):
            collect_again(account, since=None)
        collect(account)
        with pytest.raises(AccountError, match="still to come"):
            collect_again(account, since=timezone.localdate() + timedelta(days=2))
