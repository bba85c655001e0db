"""R4: everything, only what comes from now on, or from a date; and what is history."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.intake import collect_pop3
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, outcomes, rows, scene
from tests.intake.servers import DeliversDuring, HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
SERVERS = pytest.mark.parametrize(
    ("protocol", "options"),
    [("imap", {}), ("imap", {"uidnext": False}), ("pop3", {}), ("pop3", {"uidl": False})],
)


@SERVERS
def test_R4_start_all_also_what_was_read_elsewhere(protocol: str, options: dict[str, Any]) -> None:
    with scene(protocol, **options) as at:
        for _ in range(3):
            at.box.deliver(at.letter(), flags=["\\Seen"])
        account = at.account(start="all")
        assert collect(account).filed == 3
        check_books(account, 3)
        assert all(row.of_history for row in rows(account))


@SERVERS
def test_R4_start_now_leaves_what_was_there(protocol: str, options: dict[str, Any]) -> None:
    with scene(protocol, **options) as at:
        at.deliver(KNOWN, KNOWN)
        account = at.account(start="now")
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (2, 2, 0)
        at.deliver(KNOWN)
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (3, 2, 1)
        assert not rows(account)[0].of_history
        check_books(account, 3)


@pytest.mark.parametrize("uidl", [True, False])
def test_R4_start_now_when_what_was_there_is_deleted_elsewhere(*, uidl: bool) -> None:
    with scene("pop3", uidl=uidl) as at:
        first, _ = at.deliver(KNOWN, KNOWN)
        account = at.account(start="now")
        collect(account)
        at.box.expunge(first)
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (1, 1, 0)
        check_books(account, 1)


def test_R4_start_now_over_imap_when_what_was_there_is_deleted_elsewhere() -> None:
    with scene() as at:
        first, _ = at.deliver(KNOWN, KNOWN)
        account = at.account(start="now")
        collect(account)
        at.box.expunge(first)
        at.deliver(KNOWN)
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (2, 1, 1)
        check_books(account, 2)


def dated(at: Scene, when: datetime) -> None:
    """A message of this moment, for IMAP by internal date and for POP3 by its Received field."""
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    received = f"Received: from a by b; {stamp}\r\n".encode()
    at.box.deliver(received + at.letter(), internal_date=when)


@pytest.mark.parametrize("top", [True, False])
@SERVERS
def test_R4_start_from_a_date_in_the_time_zone_of_the_organization(
    protocol: str, options: dict[str, Any], *, top: bool
) -> None:
    with scene(protocol, **options, top=top) as at:
        Organization.objects.update(time_zone="Europe/Madrid")
        at.organization.refresh_from_db()
        dated(at, datetime(2026, 3, 9, 22, 59, tzinfo=UTC))  # still the 9th in Madrid
        dated(at, datetime(2026, 3, 9, 23, 0, tzinfo=UTC))  # midnight
        dated(at, datetime(2026, 3, 10, 12, 0, tzinfo=UTC))
        account = at.account(start="date", start_date=date(2026, 3, 10))
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (3, 1, 2)
        check_books(account, 3)
        dated(at, datetime(2020, 1, 1, tzinfo=UTC))  # old, but it comes only now
        totals = collect(account)
        assert (totals.listed, totals.outside, totals.filed) == (4, 1, 1)
        check_books(account, 4)


def test_R4_from_a_date_over_pop3_old_bodies_stay_on_the_server() -> None:
    with scene("pop3") as at:
        dated(at, datetime(2020, 1, 1, tzinfo=UTC))
        dated(at, datetime(2026, 5, 1, tzinfo=UTC))
        collect(at.account(start="date", start_date=date(2026, 1, 1)))
        assert at.bodies() == [2]


@BOTH
def test_the_baseline_is_taken_at_the_first_successful_look(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account(start="now")
        right, at.box.login.secret = at.box.login.secret, "another"
        assert collect(account).error
        assert account.folders.get().baseline_at is None
        at.deliver(KNOWN)  # there before the first look that works
        at.box.login.secret = right
        assert collect(account).outside == 1


def test_mail_between_the_baseline_and_the_first_batch_is_new() -> None:
    with scene(server=DeliversDuring) as at:
        at.deliver(KNOWN, KNOWN)
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER))
        account = at.account()
        assert collect(account).filed == 3
        assert {row.uid: row.of_history for row in rows(account)} == {1: True, 2: True, 3: False}


def test_new_mail_comes_before_the_rest_of_the_history() -> None:
    with scene(server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 450)
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER), times=(3,))
        account = at.account()
        assert collect(account).filed == 451
        order = [row.uid for row in rows(account)]
        assert order.index(451) < order.index(1)
        assert order.index(450) < order.index(451)
        check_books(account, 451)


def test_a_long_history_of_one_folder_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("buzon.intake.collect_imap.TURN_SECONDS", 0.0)
    with scene() as at:
        other = at.box.login.add_folder("Añejo")
        at.deliver(*[KNOWN] * 450)
        at.deliver(*[STRANGER] * 250, folder=other)
        account = at.account(folders=["INBOX", "Añejo"])
        assert collect(account).filed == 700
        names = [
            row.folder.name for row in account.arrivals.order_by("id").select_related("folder")
        ]
        assert names.index("Añejo") < 250
        assert names[-1] == "INBOX"


def test_pop3_ends_a_session_for_new_mail_and_goes_on_with_the_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collect_pop3, "SESSION_SECONDS", 0.02)
    with scene("pop3", server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 450)
        at.server.on("RETR", lambda: at.deliver(STRANGER), times=(1,))
        account = at.account()
        totals = collect(account)
        assert (totals.filed, totals.listed) == (451, 451)
        assert len(at.store.deeds("logged-in")) > 1
        check_books(account, 451)


@pytest.mark.parametrize("cut", [1, 60, 119])
@pytest.mark.parametrize("start", ["all", "now"])
def test_R4_a_first_look_without_uidl_that_is_cut_goes_on(start: str, cut: int) -> None:
    with scene("pop3", server=HangsUp, uidl=False) as at:
        at.deliver(*[KNOWN] * 120)
        at.server.at("RETR", cut)
        account = at.account(start=start)
        assert collect(account).error
        at.deliver(STRANGER)
        totals = collect(account)
        assert totals.error == ""
        assert totals.outside == (120 if start == "now" else 0)
        new = [row for row in rows(account) if not row.of_history]
        assert [row.sender for row in new] == [STRANGER]
        check_books(account, 121)


def test_history_ends_when_the_first_look_without_uidl_is_complete() -> None:
    with scene("pop3", uidl=False) as at:
        at.deliver(KNOWN, KNOWN)
        account = at.account()
        collect(account)
        folder = account.folders.get()
        assert (folder.low, folder.history_total) == (1, 2)
        assert account.history_done_at is not None


@BOTH
def test_history_is_filed_as_read_and_closed_but_for_a_week(protocol: str) -> None:
    with scene(protocol) as at:
        now = timezone.now()
        dated(at, now - timedelta(days=30))
        dated(at, now - timedelta(days=2))
        account = at.account()
        collect(account)
        dated(at, now - timedelta(days=30))  # new, however old its date
        collect(account)
        by_age = [
            (row.of_history, row.message.read_at is not None, _is_closed(row.message))
            for row in sorted(rows(account), key=lambda row: (row.uid or 0, row.uidl or ""))
            if row.message
        ]
        assert by_age == [(True, True, True), (True, False, False), (False, False, False)]


def _is_closed(message: Any) -> bool:
    return message.conversation.closed_at is not None


@BOTH
def test_an_empty_mailbox(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account()
        totals = collect(account)
        assert (totals.listed, totals.error) == (0, "")
        assert account.history_done_at is not None
        assert outcomes(account) == {}
