"""Which message is which: renumbered folders, UIDLs that come back, and servers without any."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Event, Message
from buzon.intake.accounts import resume_account
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.intake.renumbering import Card, match
from tests.intake.collecting import collect
from tests.intake.scene import (
    KNOWN,
    STRANGER,
    check_books,
    message_count,
    outcomes,
    rows,
    scene,
)

pytestmark = pytest.mark.django_db(transaction=True)


def uids(account: CollectionAccount) -> dict[str, Any]:
    """Where the ledger says that each stored letter lies."""
    live = account.arrivals.live().exclude(sha256="")
    return dict(live.values_list("sha256", "uid"))


def test_renumbered_mail_is_found_again_and_nothing_is_collected_twice() -> None:
    with scene() as at:
        at.deliver(KNOWN, STRANGER, KNOWN)
        account = at.account(after="read")
        collect(account)
        before = rows(account)
        at.box.reset_uids()
        at.deliver(KNOWN)
        bodies = len(at.store.deeds("fetched-body"))
        totals = collect(account)
        assert (totals.error, totals.filed, totals.listed) == ("", 1, 4)
        assert len(at.store.deeds("fetched-body")) == bodies + 1
        assert [row.pk for row in rows(account)][:3] == [row.pk for row in before]
        assert sorted(row.uid or 0 for row in rows(account)) == [m.uid for m in at.box.messages]
        assert not rows(account)[-1].of_history
        check_books(account, 4)


def test_renumbered_identical_letters_are_a_multiset() -> None:
    with scene() as at:
        same = at.letter()
        for octets in (same, same, at.letter(), same, *[at.letter() for _ in range(6)]):
            at.box.deliver(octets)
        account = at.account()
        collect(account)
        at.box.expunge(1)  # one of the equal ones goes, unseen
        at.box.reset_uids()
        totals = collect(account)
        assert (totals.error, totals.filed, totals.listed) == ("", 0, 9)
        assert account.arrivals.live().count() == 9
        assert account.arrivals.filter(gone_at__isnull=False).count() == 1
        check_books(account, 9)


def test_under_eighty_percent_stops_asks_and_settles_nothing() -> None:
    with scene() as at:
        at.deliver(*[KNOWN] * 10)
        account = at.account()
        collect(account)
        before = [(row.uid, row.uidvalidity) for row in rows(account)]
        at.box.expunge(1, 2, 3)
        at.box.reset_uids()
        CollectionAccount.objects.update(after="delete")
        account.refresh_from_db()
        totals = collect(account)
        assert "only 7 of 10" in totals.error
        assert "resume" in totals.error
        assert account.state == "stopped"
        assert [(row.uid, row.uidvalidity) for row in rows(account)] == before
        assert not at.store.deeds("stored", "expunged", "moved")
        assert Duty.objects.get(account=account, kind="collect").due_at is None
        assert Event.objects.filter(kind="account_stopped").count() == 1

        logins = len(at.store.deeds("logged-in"))
        assert "only 7 of 10" in collect(account).error  # asked for by a person: says it again
        assert len(at.store.deeds("logged-in")) == logins
        assert Event.objects.filter(kind="account_stopped").count() == 1

        resume_account(account)
        totals = collect(account)
        assert (totals.error, totals.settled) == ("", 7)
        assert at.box.messages == []
        assert (account.state, account.accept_renumbering) == ("working", False)
        assert Event.objects.filter(kind="account_recovered").count() == 1


def test_eighty_percent_goes_on() -> None:
    with scene() as at:
        at.deliver(*[KNOWN] * 10)
        account = at.account()
        collect(account)
        at.box.expunge(1, 2)
        at.box.reset_uids()
        assert collect(account).error == ""
        check_books(account, 8)


def test_resume_answers_for_all_folders_at_once() -> None:
    with scene() as at:
        other = at.box.login.add_folder("Other")
        at.deliver(*[KNOWN] * 4)
        at.deliver(*[KNOWN] * 4, folder=other)
        account = at.account(folders=["INBOX", "Other"])
        collect(account)
        for folder in (at.box, other):
            folder.expunge(1, 2)
            folder.reset_uids()
        assert collect(account).error
        resume_account(account)
        assert collect(account).error == ""
        check_books(account, 4)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_three_renumberings_in_a_day_stop_the_account(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        for _ in range(2):
            at.box.reset_uids()
            assert collect(account).error == ""
        at.box.reset_uids()
        assert "3 times within a day" in collect(account).error
        assert account.state == "stopped"
        resume_account(account)
        assert collect(account).error == ""
        assert message_count(account) == 1
        folder = account.folders.get()
        long_ago = (timezone.now() - timedelta(days=2)).isoformat()
        folder.validity_changes = [long_ago] * 3
        folder.save()
        at.box.reset_uids()
        assert collect(account).error == ""
        check_books(account, 1)


@pytest.mark.parametrize("start", ["now", "date"])
def test_what_was_outside_stays_outside_when_renumbered(start: str) -> None:
    with scene() as at:
        old = timezone.now() - timedelta(days=400)
        for _ in range(3):
            at.box.deliver(at.letter(), internal_date=old)
        date = (timezone.now() - timedelta(days=30)).date() if start == "date" else None
        account = at.account(start=start, start_date=date)
        collect(account)
        at.deliver(KNOWN)
        collect(account)
        at.box.reset_uids()
        at.deliver(KNOWN)
        totals = collect(account)
        assert (totals.error, totals.outside, totals.filed) == ("", 3, 1)
        check_books(account, 5)


def test_skipped_rows_are_found_again_too() -> None:
    with scene() as at:
        at.customer()
        at.deliver(STRANGER, KNOWN, STRANGER)
        account = at.account(create_customer=False)
        collect(account)
        at.box.reset_uids()
        collect(account)
        assert at.bodies() == [2]
        assert outcomes(account) == {"skipped": 2, "filed": 1}
        check_books(account, 3)


def test_a_renumbering_in_the_middle_of_a_history_loses_nothing() -> None:
    with scene() as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account()
        collect(account)
        Arrival.objects.filter(uid__lte=250).delete()  # as if it had been cut there
        account.folders.update(low=251)
        at.box.reset_uids()
        totals = collect(account)
        assert (totals.error, totals.listed) == ("", 450)
        check_books(account, 450)


def test_sizes_that_a_server_tells_wrongly_are_not_believed_against_a_header() -> None:
    def row(uid: int, digest: str, size: int) -> Arrival:
        return Arrival(uid=uid, header_digest=digest, size=size)

    def card(uid: int, digest: str, size: int, *, named: bool = True) -> Card:
        return Card(uid, size, digest, None, named)

    found = match(
        [row(1, "a", 10), row(2, "b", 10), row(3, "c", 10), row(4, "c", 11), row(5, "d", 9)],
        [
            card(11, "a", 12),
            card(12, "b", 10),
            card(13, "c", 99),
            card(14, "c", 98),
            card(15, "d", 8, named=False),
        ],
    )
    assert {(one.uid, card.uid) for one, card in found.again} == {(1, 11), (2, 12)}
    assert {card.uid for card in found.unknown} == {13, 14, 15}
    assert {one.uid for one in found.gone} == {3, 4, 5}
    assert found.highest == 15


def test_uidl_gone_and_back_is_a_new_arrival() -> None:
    with scene("pop3") as at:
        at.box.login.pop3_uidl = lambda message: f"always-{message.uid % 2}"
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        at.box.expunge(1)
        assert collect(account).listed == 0
        at.deliver(STRANGER)  # uid 2
        at.deliver(STRANGER)  # uid 3: the UIDL of the first
        assert collect(account).filed == 2
        generations = sorted(account.arrivals.values_list("uidl", "generation"))
        assert generations == [("always-0", 1), ("always-1", 1), ("always-1", 2)]
        assert message_count(account) == 3
        check_books(account, 2)


def test_uidl_of_before_the_window_gone_and_back_is_new() -> None:
    with scene("pop3") as at:
        at.box.login.pop3_uidl = lambda message: "the-one"
        at.deliver(KNOWN)
        account = at.account(start="now")
        assert collect(account).outside == 1
        at.box.expunge(1)
        assert collect(account).outside == 0
        at.deliver(STRANGER)
        totals = collect(account)
        assert (totals.filed, totals.outside) == (1, 0)


@pytest.mark.parametrize("after", ["leave", "delete"])
def test_doubled_uidls_lose_nothing(after: str) -> None:
    with scene("pop3") as at:
        at.box.login.pop3_uidl = lambda message: f"twin-{message.uid // 2}"
        at.deliver(KNOWN, STRANGER, KNOWN, "x@else.example", "y@else.example")  # 2,3 and 4,5
        account = at.account(after=after)
        totals = collect(account)
        assert (totals.error, totals.filed) == ("", 5)
        assert collect(account).filed == 0
        assert len(at.box.messages) == (0 if after == "delete" else 5)
        assert message_count(account) == 5
        check_books(account, len(at.box.messages))


@pytest.mark.parametrize("after", ["leave", "delete"])
def test_without_uidl_equal_octets_count_as_often_as_they_are_there(after: str) -> None:
    with scene("pop3", uidl=False) as at:
        nameless = b"From: ana@customer.example\r\nSubject: Equal\r\n\r\nEqual.\r\n"
        for octets in (nameless, nameless, at.letter()):
            at.box.deliver(octets)
        account = at.account(after=after)
        assert collect(account).filed == 3
        assert message_count(account) == 3  # without a Message-ID nothing is merged
        at.box.deliver(nameless)
        assert collect(account).filed == 1
        assert message_count(account) == 4
        assert len(at.box.messages) == (0 if after == "delete" else 4)
        check_books(account, len(at.box.messages))


def test_without_uidl_an_equal_message_that_goes_closes_one_row() -> None:
    with scene("pop3", uidl=False) as at:
        nameless = b"From: ana@customer.example\r\nSubject: Equal\r\n\r\nEqual.\r\n"
        for _ in range(3):
            at.box.deliver(nameless)
        account = at.account()
        collect(account)
        at.box.expunge(1)
        collect(account)
        assert account.arrivals.live().count() == 2
        check_books(account, 2)


@pytest.mark.parametrize("start", ["all", "now"])
def test_a_server_that_suddenly_tells_no_uidls_is_not_believed(start: str) -> None:
    with scene("pop3") as at:
        at.deliver(KNOWN, STRANGER)
        account = at.account(start=start)
        collect(account)
        before = Counter(account.arrivals.values_list("uidl", "gone_at"))
        at.box.login.pop3_uidl = lambda message: "all the same"
        totals = collect(account)
        assert "UIDL" in totals.error
        assert account.state == "unreachable"
        assert Counter(account.arrivals.values_list("uidl", "gone_at")) == before
        at.box.login.pop3_uidl = None
        assert collect(account).error == ""
        assert Message.objects.count() == (2 if start == "all" else 0)


def test_asked_for_by_a_person_without_uidl() -> None:
    with scene("pop3", uidl=False) as at:
        at.deliver(STRANGER)
        at.deliver(STRANGER, body="x" * 20_000)
        account = at.account(create_customer=False, max_message_bytes=10_000)
        collect(account)
        assert outcomes(account) == {"skipped": 1, "oversized": 1}
        account.arrivals.update(outcome="waiting", asked_by_person=True, reason={}, decided_at=None)
        collect(account)
        assert outcomes(account) == {"filed": 2}
        check_books(account, 2)
