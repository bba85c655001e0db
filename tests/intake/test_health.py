"""How an account is doing: its state, when it is tried again, and what the administrator hears."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone, translation

from buzon.desk.models import Event, Organization
from buzon.desk.reasons import sentence
from buzon.intake import health, runs
from buzon.intake.models import CollectionAccount, Duty
from buzon.lease import LeaseLost, claim
from tests.intake.collecting import collect, never
from tests.intake.scene import KNOWN, scene
from tests.intake.servers import DeliversDuring

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


def due_in(account: CollectionAccount) -> float:
    """Seconds until it is collected again."""
    at = Duty.objects.get(account=account, kind="collect").due_at
    assert at is not None
    return (at - timezone.now()).total_seconds()


def told() -> list[str]:
    kinds = Event.objects.filter(kind__startswith="account_").order_by("id")
    return list(kinds.values_list("kind", flat=True))


def began(account: CollectionAccount, *, minutes: float) -> None:
    """It has failed for so long."""
    CollectionAccount.objects.update(failing_since=timezone.now() - timedelta(minutes=minutes))
    account.refresh_from_db()


@BOTH
def test_working_is_due_after_the_poll_interval(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account(poll_seconds=30)
        assert collect(account).error == ""
        assert account.state == "working"
        assert 20 < due_in(account) <= 30
        assert told() == []


@BOTH
def test_rejected_at_most_once_in_ten_minutes_told_once_and_recovered_once(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account(secret="wrong")
        for failures, least in ((1, 600), (2, 1200), (3, 2400), (4, 3600), (5, 3600)):
            assert collect(account).error
            assert (account.state, account.failures) == ("rejected", failures)
            assert least - 5 < due_in(account) < least * 1.25 + 5
            assert told() == ["account_failed"]
        at.box.login.secret = "wrong"
        for _ in range(2):
            assert collect(account).error == ""
        assert (account.state, account.failures, account.state_reason) == ("working", 0, {})
        assert told() == ["account_failed", "account_recovered"]


@BOTH
def test_what_a_server_did_is_told_in_the_readers_language(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account(secret="wrong")
        collect(account)
    why = account.state_reason
    assert why["error"].startswith("The server refused the login")
    assert sentence(why) == why["error"]
    with translation.override("es"):
        spanish = sentence(why)
    assert spanish.startswith("El servidor ha rechazado el acceso")
    assert f" El servidor dijo: {why['answer']}" in spanish


@pytest.mark.parametrize(
    ("protocol", "code", "state"),
    [
        ("imap", "[UNAVAILABLE]", "unreachable"),
        ("imap", "[INUSE]", "unreachable"),
        ("imap", "[LIMIT]", "throttled"),
        ("pop3", "[IN-USE]", "unreachable"),
        ("pop3", "[SYS/TEMP]", "unreachable"),
        ("pop3", "[LOGIN-DELAY]", "throttled"),
    ],
)
def test_a_busy_or_throttled_server_is_never_rejected(protocol: str, code: str, state: str) -> None:
    with scene(protocol, login_code=code) as at:
        account = at.account(poll_seconds=60)
        assert collect(account).error
        assert account.state == state
        assert told() == []
        first = 300 if state == "throttled" else 60
        assert first - 5 < due_in(account) < first * 1.25 + 5


@BOTH
@pytest.mark.parametrize(
    "words", ["Too many simultaneous connections", "Account exceeded bandwidth limits"]
)
def test_throttled_by_its_words(protocol: str, words: str) -> None:
    reply = f"NO {words}" if protocol == "imap" else f"-ERR {words}"
    with scene(protocol, auth_reply=reply) as at:
        account = at.account()
        assert collect(account).error
        assert account.state == "throttled"


def test_unreachable_is_told_after_a_quarter_of_an_hour_and_only_once() -> None:
    with scene() as at:
        account = at.account()
        collect(account)
        port = at.server.port
        CollectionAccount.objects.update(port=1)
        account.refresh_from_db()
        assert collect(account).error
        assert account.state == "unreachable"
        assert told() == []
        began(account, minutes=14)
        collect(account)
        assert told() == []
        began(account, minutes=16)
        for _ in range(2):
            collect(account)
            assert told() == ["account_failed"]
        CollectionAccount.objects.update(port=port)
        collect(account)
        assert told() == ["account_failed", "account_recovered"]


def test_it_is_told_in_time_also_where_back_off_tries_it_later() -> None:
    with scene(login_code="[LIMIT]") as at:
        account = at.account()
        collect(account)
        began(account, minutes=14)
        assert health.notice_failing() == 0
        began(account, minutes=16)
        assert (health.notice_failing(), health.notice_failing()) == (1, 0)
        collect(account)
        assert told() == ["account_failed"]
        assert Event.objects.get(kind="account_failed").data["why"]["kind"] == "Throttled"


@pytest.mark.parametrize("case", ["paused", "suspended", "recovered"])
def test_what_is_not_collected_or_recovers_meanwhile_is_not_told(case: str) -> None:
    with scene(login_code="[LIMIT]") as at:
        account = at.account(active=case != "paused")
        collect(account)
        began(account, minutes=16)
        if case == "suspended":
            Organization.objects.update(suspended_at=timezone.now())
        if case == "recovered":
            CollectionAccount.objects.update(failing_since=None, state="working")
        assert health.notice_failing() == 0
        assert told() == []


def test_after_hours_without_buzon_a_first_failure_is_not_a_long_one() -> None:
    with scene() as at:
        account = at.account()
        collect(account)
        CollectionAccount.objects.update(
            last_collected_at=timezone.now() - timedelta(hours=9), port=1
        )
        account.refresh_from_db()
        collect(account)
        assert account.state == "unreachable"
        assert told() == []


def test_told_while_its_collection_ran_it_is_told_to_have_recovered_too() -> None:
    with scene() as at:
        account = at.account()
        CollectionAccount.objects.update(state="unreachable")
        began(account, minutes=16)
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        runs.collect_once(lease, stop=never, progress=lambda progress: _notice())
        assert told() == ["account_failed", "account_recovered"]


def _notice() -> None:
    health.notice_failing()


def test_waiting_times_are_spread() -> None:
    """Many accounts of one server do not come back at the same moment."""
    with scene(login_code="[UNAVAILABLE]") as at:
        account = at.account(poll_seconds=600)
        waits = set()
        for _ in range(5):
            CollectionAccount.objects.update(failures=0)
            account.refresh_from_db()
            collect(account)
            waits.add(round(due_in(account)))
        assert len(waits) > 1


def test_a_change_by_a_person_meanwhile_stays() -> None:
    with scene(server=DeliversDuring) as at:
        account = at.account()
        at.server.on("EXAMINE", _rename)  # type: ignore[attr-defined]
        collect(account)
        assert CollectionAccount.objects.get().name == "Renamed"


def _rename() -> None:
    CollectionAccount.objects.update(name="Renamed")
    connections.close_all()  # the server's thread has one of its own


def test_a_run_that_lost_its_lease_writes_nothing_of_health() -> None:
    with scene(login_code="[UNAVAILABLE]") as at:
        account = at.account()
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None

        def lose(progress: Any) -> None:
            Duty.objects.filter(pk=lease.pk).update(lease_epoch=99, lease_owner="another")

        with pytest.raises(LeaseLost):
            runs.collect_once(lease, stop=never, progress=lose)
        account.refresh_from_db()
        assert (account.state, account.failures) == ("working", 0)


def test_a_key_that_does_not_open_the_secret_is_for_a_person(settings: Any) -> None:
    with scene() as at:
        account = at.account()
        settings.BUZON_KEYS = "other:" + "B" * 43 + "="
        assert collect(account).error
        assert account.state == "rejected"
        assert at.store.deeds("logged-in", "login-refused") == []


@BOTH
def test_asked_to_stop_it_is_due_at_once(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account()
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        totals = runs.collect_once(lease, stop=lambda: True)
        assert (totals.error, totals.filed) == ("", 0)
        assert due_in(account) <= 0
        assert collect(account).filed == 1


def test_processing_is_due_only_where_something_is_left() -> None:
    with scene() as at:
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        duty = Duty.objects.get(account=account, kind="process")
        assert duty.due_at is None
        account.arrivals.update(outcome="failed", retry_at=timezone.now() + timedelta(minutes=7))
        lease = claim(duty)
        assert lease is not None
        assert runs.process_once(lease, stop=never) == 0
        duty.refresh_from_db()
        assert duty.due_at == account.arrivals.get().retry_at
        account.arrivals.update(retry_at=timezone.now())
        lease = claim(duty)
        assert lease is not None
        assert runs.process_once(lease, stop=never) == 1
        assert account.arrivals.get().outcome == "filed"


def test_a_server_that_keeps_a_run_waiting_is_said_while_it_waits() -> None:
    with scene() as at:
        account = at.account()
        duty = Duty.objects.get(account=account, kind="collect")
        lease = claim(duty)
        assert lease is not None
        assert health.notice_slow(lease)
        account.refresh_from_db()
        assert (account.state, account.state_reason["code"]) == ("behind", "slow")
        assert account.host in sentence(account.state_reason)
        assert not health.notice_slow(lease)  # said already
        assert account.failing_since is not None
        lease.release(due_at=timezone.now())
        collect(account)
        assert (account.state, account.failing_since, told()) == ("working", None, [])


@pytest.mark.parametrize("case", ["ended", "rejected"])
def test_of_a_run_that_ended_or_an_account_that_fails_nothing_is_said(case: str) -> None:
    with scene() as at:
        account = at.account()
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        if case == "ended":
            lease.release(due_at=timezone.now())
        else:
            CollectionAccount.objects.update(state="rejected")
        assert not health.notice_slow(lease)
        assert not CollectionAccount.objects.filter(state="behind").exists()


@BOTH
def test_taken_into_custody_alone_it_is_processed_later(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account()
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        totals = runs.collect_once(lease, stop=never, understand=False)
        assert (totals.listed, totals.filed, totals.error) == (1, 0, "")
        duty = Duty.objects.get(account=account, kind="process")
        assert duty.due_at is not None
        process = claim(duty)
        assert process is not None
        assert runs.process_once(process, stop=never) == 1


@pytest.mark.parametrize("hours", [2, 20, 26])
def test_a_clock_that_was_set_back_stops_no_account(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene() as at:
        account = at.account()
        true = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: true() + timedelta(hours=hours))
        collect(account)
        monkeypatch.undo()
        due_at = Duty.objects.get(account=account, kind="collect").due_at
        assert due_at is not None
        assert due_at < timezone.now() + timedelta(minutes=5)


@BOTH
def test_I7_a_fault_of_ours_is_on_the_accounts_page(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("what nobody expected")

    with scene(protocol) as at:
        account = at.account()
        at.deliver(KNOWN)
        with monkeypatch.context() as patched:
            patched.setattr("buzon.intake.runs._collect_all", fails)
            with pytest.raises(KeyError):
                collect(account)
        account.refresh_from_db()
        assert account.state == "unreachable"
        assert "A fault in Buzón" in sentence(account.state_reason)
        assert "KeyError" in sentence(account.state_reason)
        assert collect(account).error == ""
        account.refresh_from_db()
        assert account.state == "working"
