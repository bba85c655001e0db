"""POP3 names that change: what is known is found again before anything is taken, what was outside
the window stays outside, and a mailbox that is another one is asked about.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Event, Message
from buzon.intake import renaming_pop3
from buzon.intake.accounts import resume_account
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, rows, scene
from tests.intake.servers import HangsUp
from tests.servers.faults import FaultServer, Lie, Plan

pytestmark = pytest.mark.django_db(transaction=True)
OLD = timedelta(days=400)
STARTS = pytest.mark.parametrize("start", ["now", "date"])
TOP = pytest.mark.parametrize("top", [True, False])


def deliver(at: Scene, *, ago: timedelta = timedelta(), number: int = 1, **fields: Any) -> None:
    """Letters that the server received so long ago; a moment ahead of now where that is nothing,
    because servers tell whole seconds.
    """
    when: datetime = timezone.now() - ago if ago else timezone.now() + timedelta(seconds=2)
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    for _ in range(number):
        received = f"Received: from a by b; {stamp}\r\n".encode()
        octets = received + at.letter(fields.get("sender", STRANGER))
        if fields.get("bare"):
            octets = octets.replace(b"Message-ID", b"X-Was").replace(received, b"")
        at.box.deliver(octets)


def window(start: str) -> dict[str, Any]:
    date = (timezone.now() - timedelta(days=30)).date()
    return {"start": start, "start_date": date if start == "date" else None}


def names(account: CollectionAccount) -> list[tuple[int, Any]]:
    return list(account.arrivals.live().order_by("pk").values_list("pk", "message"))


@TOP
@STARTS
def test_R4_what_was_outside_stays_outside_under_other_uidls(start: str, *, top: bool) -> None:
    with scene("pop3", top=top) as at:
        deliver(at, ago=OLD, number=3)
        account = at.account(**window(start))
        assert collect(account).outside == 3
        deliver(at)
        assert collect(account).filed == 1
        at.box.reset_uids()
        deliver(at)  # new mail, in the very same look
        totals = collect(account)
        assert (totals.error, totals.outside, totals.filed) == ("", 3, 1)
        assert not any(row.of_history for row in rows(account))
        check_books(account, 5)
        assert Event.objects.filter(kind="message_received").count() == 2


@STARTS
def test_R4_outside_when_no_message_is_named_well_for_a_while(start: str) -> None:
    with scene("pop3", server=partial(FaultServer, plan=Plan.honest())) as at:
        deliver(at, ago=OLD, number=4)
        account = at.account(**window(start))
        collect(account)
        deliver(at)
        collect(account)
        assert isinstance(at.server, FaultServer)
        at.server.plan = Plan(lies=frozenset({Lie.UIDL_DOUBLED}))
        assert collect(account).outside == 4
        assert OutsideMail.objects.filter(uidl__startswith="digest:").exists()
        deliver(at)
        at.server.heal()
        totals = collect(account)
        assert (totals.error, totals.outside, totals.filed) == ("", 4, 1)
        assert not OutsideMail.objects.filter(uidl__startswith="digest:").exists()
        check_books(account, 6)


@pytest.mark.parametrize("start", ["all", "now"])
def test_a_first_look_without_uidl_that_is_cut_and_then_learns_uidls(start: str) -> None:
    with scene("pop3", server=HangsUp, uidl=False) as at:
        deliver(at, ago=OLD, number=60)
        at.server.at("RETR", 55)
        account = at.account(start=start)
        assert collect(account).error
        at.server.options = at.server.options.__class__(uidl=True)
        deliver(at)
        totals = collect(account)
        assert totals.error == ""
        assert totals.outside == (60 if start == "now" else 0)
        assert account.arrivals.live().filter(of_history=False).count() == 1
        check_books(account, 61)


def test_R4_old_mail_that_comes_while_nothing_is_missing_is_new() -> None:
    """Somebody moves old letters into the mailbox, and removes one that was collected."""
    with scene("pop3") as at:
        deliver(at, ago=OLD, number=3)
        account = at.account(start="now")
        collect(account)
        deliver(at, number=2)
        collect(account)
        at.box.expunge(at.box.messages[-1].uid)
        deliver(at, ago=OLD, number=2)
        totals = collect(account)
        assert (totals.outside, totals.filed) == (3, 2)
        check_books(account, 6)


@TOP
@pytest.mark.parametrize("bare", [True, False])
def test_all_other_names_and_the_rows_stay(*, bare: bool, top: bool) -> None:
    with scene("pop3", top=top) as at:
        at.customer()
        deliver(at, number=3, bare=bare, sender=KNOWN)
        deliver(at, bare=bare)
        account = at.account(create_customer=False)
        collect(account)
        before = names(account)
        at.box.reset_uids()
        deliver(at, bare=bare, sender=KNOWN)
        totals = collect(account)
        # Of a skipped one we have no octets: with a header that any may have, it is judged anew.
        assert (totals.error, totals.filed, totals.skipped) == ("", 1, int(bare))
        found = 3 if bare else 4
        assert names(account)[:found] == before[:found]
        check_books(account, 5)


def test_headers_alone_tell_where_they_can() -> None:
    with scene("pop3") as at:
        deliver(at, number=5)
        account = at.account()
        collect(account)
        at.box.reset_uids()
        bodies = len(at.store.deeds("retrieved"))
        assert collect(account).error == ""
        assert len(at.store.deeds("retrieved")) == bodies
        check_books(account, 5)


def test_an_equal_header_is_not_enough_where_any_message_may_have_it() -> None:
    """An alarm that writes the same header each time, with a text of the same length."""
    with scene("pop3") as at:
        account = at.account()
        head = b"From: alarm@machine.example\r\nSubject: Alarm\r\n\r\n"
        first = at.box.deliver(head + b"Door 1.\r\n")
        collect(account)
        at.box.expunge(first)
        at.box.deliver(head + b"Door 2.\r\n")
        assert collect(account).filed == 1
        assert Message.objects.count() == 2
        check_books(account, 1)


def test_what_was_being_deleted_when_the_names_changed_is_not_filed_again() -> None:
    plan = Plan(lies=frozenset({Lie.QUIT_CUT_BEFORE}))
    with scene("pop3", server=partial(FaultServer, plan=plan)) as at:
        deliver(at, number=3)
        account = at.account(after="delete")
        assert collect(account).error
        assert isinstance(at.server, FaultServer)
        at.server.heal()
        at.box.reset_uids()
        totals = collect(account)
        assert (totals.error, totals.filed, totals.settled) == ("", 0, 3)
        assert at.box.messages == []
        assert account.arrivals.count() == 3


@pytest.mark.parametrize("command", ["TOP", "RETR"])
@pytest.mark.parametrize("bare", [True, False])
def test_a_session_that_is_cut_while_it_looks_leaves_all_as_it_was(
    command: str, *, bare: bool
) -> None:
    with scene("pop3", server=HangsUp, top=command == "TOP") as at:
        deliver(at, ago=OLD, number=4)
        account = at.account(start="now")
        collect(account)
        deliver(at, number=4, bare=bare)
        collect(account)
        before = list(account.arrivals.order_by("pk").values_list("pk", "uidl", "gone_at"))
        at.box.reset_uids()
        at.server.at(command, 6)
        assert collect(account).error
        assert list(account.arrivals.order_by("pk").values_list("pk", "uidl", "gone_at")) == before
        totals = collect(account)
        assert (totals.error, totals.filed, totals.outside) == ("", 0, 4)
        check_books(account, 8)


@TOP
def test_a_message_that_is_not_given_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, *, top: bool
) -> None:
    plan = Plan(lies=frozenset({Lie.RETR_REFUSED}), lie_from=10_000)
    with scene("pop3", server=partial(FaultServer, plan=plan), top=top) as at:
        deliver(at, ago=OLD, number=2)
        account = at.account(start="now")
        collect(account)
        deliver(at, number=2, bare=True)
        collect(account)
        at.box.reset_uids()
        assert isinstance(at.server, FaultServer)
        lies = frozenset({Lie.RETR_REFUSED, Lie.TOP_ABSENT})
        at.server.plan = Plan(lies=lies)
        for _ in range(2):
            totals = collect(account)
            assert (totals.filed, totals.outside) == (0, 2)
        assert account.folders.get().untold_since is not None
        at.server.heal()
        deliver(at)
        totals = collect(account)
        assert (totals.error, totals.filed, totals.outside) == ("", 1, 2)
        assert account.folders.get().untold_since is None
        assert Message.objects.count() == 3
        check_books(account, 5)


def test_what_has_no_uidl_any_more_is_waited_for_until_it_is_given() -> None:
    with scene("pop3", server=partial(FaultServer, plan=Plan.honest()), top=False) as at:
        deliver(at, ago=OLD, number=3)
        account = at.account(start="now")
        collect(account)
        deliver(at, number=3, bare=True)
        collect(account)
        assert isinstance(at.server, FaultServer)
        at.server.plan = Plan(lies=frozenset({Lie.UIDL_DOUBLED, Lie.RETR_REFUSED}))
        for _ in range(2):
            assert collect(account).outside == 3
            assert account.arrivals.live().exclude(message=None).count() == 3
        at.server.plan = Plan(lies=frozenset({Lie.UIDL_DOUBLED}))
        totals = collect(account)
        assert (totals.error, totals.filed, totals.outside) == ("", 0, 3)
        check_books(account, 6)
        at.server.heal()
        deliver(at)
        totals = collect(account)
        assert (totals.error, totals.filed, totals.outside) == ("", 1, 3)
        check_books(account, 7)


def test_after_a_day_what_is_not_given_is_taken_to_be_new() -> None:
    with scene("pop3", server=partial(FaultServer, plan=Plan.honest()), top=False) as at:
        deliver(at, number=2)
        account = at.account()
        collect(account)
        at.box.reset_uids()
        assert isinstance(at.server, FaultServer)
        at.server.plan = Plan(lies=frozenset({Lie.RETR_REFUSED}))
        collect(account)
        assert account.arrivals.live().filter(sha256="").count() == 0
        long_ago = timezone.now() - renaming_pop3.WAIT_FOR_UNTOLD - timedelta(minutes=1)
        Folder.objects.update(untold_since=long_ago)
        collect(account)
        assert account.arrivals.live().filter(outcome="failed", sha256="").count() == 2
        assert account.arrivals.live().count() == 2
        assert account.folders.get().untold_since is None


def test_another_mailbox_behind_the_login_is_asked_about() -> None:
    with scene("pop3") as at:
        deliver(at, number=12, ago=timedelta(days=3))
        account = at.account()
        collect(account)
        at.box.expunge(*[message.uid for message in at.box.messages[:11]])
        deliver(at, number=11, ago=timedelta(days=2))
        before = list(account.arrivals.order_by("pk").values_list("pk", "uidl", "gone_at"))
        CollectionAccount.objects.update(after="delete")
        account.refresh_from_db()
        totals = collect(account)
        assert "only 1 of 12" in totals.error
        assert (account.state, account.state_reason["code"]) == ("stopped", "renumbered")
        assert list(account.arrivals.order_by("pk").values_list("pk", "uidl", "gone_at")) == before
        assert not at.store.deeds("marked-deleted")
        assert Message.objects.count() == 12

        resume_account(account)
        totals = collect(account)
        assert (totals.error, totals.filed, totals.settled) == ("", 11, 12)
        assert all(row.of_history for row in rows(account))
        assert (account.state, account.accept_renumbering) == ("working", False)


def test_another_mailbox_of_which_all_is_before_the_window() -> None:
    """Nothing of it is wanted, so there is nothing to ask; what comes is collected."""
    with scene("pop3") as at:
        deliver(at, number=12, ago=OLD)
        account = at.account(start="now")
        collect(account)
        at.box.expunge(*[message.uid for message in at.box.messages])
        deliver(at, number=12, ago=timedelta(days=300))
        deliver(at)
        totals = collect(account)
        assert (totals.error, totals.filed, totals.outside) == ("", 1, 12)
        check_books(account, 13)


def test_ordinary_turnover_never_asks() -> None:
    """Another program downloads and deletes everything; new mail has come; once more, with less."""
    with scene("pop3") as at:
        deliver(at, number=20, ago=timedelta(days=3))
        account = at.account()
        collect(account)
        for number in (20, 5):
            at.box.expunge(*[message.uid for message in at.box.messages])
            deliver(at, number=number)
            totals = collect(account)
            assert (totals.error, totals.filed) == ("", number)
        assert account.state == "working"
        check_books(account, 5)


def test_a_history_whose_names_change_before_it_is_here_stays_history() -> None:
    with scene("pop3", server=HangsUp) as at:
        deliver(at, number=250, ago=OLD)
        at.server.at("RETR", 220)
        account = at.account()
        assert collect(account).error
        held = Arrival.objects.exclude(sha256="").count()
        assert 0 < held < 250
        at.box.reset_uids()
        deliver(at)
        totals = collect(account)
        assert (totals.error, totals.filed) == ("", 251 - held)
        assert account.arrivals.live().filter(of_history=True).count() == 250
        assert account.folders.get().history_total == 250
        check_books(account, 251)
