"""A crash just before and just after every commit, and then again: exactly one of everything.

The commits are counted where Django hands them to the database, so none can be forgotten.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from buzon.demo.server import MailServer, Mailstore
from buzon.desk.models import Assignment, Customer, Event, Message
from buzon.intake import vault
from buzon.intake.models import Arrival, CollectionAccount, Duty, RawMessage
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, scene
from tests.lease.real_database import real_database

pytestmark = pytest.mark.django_db(transaction=True)
LETTERS = [KNOWN, STRANGER, KNOWN, "other@else.example", STRANGER]


class Crash(BaseException):
    """The process would be gone: nothing of ours catches this."""


class Commits:
    """Counts the commits; raises before or after the one chosen."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.at, self.after = at, after
        self.done = 0

    @contextmanager
    def counted(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        commit = BaseDatabaseWrapper._commit
        counts = self

        def counting(wrapper: Any) -> None:
            if wrapper.connection is None:
                return
            counts.done += 1
            if counts.done == counts.at and not counts.after:
                wrapper.connection.rollback()  # what the database does when a client is gone
                raise Crash
            commit(wrapper)
            if counts.done == counts.at and counts.after:
                raise Crash

        with patch.context() as patched:
            patched.setattr(BaseDatabaseWrapper, "_commit", counting)
            yield


def collect_until(account: CollectionAccount, patch: pytest.MonkeyPatch, commits: Commits) -> bool:
    """Whether the run came to its end; else it is as if the process had gone."""
    try:
        with commits.counted(patch):
            collect(account)
    except Crash:
        connection.close()
        Duty.objects.update(lease_owner="", lease_until=None)  # its lease has run out
        return False
    return True


def prepared(at: Scene, *, create: bool, after: str) -> CollectionAccount:
    at.customer()
    at.deliver(*LETTERS)
    return at.account(create_customer=create, after=after)


def check_all(at: Scene, account: CollectionAccount, *, create: bool, after: str) -> None:
    """Against what was delivered, counted here."""
    wanted = [sender for sender in LETTERS if create or sender == KNOWN]
    by_sender = Counter(Message.objects.values_list("from_address", flat=True))
    assert by_sender == Counter(wanted)
    assert RawMessage.objects.count() == len(wanted)
    assert Customer.objects.count() == (3 if create else 1)
    assert Assignment.objects.count() == (2 if create else 0)
    told = Event.objects.filter(kind="message_received").values_list("message", flat=True)
    assert sorted(told) == sorted(Message.objects.values_list("pk", flat=True))
    filed = Arrival.objects.filter(outcome="filed")
    assert filed.count() == len(wanted)
    assert Arrival.objects.count() == len(LETTERS)
    assert all(vault.get(account.organization_id, row.sha256) for row in filed)
    left = len(LETTERS) - (len(wanted) if after == "delete" else 0)
    assert len(at.box.messages) == left
    assert Arrival.objects.live().count() == left
    settled = filed.filter(settled_at__isnull=False).count()
    assert settled == (0 if after == "leave" else len(wanted))


def collect_anew(account: CollectionAccount) -> None:
    """After a crash: POP3's exclusive lock (RFC 1939 §8) lasts until the server has noticed."""
    for _ in range(100):
        totals = collect(account)
        if "in use" not in totals.error.lower().replace("-", " "):
            break
        time.sleep(0.02)
    assert totals.error == ""


def wipe(at: Scene) -> None:
    """The next round begins with nothing."""
    CollectionAccount.objects.all().delete()
    for model in (Event, RawMessage, Message, Customer):
        model.objects.all().delete()
    at.box.expunge(*[message.uid for message in at.box.messages])


@pytest.mark.parametrize(
    ("protocol", "after", "create"),
    [
        ("imap", "read", True),
        *itertools.product(("imap", "pop3"), ("leave", "delete"), (True, False)),
    ],
)
def test_R6_a_crash_at_any_commit_changes_nothing_in_the_end(
    protocol: str, after: str, monkeypatch: pytest.MonkeyPatch, *, create: bool
) -> None:
    with scene(protocol) as at:
        number, ended = 0, 0
        while ended < 2:
            number += 1
            ended = 0
            for is_after in (False, True):
                account = prepared(at, create=create, after=after)
                ended += collect_until(account, monkeypatch, Commits(number, after=is_after))
                assert (
                    len(at.box.messages)
                    >= len(LETTERS)
                    - Arrival.objects.exclude(sha256="").filter(outcome="filed").count()
                )
                collect_anew(account)
                check_all(at, account, create=create, after=after)
                wipe(at)
        assert number > 6  # it did count


@pytest.mark.parametrize(
    ("options", "create"),
    [({"uidl": False}, True), ({"uidl": False}, False), ({"top": False}, False)],
)
def test_a_crash_at_any_commit_with_poorer_pop3_servers(
    options: dict[str, bool], monkeypatch: pytest.MonkeyPatch, *, create: bool
) -> None:
    with scene("pop3", **options) as at:
        number, ended = 0, 0
        while ended < 2:
            number += 1
            ended = 0
            for is_after in (False, True):
                account = prepared(at, create=create, after="delete")
                ended += collect_until(account, monkeypatch, Commits(number, after=is_after))
                collect_anew(account)
                check_all(at, account, create=create, after="delete")
                wipe(at)


@pytest.mark.parametrize(("number", "moment"), [(2, "after"), (4, "before"), (6, "after")])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_R6_kill_9_at_a_commit_changes_nothing_in_the_end(
    protocol: Any, number: int, moment: str
) -> None:
    """A real process, a real kill; the next process takes over at once, for the dead one's lease
    is known to be dead."""
    store = Mailstore()
    box = store.add_login(LOGIN, "secret").folder()
    for place, sender in enumerate(LETTERS):
        octets = f"From: {sender}\r\nMessage-ID: <{place}@mail.example>\r\n\r\nHola\r\n"
        box.deliver(octets.encode())
    database = real_database(BUZON_KEYS="tests:" + "A" * 43 + "=")
    try:
        with MailServer(store, protocol=protocol) as server:
            database.run("tests.intake.workers", "prepare", protocol, server.port)
            killed = database.start("tests.intake.workers", "collect", number, moment)
            killed.communicate(timeout=60)
            assert killed.returncode == -9
            database.run("tests.intake.workers", "collect", 0, "never")
        counts = json.loads(database.run("tests.intake.workers", "count"))
    finally:
        database.remove()
    assert counts == {
        "letters": dict(Counter(LETTERS)),
        "raw": len(LETTERS),
        "customers": 3,
        "assigned": 3,
        "told": len(LETTERS),
        "settled": len(LETTERS),
    }
    assert box.messages == []
