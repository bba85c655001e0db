"""Collecting pauses before the disk is full, says so once, and goes on by itself."""

import errno

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import translation

from buzon.desk.models import Event
from buzon.desk.reasons import sentence
from buzon.intake import runs
from buzon.intake.disk import no_room
from buzon.intake.models import CollectionAccount
from buzon.lease import claim
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, Scene, check_books, scene
from tests.intake.test_health import due_in

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
MORE_THAN_ANY = 10**18  # octets


def keep_free(fixture: pytest.MonkeyPatch, octets: int) -> None:
    fixture.setattr(settings, "BUZON_MIN_FREE_DISK", octets)


def told(at: Scene) -> list[tuple[str, str]]:
    events = Event.objects.filter(organization=at.organization, kind__startswith="account_")
    return [(event.kind, event.data["account"]) for event in events.order_by("id")]


def untouched(at: Scene) -> bool:
    return not at.store.deeds("stored", "expunged", "moved", "marked-deleted", "deleted")


@BOTH
def test_it_pauses_and_goes_on_by_itself(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 3)
        account = at.account(after="delete", poll_seconds=30)
        keep_free(monkeypatch, MORE_THAN_ANY)
        for _ in range(3):
            totals = collect(account)
            assert totals.error.startswith("The disk has only ")
            assert (account.state, account.state_reason["kind"]) == ("full", "NoRoom")
            assert 20 < due_in(account) <= 30  # however often
        assert not at.store.deeds("logged-in")
        assert told(at) == [("account_failed", account.name)]
        keep_free(monkeypatch, 1)
        assert collect(account).settled == 3
        assert (account.state, account.failures) == ("working", 0)
        assert [kind for kind, _ in told(at)] == ["account_failed", "account_recovered"]
        check_books(account, on_server=0)


@BOTH
def test_it_pauses_between_two_batches_and_says_goodbye(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 450)
        account = at.account(after="delete")

        def fills(progress: object) -> None:
            if account.arrivals.exclude(sha256="").exists():
                keep_free(monkeypatch, MORE_THAN_ANY)

        lease = claim(account.duties.get(kind="collect"))
        assert lease is not None
        totals = runs.collect_once(lease, stop=lambda: False, progress=fills)
        assert "nothing is collected until there is room" in totals.error
        assert 0 < account.arrivals.exclude(sha256="").count() < 450
        assert untouched(at)
        assert at.store.commands[-1].name == ("LOGOUT" if protocol == "imap" else "QUIT")
        keep_free(monkeypatch, 1)
        assert collect(account).error == ""
        check_books(account, on_server=0)


def test_several_accounts_say_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with scene() as at:
        accounts = [at.account(username=f"{n}@shop.example") for n in range(3)]
        keep_free(monkeypatch, MORE_THAN_ANY)
        for account in accounts:
            assert collect(account).error
        assert told(at) == [("account_failed", accounts[0].name)]
        assert set(CollectionAccount.objects.values_list("state", flat=True)) == {"full"}


def test_one_that_was_told_of_before_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with scene() as at:
        account = at.account(secret="wrong")
        assert collect(account).error
        at.box.login.secret = "wrong"
        keep_free(monkeypatch, MORE_THAN_ANY)
        assert collect(account).error
        assert [kind for kind, _ in told(at)] == ["account_failed"] * 2
        keep_free(monkeypatch, 1)
        assert collect(account).error == ""
        assert [kind for kind, _ in told(at)] == ["account_failed"] * 2 + ["account_recovered"]


def test_both_languages_say_how_much_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with scene() as at:
        account = at.account()
        keep_free(monkeypatch, MORE_THAN_ANY)
        collect(account)
        for language, words in (("en", "are kept free"), ("es", "se reservan")):
            with translation.override(language):
                assert words in sentence(account.state_reason)


class _Sqlite(Exception):
    sqlite_errorcode = 13


class _Postgresql(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    ("error", "cause", "is_full"),
    [
        (OperationalError("database or disk is full"), _Sqlite(), True),
        (OperationalError("could not extend file"), _Postgresql(), True),
        (OperationalError("database is locked"), Exception(), False),
        (OSError(errno.ENOSPC, "No space left on device"), None, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), None, True),
        (OSError(errno.EACCES, "Permission denied"), None, False),
        (ValueError("disk is full"), None, False),
    ],
)
def test_what_a_failed_write_means(
    error: Exception, cause: Exception | None, is_full: bool
) -> None:
    error.__cause__ = cause
    found = no_room(error)
    assert (found is not None) == is_full
    assert found is None or found.sentence.startswith("The disk is full")
