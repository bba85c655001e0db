"""A polite guest: octets of a day and of a second, counted by all accounts of a mail server."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django import Settings

from buzon.desk.models import Event
from buzon.desk.reasons import sentence
from buzon.intake import guest
from buzon.intake.guest import Guest, collections_at
from buzon.intake.models import CollectionAccount, Duty, Traffic
from buzon.lease import claim
from buzon.wire.host_limits import Entry
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, check_books, rows, scene
from tests.intake.servers import HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
LARGE = "x" * 70 + "\r\n"


@pytest.fixture(autouse=True)
def always_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "LOOK_EVERY", 0.0)


def limit(settings: Settings, **limits: int | None) -> None:
    """As BUZON_HOST_LIMITS would say it, which takes no day as small as these."""
    said = {name.replace("_", "-"): octets for name, octets in limits.items()}
    settings.BUZON_HOST_LIMITS = (Entry("127.0.0.1", said),)


def deliver(at: Scene, number: int, *, kilobytes: int = 100) -> None:
    body = LARGE * (kilobytes * 1_000 // len(LARGE))
    at.deliver(*[KNOWN] * number, body=body)


def hours_pass(hours: int) -> None:
    Traffic.objects.update(hour=F("hour") - timedelta(hours=hours))


def used() -> int:
    return Traffic.objects.aggregate(octets=Sum("octets"))["octets"] or 0


@BOTH
def test_history_waits_at_nine_tenths_of_the_day_and_goes_on_where_it_was(
    protocol: str, settings: Settings
) -> None:
    limit(settings, login_day=5_000_000)
    with scene(protocol) as at:
        deliver(at, 60)
        account = at.account(poll_seconds=60)
        totals = collect(account)
        assert (totals.error, totals.bytes) == ("", used())
        first = totals.filed
        assert 30 <= first < 60
        while collect(account).filed:  # small batches fit where a large one did not
            pass
        assert 3_500_000 < used() < 4_500_000
        assert (account.state, account.failures) == ("throttled", 0)
        assert account.state_reason["code"] == "day_limit"
        assert "at most 5 MB a day" in sentence(account.state_reason)
        at.deliver(STRANGER)
        again = collect(account)
        assert (again.filed, again.error) == (1, ""), "new mail has a tenth of its own"
        assert account.state == "throttled"
        assert account.history_done_at is None

        hours_pass(26)
        assert collect(account).error == ""
        assert (account.state, account.state_reason) == ("working", {})
        assert account.history_done_at is not None
        retrieved = [deed.uid for deed in at.store.deeds("fetched-body", "retrieved")]
        assert sorted(retrieved) == list(range(1, 62)), "each once"
        check_books(account, 61)
        assert not Event.objects.filter(kind__startswith="account_").exists()


def test_it_says_when_it_goes_on_and_in_the_readers_language(settings: Settings) -> None:
    limit(settings, login_day=2_000_000)
    with scene() as at:
        deliver(at, 60, kilobytes=50)
        account = at.account()
        collect(account)
        assert account.state_reason["hours"] in (24, 25)
        hours_pass(20)
        collect(account)
        assert account.state_reason["hours"] in (4, 5)
        with translation.override("es"):
            told = sentence(account.state_reason)
        assert "MB" in told
        assert told != sentence(account.state_reason)


@BOTH
def test_wanted_history_waits_too_but_not_what_a_person_asked_for(
    protocol: str, settings: Settings
) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 20)
        account = at.account(create_customer=False)
        assert collect(account).skipped == 20
        at.customer(KNOWN)
        at.customer(STRANGER)
        account.arrivals.update(outcome="waiting", reason={})
        account.arrivals.filter(pk=rows(account)[0].pk).update(asked_by_person=True)
        limit(settings, login_day=200_000)
        Traffic.objects.all().delete()
        with Guest(account) as earlier:
            earlier.received(185_000)
        at.deliver(STRANGER)
        totals = collect(account)
        assert (totals.filed, totals.error) == (2, "")
        assert account.state_reason["code"] == "day_limit"
        hours_pass(26)
        assert collect(account).filed == 19
        check_books(account, 21)


@BOTH
def test_a_day_that_is_used_whole_lets_nobody_in_until_it_is_over(
    protocol: str, settings: Settings
) -> None:
    with scene(protocol) as at:
        deliver(at, 12)
        account = at.account()
        limit(settings, login_day=10_000_000)
        assert collect(account).filed == 12
        limit(settings, login_day=1_000_000)
        logins = len(at.store.deeds("logged-in"))
        at.deliver(STRANGER)
        totals = collect(account)
        assert totals.error.startswith("127.0.0.1 is asked for at most 1 MB a day")
        assert len(at.store.deeds("logged-in")) == logins
        assert (account.state, account.state_reason["kind"]) == ("throttled", "DayUsed")
        hours_pass(26)
        assert collect(account).filed == 1
        assert account.state == "working"


def test_a_day_that_is_used_up_on_the_way_ends_the_session_politely(
    settings: Settings,
) -> None:
    limit(settings, login_day=1_000_000)
    with scene() as at:
        account = at.account(start="now")
        collect(account)
        deliver(at, 40)
        totals = collect(account)
        assert "at most 1 MB a day" in totals.error
        assert 0 < totals.filed < 40
        assert [command.name for command in at.store.commands][-1] == "LOGOUT"
        hours_pass(26)
        Traffic.objects.all().delete()
        limit(settings)
        assert totals.filed + collect(account).filed == 40
        check_books(account, 40)


def test_all_logins_share_the_day_of_a_server_and_each_has_one_of_its_own(
    settings: Settings,
) -> None:
    limit(settings, day=2_000_000)
    with scene() as at:
        deliver(at, 15)
        other = at.store.add_login("other@shop.example", "secret").folder("INBOX")
        for _ in range(15):
            other.deliver(at.letter(KNOWN, body=LARGE * 1_400))
        first, second = at.account(), at.account(username="other@shop.example")
        assert collect(first).filed == 15
        filed = collect(second).filed
        assert filed < 15
        assert second.state_reason["limit"] == 2
        assert Traffic.objects.count() == 2

        limit(settings, login_day=3_000_000)
        assert filed + collect(second).filed == 15
        assert second.state == "working"


def test_another_account_of_the_same_login_counts_with_it(settings: Settings) -> None:
    limit(settings, login_day=2_000_000)
    with scene() as at:
        deliver(at, 19)
        collect(at.account())
        second = at.account(username=LOGIN.upper())
        assert collect(second).filed < 19
        assert Traffic.objects.count() == 1


@BOTH
def test_what_came_before_a_cut_counts(protocol: str, settings: Settings) -> None:
    limit(settings, login_day=9_000_000)
    with scene(protocol, server=HangsUp) as at:
        deliver(at, 15)
        account = at.account()
        at.server.at("RETR" if protocol == "pop3" else "UID FETCH", 3)
        totals = collect(account)
        assert totals.error
        assert used() == totals.bytes > 0


def test_old_hours_are_forgotten(settings: Settings) -> None:
    limit(settings, login_day=9_000_000)
    with scene() as at:
        deliver(at, 1)
        account = at.account()
        collect(account)
        hours_pass(60)
        deliver(at, 1)
        collect(account)
        assert Traffic.objects.count() == 1


def test_without_a_limit_nothing_is_counted_and_nothing_asked() -> None:
    with scene() as at:
        deliver(at, 3)
        account = at.account()
        with CaptureQueriesContext(connection) as asked:
            collect(account)
        assert not [query for query in asked.captured_queries if "intake_traffic" in query["sql"]]
        assert Traffic.objects.count() == 0


def fetches(at: Scene) -> int:
    return sum(command.name == "UID FETCH" for command in at.store.commands)


def test_while_history_waits_its_folder_is_not_listed_at_each_look(settings: Settings) -> None:
    limit(settings, login_day=3_000_000)
    with scene() as at:
        deliver(at, 60)
        account = at.account()
        while collect(account).filed:
            pass
        before, received = fetches(at), used()
        for _ in range(3):
            assert collect(account).error == ""
        assert account.state == "throttled"
        assert fetches(at) == before
        assert used() - received < 10_000


def test_a_long_list_is_not_asked_for_so_often_that_it_uses_up_the_day(settings: Settings) -> None:
    limit(settings, login_day=2_000_000)
    with scene("pop3") as at:
        at.deliver(*[KNOWN] * 200)
        account = at.account(poll_seconds=1)
        collect(account)
        duty = Duty.objects.get(account=account, kind="collect")
        assert duty.due_at is not None
        pause = (duty.due_at - timezone.now()).total_seconds()
        # A list of some 8 kB; a tenth of the day has 25 of them.
        assert 60 < pause <= 3_600


# Octets a second.


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(guest.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(guest.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def account_at(at: Scene, **fields: Any) -> CollectionAccount:
    return at.account(**fields)


def held(account: CollectionAccount) -> None:
    assert claim(Duty.objects.get(account=account, kind="collect")) is not None


def test_octets_of_a_second_are_shared_by_the_collections_of_the_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(settings, second=1_000_000)
    with scene() as at:
        first, second = at.account(), at.account()
        held(first)
        alone = Guest(first)
        alone.check()
        held(second)
        assert collections_at() == {"127.0.0.1": 2}
        shared = Guest(first)
        shared.check()
    clock = Clock(monkeypatch)
    for manners, rate in ((alone, 1_000_000), (shared, 500_000)):
        manners.slow_down(rate)  # a second's worth at once
        began = clock.now
        for _ in range(10):
            manners.slow_down(rate)
        assert clock.now - began == pytest.approx(10, abs=0.1)
        clock.now += 100
        began = clock.now
        manners.slow_down(rate)
        assert clock.now == began, "who was quiet may go on at once"


def test_a_run_keeps_to_the_rate(settings: Settings) -> None:
    limit(settings, second=100_000)
    with scene() as at:
        deliver(at, 3)
        totals = collect(at.account())
        assert totals.filed == 3
        assert totals.seconds > 0.8 * (totals.bytes - 100_000) / 100_000
