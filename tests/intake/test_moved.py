"""R4: a mailbox that moved, to other UIDs, other dates, another server: what was outside stays
outside, what is new is collected, and nothing is filed twice or removed that is not held.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from buzon.desk.models import Message
from buzon.intake.accounts import change_account, resume_account
from buzon.intake.models import CollectionAccount, Duty, RawMessage
from buzon.intake.reconcile import reconcile
from buzon.lease import LeaseLost, claim
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, check_books, scene

pytestmark = pytest.mark.django_db(transaction=True)

Mail = tuple[bytes, datetime]
ORDERS: dict[str, Callable[[list[Mail]], list[Mail]]] = {
    "oldest first": list,
    "newest first": lambda every: every[::-1],
    "any": lambda every: random.Random(3).sample(every, len(every)),
}


def is_held(octets: bytes) -> bool:
    return RawMessage.objects.filter(sha256=sha256(octets).hexdigest()).exists()


def received(at: Scene, sender: str, when: datetime, **fields: Any) -> bytes:
    """With the trace field that a server writes when it takes a letter in."""
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return f"Received: from a by b; {stamp}\r\n".encode() + at.letter(sender, **fields)


@dataclass
class Moving:
    """Mail of before the window, a letter that is collected, and one that arrives on the way."""

    at: Scene
    start: str
    after: str = "leave"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    account: CollectionAccount = field(init=False)
    old: list[Mail] = field(init=False)
    known: Mail = field(init=False)
    new: Mail = field(init=False)

    def __post_init__(self) -> None:
        self.old = [self.mail(-timedelta(days=400 + index)) for index in range(3)]
        for octets, when in self.old:
            self.at.box.deliver(octets, internal_date=when)
        days = (self.now - timedelta(days=5)).date() if self.start == "date" else None
        self.account = self.at.account(start=self.start, start_date=days, after=self.after)
        collect(self.account)
        self.known = self.mail(timedelta(seconds=2))
        self.at.box.deliver(self.known[0], internal_date=self.known[1])
        collect(self.account)
        self.new = self.mail(timedelta(minutes=1))

    def mail(self, later: timedelta) -> Mail:
        when = self.now + later
        return received(self.at, KNOWN, when), when

    def moves(self, order: str, *, to: Callable[[datetime], datetime] = lambda when: when) -> None:
        box = self.at.box
        box.expunge(*[message.uid for message in box.messages])
        box.reset_uids()
        for octets, when in ORDERS[order]([*self.old, self.known, self.new]):
            box.deliver(octets, internal_date=to(when))

    def is_well(self) -> None:
        """Now, and after all of it was compared once more."""
        for _ in range(2):
            assert collect(self.account).error == ""
            assert is_held(self.new[0])
            assert [is_held(octets) for octets, _ in self.old] == [False] * 3
            assert self.account.folders.get().outside == 3
            assert Message.objects.count() == 2
            check_books(self.account, 5 if self.after == "leave" else 3)
            self.account.folders.update(reconciled_at=timezone.now() - timedelta(days=2))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("start", ["now", "date"])
def test_R4_in_whatever_order_the_uids_are_what_was_outside_stays_outside(
    start: str, order: str
) -> None:
    with scene() as at:
        moving = Moving(at, start)
        moving.moves(order)
        moving.is_well()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("start", ["now", "date"])
def test_R4_a_server_that_has_lost_the_dates_is_asked_for_the_headers(
    start: str, order: str
) -> None:
    with scene() as at:
        moving = Moving(at, start)
        copied = iter(range(100))
        moving.moves(order, to=lambda _: moving.now + timedelta(hours=1, seconds=next(copied)))
        moving.is_well()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "day", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)]
)
def test_R4_a_server_that_has_one_date_for_all_is_asked_for_the_headers(
    day: datetime, order: str
) -> None:
    with scene() as at:
        moving = Moving(at, "now")
        moving.moves(order, to=lambda _: day)
        moving.is_well()


@pytest.mark.parametrize("order", ORDERS)
def test_R6_what_was_outside_is_not_removed_after_a_move(order: str) -> None:
    with scene() as at:
        moving = Moving(at, "now", after="delete")
        moving.moves(order)
        moving.is_well()
        assert sorted(one.octets for one in at.box.messages) == sorted(o for o, _ in moving.old)


def test_history_that_was_still_to_come_is_to_come_still() -> None:
    with scene() as at:
        for days in range(9, 0, -1):
            at.box.deliver(at.letter(), internal_date=timezone.now() - timedelta(days=days))
        account = at.account()
        collect(account)
        account.arrivals.filter(uid__lte=4).delete()  # as if it had been cut there
        account.folders.update(low=5, to_come=4)
        everything = at.box.messages
        at.box.expunge(*[one.uid for one in everything])
        at.box.reset_uids()
        for one in reversed(everything):
            at.box.deliver(one.octets, internal_date=one.internal_date)
        at.deliver(STRANGER)
        assert collect(account).error == ""
        assert account.arrivals.filter(of_history=True).count() == 9
        assert account.arrivals.filter(of_history=False).count() == 1
        check_books(account, 10)


@contextmanager
def two_servers(protocol: str) -> Iterator[tuple[Scene, Scene]]:
    """Under the same names each has its own mail."""
    with scene(protocol) as one, scene(protocol) as other:
        other.box.uidvalidity = one.box.uidvalidity
        for at in (one, other):
            at.box.login.pop3_uidl = lambda message: str(message.uid)
        other.numbers = iter(range(5_000, 6_000))
        yield one, other


def move_to(account: CollectionAccount, at: Scene, **fields: Any) -> None:
    change_account(account, host=at.server.host, port=at.server.port, **fields)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_other_mail_of_the_same_names_on_another_server_is_asked_about_and_collected(
    protocol: str,
) -> None:
    with two_servers(protocol) as (one, other):
        one.deliver(KNOWN, KNOWN, KNOWN)
        account = one.account()
        collect(account)
        other.deliver(STRANGER, STRANGER, STRANGER)
        theirs = other.box.messages
        move_to(account, other, after="delete")
        assert [books.renumbered for books in reconcile(account)] == [True]
        assert "only 0 of 3" in collect(account).error
        assert (account.state, other.box.messages) == ("stopped", theirs)
        resume_account(account)
        assert collect(account).error == ""
        assert all(is_held(message.octets) for message in theirs)
        assert len(one.box.messages) == 3
        check_books(account, len(other.box.messages))


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_the_same_mail_on_another_server_is_found_again_under_any_names(protocol: str) -> None:
    with two_servers(protocol) as (one, other):
        one.box.deliver(b"From: ana@customer.example\r\nSubject: No Message-ID\r\n\r\nHola.\r\n")
        one.deliver(KNOWN, STRANGER)
        account = one.account()
        collect(account)
        for message in reversed(one.box.messages):
            other.box.deliver(message.octets, internal_date=message.internal_date)
        other.deliver(KNOWN)
        move_to(account, other)
        for _ in range(2):
            assert collect(account).error == ""
            assert Message.objects.count() == 4
            check_books(account, 4)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_R4_what_is_older_than_the_start_stays_outside_on_another_server(protocol: str) -> None:
    with two_servers(protocol) as (one, other):
        account = one.account(start="now")
        collect(account)
        now = datetime.now(UTC).replace(microsecond=0)
        for later in (-timedelta(days=90), -timedelta(days=80), timedelta(minutes=2)):
            when = now + later
            other.box.deliver(received(other, KNOWN, when), internal_date=when)
        move_to(account, other)
        for _ in range(2):
            assert collect(account).outside == 2
            assert (Message.objects.count(), is_held(other.box.messages[2].octets)) == (1, True)


def test_a_collector_at_work_on_the_old_server_writes_nothing_more() -> None:
    with two_servers("imap") as (one, other):
        account = one.account()
        collect(account)
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        move_to(account, other)
        with pytest.raises(LeaseLost):
            lease.renew()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_three_changes_of_the_server_by_a_person_are_no_loop(protocol: str) -> None:
    with two_servers(protocol) as (one, other):
        one.deliver(KNOWN)
        other.box.deliver(one.box.messages[0].octets)
        account = one.account()
        collect(account)
        for place in (other, one, other, one):
            move_to(account, place)
            assert collect(account).error == ""
        assert Message.objects.count() == 1


def test_changing_anything_else_leaves_the_names_alone() -> None:
    with scene() as at:
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        before = list(account.arrivals.values_list("uidvalidity", "uid"))
        change_account(account, name="another", host=account.host, username=LOGIN, after="read")
        assert list(account.arrivals.values_list("uidvalidity", "uid")) == before
