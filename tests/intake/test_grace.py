"""R6 with days: a downloaded message stays on the server for as long as the account says."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from buzon.config.command.account_books import deletions
from buzon.intake import grace
from buzon.intake.accounts import change_account
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.settle import due_rows
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, scene

pytestmark = pytest.mark.django_db(transaction=True)


def days_go_by(account: CollectionAccount, days: int) -> None:
    for row in Arrival.objects.filter(account=account):
        row.decided_at = row.decided_at and row.decided_at - timedelta(days=days)
        row.save()


def filed(at: Scene, **fields: object) -> CollectionAccount:
    account = at.account(after="delete", delete_after_days=7, **fields)
    at.deliver(KNOWN, STRANGER)
    collect(account)
    return account


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_R6_it_goes_when_its_days_are_over_and_not_before(protocol: str) -> None:
    with scene(protocol) as at:
        account = filed(at)
        assert len(at.box.messages) == 2
        days_go_by(account, 6)
        collect(account)
        assert len(at.box.messages) == 2
        at.deliver(KNOWN)  # a new one has days of its own
        days_go_by(account, 1)
        assert collect(account).settled == 2
        assert len(at.box.messages) == 1
        check_books(account, 1)


def test_a_server_without_uidl_too() -> None:
    with scene("pop3", uidl=False) as at:
        account = filed(at)
        assert len(at.box.messages) == 2
        days_go_by(account, 7)
        assert collect(account).settled == 2
        assert at.box.messages == []


def test_marking_as_read_waits_for_nothing() -> None:
    with scene() as at:
        account = at.account(after="read", delete_after_days=7)
        at.deliver(KNOWN)
        assert collect(account).settled == 1


def test_the_dry_run_says_what_goes_and_when() -> None:
    with scene() as at:
        account = filed(at)
        going = list(deletions(account))
        assert sorted(one["uid"] for one in going) == [1, 2]
        assert all(one["from"] is not None for one in going)
        assert due_rows(account).count() == 0
        days_go_by(account, 7)
        assert [one["from"] for one in deletions(account)] == [None, None]
        assert due_rows(account).count() == 2
        assert len(at.box.messages) == 2  # it only says so
        change_account(account, after="leave")
        assert [one["is_on"] for one in deletions(account)] == [False, False], "before it is on"


def test_a_message_that_is_skipped_or_failed_is_never_among_them() -> None:
    with scene() as at:
        at.customer()
        account = at.account(after="delete", create_customer=False)
        at.deliver(KNOWN, STRANGER)
        collect(account)
        Arrival.objects.filter(outcome="filed").update(
            outcome="failed", settled_at=None, gone_at=None
        )
        assert list(deletions(account)) == []


def set_clock(patch: pytest.MonkeyPatch, days: float, *, went_by: float = 0.0) -> None:
    """The worker's clock is so many days ahead of the true one; `went_by` of them truly are."""
    now, ticks = datetime.now, time.clock_gettime
    patch.setattr(timezone, "now", lambda: now(UTC) + timedelta(days=days))
    patch.setattr(grace, "ticks", lambda: ticks(time.CLOCK_BOOTTIME) + went_by * 86_400)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("by", [9_000, 1.0, 6.9])
def test_R6_a_clock_put_forward_shortens_no_day(
    protocol: str, by: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol) as at:
        account = filed(at)
        set_clock(monkeypatch, by)
        collect(account)
        assert len(at.box.messages) == 2
        set_clock(monkeypatch, by + 6.9, went_by=6.9)
        collect(account)
        assert len(at.box.messages) == 2
        assert [one["from"] is not None for one in deletions(account)] == [True, True]
        set_clock(monkeypatch, by + 7.1, went_by=7.1)
        assert [one["from"] for one in deletions(account)] == [None, None]
        assert collect(account).settled == 2


def test_R6_a_clock_put_back_and_forward_again_shortens_no_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scene() as at:
        account = filed(at)
        for days in (-9_000, 0, 400, 0.5, 9_000):
            set_clock(monkeypatch, days)
            at.deliver(KNOWN)
            collect(account)
        assert len(at.box.messages) == 7
        set_clock(monkeypatch, 9_006.9, went_by=6.9)
        collect(account)
        assert len(at.box.messages) == 7
        set_clock(monkeypatch, 9_007.1, went_by=7.1)
        collect(account)
        assert at.box.messages == []


def test_R6_after_a_new_start_of_the_machine_a_day_is_believed_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = iter(f"start {number}" for number in range(100))
    with scene() as at:
        account = filed(at)
        monkeypatch.setattr(grace, "_boot", lambda: next(starts))
        for number in range(1, 9):
            set_clock(monkeypatch, number * 0.9)
            collect(account)
            assert len(at.box.messages) == (2 if number < 8 else 0)
        at.deliver(KNOWN)
        collect(account)
        set_clock(monkeypatch, 400)
        collect(account)
        assert len(at.box.messages) == 1


def test_many_jumps_are_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with scene() as at:
        account = filed(at)
        for days in range(60):
            set_clock(monkeypatch, -days if days % 2 else days)
            collect(account)
        assert len(account.clock["jumps"]) == grace.MOST_JUMPS
        assert len(at.box.messages) == 2
