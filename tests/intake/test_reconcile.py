"""A fresh listing beside the ledger: what is missing here, what is gone there; put right after."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from buzon.desk.models import Message
from buzon.intake.models import Arrival, Folder
from buzon.intake.reconcile import reconcile
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, Scene, check_books, scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_books_that_agree(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN)
        (before,) = reconcile(account)
        assert (before.on_server, before.not_yet_listed, before.balance) == (2, 2, True)
        collect(account)
        (after,) = reconcile(account)
        assert (after.on_server, after.live, after.outside, after.balance) == (2, 2, 0, True)
        assert at.store.deeds("expunged", "deleted", "stored", "marked-seen") == []


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_it_names_what_is_gone_and_what_is_missing(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account()
        uids = at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        at.box.expunge(uids[0])
        first, lost = (
            Arrival.objects.order_by("pk")[:2]
            if protocol == "pop3"
            else Arrival.objects.order_by("uid")[:2]
        )
        lost_name = str(lost.uid) if protocol == "imap" else lost.uidl
        lost.delete()  # as if a row had been lost
        (books,) = reconcile(account)
        assert (books.gone, books.missing) == ([first.pk], [lost_name])
        assert not books.balance
        collect(account)
        (books,) = reconcile(account)
        assert books.balance


@pytest.mark.parametrize(("protocol", "uidl"), [("imap", True), ("pop3", True), ("pop3", False)])
def test_the_sum_does_not_hold_where_what_is_outside_was_removed(
    protocol: str,
    uidl: bool,
) -> None:
    with scene(protocol, uidl=uidl) as at:
        at.deliver(KNOWN, KNOWN)
        account = at.account(start="now")
        collect(account)
        at.deliver(KNOWN)
        collect(account)
        assert reconcile(account)[0].balance
        at.box.expunge(1)
        (books,) = reconcile(account)
        assert (books.on_server, books.live, books.outside) == (2, 1, 2)
        assert (books.unexplained, books.balance) == (-1, False)
        collect(account)
        (books,) = reconcile(account)
        assert (books.on_server, books.live, books.outside, books.balance) == (2, 1, 1, True)


def test_the_sum_holds_half_way_through_a_history() -> None:
    with scene() as at:
        for year in (2020, 2021, 2026, 2026):
            at.box.deliver(at.letter(KNOWN), internal_date=datetime(year, 6, 1, tzinfo=UTC))
        account = at.account(start="date", start_date=datetime(2026, 1, 1, tzinfo=UTC).date())
        collect(account)
        Arrival.objects.get(uid=3).delete()
        Folder.objects.update(low=4)  # as if the connection had broken then
        at.deliver(KNOWN)
        (books,) = reconcile(account)
        assert (books.on_server, books.live, books.outside) == (5, 1, 2)
        assert (books.not_yet_listed, books.balance) == (2, True)


def two_changes_that_cancel_out(at: Scene) -> None:
    """The count stays the same: one row is lost, and one message goes."""
    Arrival.objects.order_by("pk")[1].delete()
    at.box.expunge(at.box.messages[0].uid)


def test_once_a_day_all_of_it_is_compared() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        two_changes_that_cancel_out(at)
        collect(account)
        assert not reconcile(account)[0].balance  # the count says that all is well
        Folder.objects.update(reconciled_at=timezone.now() - timedelta(hours=25))
        collect(account)
        assert reconcile(account)[0].balance
        check_books(account, 2)
        assert Message.objects.count() == 3


def test_what_is_outside_the_window_is_not_missing() -> None:
    with scene() as at:
        at.box.deliver(at.letter(KNOWN), internal_date=datetime(2020, 1, 1, tzinfo=UTC))
        at.deliver(KNOWN)
        account = at.account(start="date", start_date=datetime(2026, 1, 1, tzinfo=UTC).date())
        collect(account)
        (books,) = reconcile(account)
        assert (books.on_server, books.live, books.outside, books.balance) == (2, 1, 1, True)


def test_a_renumbered_folder_says_so() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN)
        collect(account)
        at.box.reset_uids()
        (books,) = reconcile(account)
        assert (books.renumbered, books.balance, books.missing) == (True, False, [])
