"""A message that cannot be processed: kept, tried three times, no hindrance, never deleted.

The database itself refuses the letter, by a trigger: nothing of ours is made to fail.
"""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs
from structlog.typing import EventDict

from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.asked import retry, retry_all
from buzon.intake.models import Arrival, CollectionAccount, Duty
from buzon.intake.runs import process_once
from buzon.lease import claim
from tests.intake.collecting import collect, never
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, outcomes, scene
from tests.intake.servers import POISON, StumblesOver

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
ALL = pytest.mark.parametrize(
    ("protocol", "options"), [("imap", {}), ("pop3", {}), ("pop3", {"uidl": False})]
)
REFUSED = "nobody can file this"
# SQLSTATE 54000, program_limit_exceeded, is an OperationalError, as a lost connection is.
TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER refuse BEFORE INSERT ON desk_message WHEN NEW.preview LIKE"
        f" '%{REFUSED}%' BEGIN SELECT RAISE(ABORT, 'refused'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.preview LIKE '%{REFUSED}%' THEN"
        " RAISE EXCEPTION 'refused' USING ERRCODE = '54000'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON desk_message"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What is logged, not printed: structlog draws a traceback for seconds where nobody looks."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def refusing() -> Iterator[None]:
    """The database takes no letter that says REFUSED, until the test or `heal` ends it."""
    with connection.cursor() as cursor:
        for statement in TRIGGERS[connection.vendor]:
            cursor.execute(statement)
    yield
    heal()


def heal() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS refuse() CASCADE")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS refuse")


def time_passes(minutes: int) -> None:
    """What is tried again within these minutes is due."""
    soon = timezone.now() + timedelta(minutes=minutes, seconds=1)
    Arrival.objects.filter(retry_at__lte=soon).update(retry_at=timezone.now())


def failed_one(at: Scene) -> tuple[CollectionAccount, bytes]:
    """One of five letters has failed; they are deleted from the server once they are filed."""
    octets = at.letter(KNOWN, body=REFUSED)
    at.deliver(KNOWN, STRANGER)
    at.box.deliver(octets)
    at.deliver(KNOWN, STRANGER)
    account = at.account(after="delete")
    assert collect(account).error == ""
    return account, octets


def the_failed() -> Arrival:
    return Arrival.objects.get(outcome="failed")


@ALL
@pytest.mark.usefixtures("refusing")
def test_R6_it_keeps_its_octets_holds_up_nothing_and_stays_on_the_server(
    protocol: str, options: dict[str, bool]
) -> None:
    with scene(protocol, **options) as at:
        account, octets = failed_one(at)
        assert outcomes(account) == {"filed": 4, "failed": 1}
        row = the_failed()
        assert row.reason["code"] == "not_understood"
        assert vault.get(account.organization_id, row.sha256) == octets
        assert [message.octets for message in at.box.messages] == [octets]
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 5, "failed": 1}
        assert [message.octets for message in at.box.messages] == [octets]
        check_books(account, 1)


@BOTH
@pytest.mark.usefixtures("refusing")
def test_it_is_tried_three_times_with_growing_waits_and_then_waits_for_a_person(
    protocol: str,
) -> None:
    with scene(protocol) as at:
        account, octets = failed_one(at)
        for attempts, minutes in ((1, 1), (2, 10)):
            row = the_failed()
            assert row.attempts == attempts
            assert row.retry_at is not None
            assert row.decided_at is not None
            wait = (row.retry_at - row.decided_at).total_seconds()
            assert wait == pytest.approx(minutes * 60, abs=5)
            collect(account)
            assert the_failed().attempts == attempts, "its time has not come"
            time_passes(minutes)
            collect(account)
        for _ in range(3):
            time_passes(100_000)
            collect(account)
            row = the_failed()
            assert (row.attempts, row.retry_at) == (3, None)
        assert vault.get(account.organization_id, row.sha256) == octets
        assert [message.octets for message in at.box.messages] == [octets]


@pytest.mark.usefixtures("refusing")
def test_its_second_try_may_succeed_by_itself() -> None:
    with scene() as at:
        account, _octets = failed_one(at)
        heal()
        time_passes(1)
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 5}
        assert (Message.objects.count(), at.box.messages) == (5, [])


@ALL
@pytest.mark.usefixtures("refusing")
def test_R6_after_a_retry_it_is_filed_and_only_then_settled(
    protocol: str, options: dict[str, bool]
) -> None:
    with scene(protocol, **options) as at:
        account, octets = failed_one(at)
        for _ in range(2):
            time_passes(10)
            collect(account)
        heal()
        collect(account)
        assert the_failed().retry_at is None, "it waits for a person"
        row = the_failed()
        assert retry(account.organization, [row.pk]) == 1
        process(account)
        row.refresh_from_db()
        assert (row.outcome, row.settled_at) == ("filed", None)
        assert [message.octets for message in at.box.messages] == [octets]
        collect(account)
        row.refresh_from_db()
        assert row.settled_at is not None
        assert row.decided_at is not None
        assert row.decided_at <= row.settled_at
        assert at.box.messages == []
        assert Message.objects.count() == 5


@pytest.mark.usefixtures("refusing")
def test_a_retry_that_fails_begins_a_new_round_of_three() -> None:
    with scene() as at:
        account, _octets = failed_one(at)
        assert retry_all(account.organization) == 1
        collect(account)
        row = the_failed()
        assert row.attempts == 1
        assert row.retry_at is not None
        assert len(at.box.messages) == 1


@pytest.mark.usefixtures("refusing")
def test_what_others_removed_from_the_server_meanwhile_is_still_here() -> None:
    with scene() as at:
        account, octets = failed_one(at)
        at.box.expunge(*[message.uid for message in at.box.messages])
        collect(account)
        row = the_failed()
        assert row.gone_at is not None
        assert vault.get(account.organization_id, row.sha256) == octets
        heal()
        assert retry_all(account.organization) == 1
        collect(account)
        assert outcomes(account) == {"filed": 5}


@BOTH
def test_what_is_only_on_the_server_is_fetched_again(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol, server=StumblesOver) as at:
        body = POISON.decode()
        at.deliver(KNOWN, body=body)
        account = at.account(after="delete")
        collect(account)
        collect(account)
        row = the_failed()
        assert (row.reason["code"], row.sha256) == ("not_retrieved", "")
        monkeypatch.setattr(StumblesOver, "poison", b"it stumbles no more")
        assert retry_all(account.organization) == 1
        assert collect(account).error == ""
        row.refresh_from_db()
        assert row.outcome == "filed"
        assert at.box.messages == []


@pytest.mark.parametrize("name", ["Message-ID", "References"])
def test_an_identifier_of_many_long_letters_is_no_reason_to_fail(name: str) -> None:
    """An index of PostgreSQL takes 2,704 octets, fewer than 990 letters of four."""
    chosen = random.Random(7)
    odd = "".join(chr(chosen.randrange(0x10000, 0x110000)) for _ in range(980))
    letter = f"From: {KNOWN}\r\n{name}: <{odd}@x.example>\r\nSubject: odd\r\n\r\nHola.\r\n"
    with scene() as at:
        at.box.deliver(letter.encode())
        at.deliver(STRANGER)
        account = at.account()
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 2}


def process(account: CollectionAccount) -> None:
    """What a worker does with the process duty; no server is needed for it."""
    lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.PROCESS))
    assert lease is not None
    process_once(lease, stop=never)
