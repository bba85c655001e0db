"""The next batch is retrieved while the one before is stored, and nothing else changes by it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from buzon.intake import custody, run, runs, stride
from buzon.intake.ahead import Ahead, Upcoming
from buzon.intake.first_download import Looks
from buzon.intake.given import Came
from buzon.intake.guest import Guest
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.run import Run
from buzon.intake.totals import Totals
from buzon.lease import Lease, LeaseLost, claim
from buzon.wire.waits import Waits, look_at, waiting
from tests.intake.collecting import collect, never
from tests.intake.scene import KNOWN, Scene, check_books, scene
from tests.intake.servers import DeliversDuring, HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
BODIES = {"imap": "UID FETCH", "pop3": "RETR"}
# Before the first letter: the listings of the baseline and of the history.
BEFORE = {"imap": 2, "pop3": 0}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five letters in each."""
    monkeypatch.setattr(stride, "FEWEST", 5)
    monkeypatch.setattr(run, "MOST_BODIES", 5)
    first = stride.Stride.__init__

    def full(self: stride.Stride, most: int) -> None:
        first(self, most)
        self.most = most

    monkeypatch.setattr(stride.Stride, "__init__", full)


def of_batch(protocol: str, number: int) -> int:
    """The number of the command that asks for the first letter of a batch, from 1."""
    each = 1 if protocol == "imap" else 5
    return BEFORE[protocol] + (number - 1) * each + 1


@contextmanager
def at_each_commit(patch: pytest.MonkeyPatch, what: Callable[[int], None]) -> Iterator[None]:
    """`what` is called with the number of messages, before each commit of octets."""
    commit = custody._commit

    def told(run: Run, batch: custody.Batch, *rest: Any) -> None:
        if batch.octets:
            what(len(batch.octets))
        commit(run, batch, *rest)

    with patch.context() as patched:
        patched.setattr(custody, "_commit", told)
        yield


def doing(at: Scene) -> DeliversDuring:
    assert isinstance(at.server, DeliversDuring)
    return at.server


def hanging(at: Scene) -> HangsUp:
    assert isinstance(at.server, HangsUp)
    return at.server


def fetching() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "fetching"]


def held(account: CollectionAccount) -> int:
    return account.arrivals.exclude(sha256="").count()


@BOTH
def test_it_is_on_its_way_while_the_one_before_is_stored(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    with scene(protocol, server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 15)
        doing(at).on(BODIES[protocol], asked.set, times=(of_batch(protocol, 2),))
        account = at.account()
        was_asked: list[bool] = []
        with at_each_commit(monkeypatch, lambda _: was_asked.append(asked.wait(10))):
            assert collect(account).filed == 15
        assert was_asked == [True] * 3
        check_books(account, 15)


@BOTH
def test_the_one_who_loses_the_lease_lets_go_of_the_session_first(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server keeps silent over the second batch meanwhile; nobody waits for it."""
    asked, over = threading.Event(), threading.Event()

    def stall() -> None:
        asked.set()
        over.wait(20)

    def lose(_: int) -> None:
        assert asked.wait(10)
        Duty.objects.update(lease_epoch=99, lease_owner="elsewhere")

    with scene(protocol, server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 15)
        doing(at).on(BODIES[protocol], stall, times=(of_batch(protocol, 2),))
        account = at.account()
        try:
            with at_each_commit(monkeypatch, lose), pytest.raises(LeaseLost):
                collect(account)
            assert (fetching(), held(account)) == ([], 0)
        finally:
            over.set()


@BOTH
def test_asked_to_stop_it_keeps_what_came(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 30)
        account = at.account()
        lease = claimed(account)
        totals = runs.collect_once(lease, stop=lambda: held(account) > 0)
        assert (totals.error, fetching()) == ("", [])
        assert held(account) in (5, 10)
        assert collect(account).error == ""
        check_books(account, 30)
        assert at.bodies() == list(range(1, 31))


@BOTH
def test_a_connection_cut_over_the_second_batch_costs_nothing_of_the_first(protocol: str) -> None:
    with scene(protocol, server=HangsUp) as at:
        at.deliver(*[KNOWN] * 15)
        hanging(at).at(BODIES[protocol], of_batch(protocol, 2))
        account = at.account()
        assert "cut the connection" in collect(account).error
        assert held(account) == 5
        assert collect(account).error == ""
        check_books(account, 15)


def test_new_mail_is_noticed_without_a_question_of_its_own() -> None:
    with scene(server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 20)
        doing(at).on("UID FETCH", lambda: at.deliver(KNOWN), times=(of_batch("imap", 2),))
        account = at.account()
        assert collect(account).filed == 21
        assert order_of(account).index(21) == 10  # behind the two batches that were asked for
        check_books(account, 21)


def test_new_mail_that_comes_with_new_mail_is_new_too() -> None:
    with scene(server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 20)
        account = at.account(start="now")
        assert collect(account).filed == 0
        at.deliver(KNOWN)
        doing(at).on("UID FETCH", lambda: at.deliver(KNOWN), times=(2,))
        assert collect(account).filed == 2


def order_of(account: CollectionAccount) -> list[int | None]:
    return list(account.arrivals.order_by("id").values_list("uid", flat=True))


def test_the_lease_is_kept_while_a_batch_is_awaited() -> None:
    with scene() as at:
        lease = claimed(at.account())
        ends, patience = lease.ends, time.monotonic() + 20
        lease.ends -= 1_000  # a third of its time is over

        def fetch(_: int) -> Came:
            while lease.ends <= ends and time.monotonic() < patience:
                time.sleep(0.01)
            return Came()

        with Ahead(run_of(at, lease), Idle(), Upcoming(iter([1])), fetch) as ahead:
            assert ahead.take() is not None
        assert lease.ends > ends


def test_what_the_thread_waits_for_is_told_of_the_run() -> None:
    waits = Waits()
    look_at(waits)
    told: list[object] = []

    def fetch(_: int) -> Came:
        with waiting() as seen:
            told.append(seen)
        return Came()

    with (
        scene() as at,
        Ahead(run_of(at, claimed(at.account())), Idle(), Upcoming(iter([1, 2])), fetch) as ahead,
    ):
        while ahead.take() is not None:
            ahead.go_on()
    assert told == [waits, waits]


def test_what_the_thread_raises_is_raised_by_whoever_takes_it() -> None:
    def fetch(_: int) -> Came:
        raise ZeroDivisionError

    with scene() as at:
        ahead = Ahead(run_of(at, claimed(at.account())), Idle(), Upcoming(iter([1])), fetch)
        with ahead, pytest.raises(ZeroDivisionError):
            ahead.take()


def claimed(account: CollectionAccount) -> Lease:
    lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.COLLECT))
    assert lease is not None
    return lease


def run_of(at: Scene, lease: Lease) -> Run:
    account = at.organization.collection_accounts.get()
    return Run(
        account=account,
        lease=lease,
        totals=Totals(account.name),
        stop=never,
        watch=None,
        understand=lambda fresh: None,
        looks=Looks(account, lease),
        guest=Guest(account),
        deadline=1.0,
    )


class Idle:
    """A session of which nothing is under way when these tests leave."""

    def abort(self) -> None:
        raise AssertionError
