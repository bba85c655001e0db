"""What the processes of the fleet tests do: `python -m tests.fleet.scenes NAME`.

Each scene is a process of its own, because threads need a database that they can share. Its work
functions are small, its rows and leases are real. A scene that fails ends with an AssertionError.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from buzon.desk import search  # noqa: E402
from buzon.desk.filing import file_letter  # noqa: E402
from buzon.desk.models import Agent, Event, Organization, SearchEntry  # noqa: E402
from buzon.desk.search.words import packed  # noqa: E402
from buzon.fleet.dispatcher import Embedded  # noqa: E402
from buzon.intake.models import CollectionAccount, Duty  # noqa: E402
from buzon.intake.totals import Totals  # noqa: E402
from buzon.lease import Lease, LeaseLost, claim  # noqa: E402
from buzon.lease.owner import owner_name  # noqa: E402
from buzon.notify.models import Copy, Notification  # noqa: E402
from buzon.wire.host_limits import CONNECTIONS, read_entries  # noqa: E402
from tests.desk import cast  # noqa: E402
from tests.notify import people  # noqa: E402
from tests.servers.smtp import SmtpServer  # noqa: E402

COLLECT, PROCESS = Duty.Kind.COLLECT, Duty.Kind.PROCESS
POLL = timedelta(minutes=1)


class Hands:
    """The work functions: note what they are given, and do what the scene wants."""

    def __init__(self, during: Callable[[Lease, Callable[[], bool]], None] | None = None) -> None:
        self.collected: list[int] = []
        self.processed: list[int] = []
        self._during = during

    def collect(self, lease: Lease, *, stop: Callable[[], bool], progress: Any = None) -> Totals:
        account = CollectionAccount.objects.get(duties=lease.pk)
        self.collected.append(account.pk)
        if self._during is not None:
            self._during(lease, stop)
        lease.release(due_at=timezone.now() + POLL)
        return Totals(account.name, filed=1)

    def process(self, lease: Lease, *, stop: Callable[[], bool]) -> int:
        self.processed.append(CollectionAccount.objects.get(duties=lease.pk).pk)
        lease.release(due_at=timezone.now() + POLL)
        return 1


@contextmanager
def running(hands: Hands, *, workers: int = 4, **options: Any) -> Any:
    dispatcher = Embedded(
        collect=hands.collect, process=hands.process, workers=workers, tick=0.1, **options
    )
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        assert dispatcher.stop(within=10)


def account(organization: Organization, *, host: str = "mail.example", **fields: Any) -> Any:
    number = CollectionAccount.objects.count()
    made = CollectionAccount.objects.create(
        organization=organization,
        name=f"account {number}",
        host=host,
        port=993,
        username="a",
        secret=b"",
        **fields,
    )
    Duty.objects.create(account=made, kind=COLLECT)
    Duty.objects.create(account=made, kind=PROCESS, due_at=timezone.now() + POLL)
    return made


def duty(of: CollectionAccount, kind: "Duty.Kind" = COLLECT) -> Duty:
    return Duty.objects.get(account=of, kind=kind)


def until(true: Callable[[], object], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.02)


# The scenes.


def what_is_due_is_done_once_and_the_rest_follows_at_once() -> None:
    one, shown, hands = account(people.shop()), list[Totals](), Hands()
    with running(hands, collected=shown.append):
        until(lambda: hands.processed)
        time.sleep(0.5)
    assert (hands.collected, hands.processed) == ([one.pk], [one.pk])
    assert [totals.account for totals in shown] == [one.name]
    row = duty(one)
    assert (row.lease_owner, row.lease_epoch, row.attempts) == ("", 1, 0)


def events_are_told_and_copied_within_seconds() -> None:
    with SmtpServer() as smtp:
        settings.BUZON_SMTP_URL = f"smtp://127.0.0.1:{smtp.port}"
        settings.BUZON_MAIL_FROM = "buzon@shop.example"
        shop = people.shop()
        ana = people.agent(shop, email_copies=Agent.Copies.ALL)
        customer = people.customer(shop, agent=ana)
        with running(Hands()):
            people.arrived(customer)
            until(lambda: smtp.letters, seconds=5)
            until(lambda: Copy.objects.filter(sent_at__isnull=False).exists())
        assert people.told(ana) == ["message_received"]
        assert not Event.objects.filter(told_at=None).exists()


def words_that_wait_are_indexed_within_seconds() -> None:
    """Two dispatchers, neither of which is in the other's way; on SQLite as after a restore."""
    shop = people.shop()
    written = [cast.letter(shop) for _ in range(450)]
    messages = [file_letter(one, customer=None, link={}).message for one in written]
    for message in messages:
        SearchEntry.objects.create(
            id=message.pk, organization=shop, message=message, packed=packed(("", "", "", "botas"))
        )
    with running(Hands()), running(Hands()):
        until(lambda: not search.any_waits())
    asked = search.Asked(organization=shop, text="botas")
    found = search.found(asked, shop.messages.all(), number=1000)
    assert sorted(found) == [message.pk for message in messages]


def one_server_gets_only_so_many_collections_at_a_time() -> None:
    shop, gate, most = people.shop(), threading.Event(), list[int]()
    now, lock = list[int](), threading.Lock()

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        with lock:
            now.append(lease.pk)
            most.append(len(now))
        gate.wait(10)
        with lock:
            now.remove(lease.pk)

    for number in range(10):
        account(shop, host="Mail.Example" if number % 2 else "mail.example")
    hands = Hands(during)
    with running(hands, workers=12):
        until(lambda: len(now) == CONNECTIONS)
        other = account(shop, host="other.example")
        until(lambda: other.pk in hands.collected)
        time.sleep(0.4)
        assert len(now) == CONNECTIONS + 1
        gate.set()
        until(lambda: len(hands.collected) == 11)
    assert max(most) == CONNECTIONS + 1


def a_servers_own_limit_holds_across_processes() -> None:
    """Two at a time: one of them is a collection of another process."""
    settings.BUZON_HOST_LIMITS = read_entries("mail.example connections=2")
    shop, gate, now = people.shop(), threading.Event(), list[int]()

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        now.append(lease.pk)
        gate.wait(10)

    elsewhere = duty(account(shop))
    Duty.objects.filter(pk=elsewhere.pk).update(
        lease_owner="another/machine/1/1/1/1", lease_until=timezone.now() + timedelta(minutes=2)
    )
    for _ in range(4):
        account(shop, host="Mail.example")
    hands = Hands(during)
    with running(hands, workers=8):
        until(lambda: now)
        time.sleep(0.5)
        assert len(now) == 1
        gate.set()
        until(lambda: len(hands.collected) == 4)


def who_was_quicker_at_the_last_place_keeps_it() -> None:
    """Another process claims between our look and our claim: we give ours back, due soon."""
    settings.BUZON_HOST_LIMITS = read_entries("mail.example connections=1")
    shop, hands = people.shop(), Hands()
    ours, theirs = account(shop), account(shop)
    dispatcher = Embedded(collect=hands.collect, process=hands.process, workers=4)
    for of in (ours, theirs):
        lease = claim(duty(of))
        assert lease is not None
    dispatcher._start_collection(dispatcher._collecting, lease, "mail.example")
    row = duty(theirs)
    assert (row.lease_owner, hands.collected) == ("", [])
    assert row.due_at is not None
    assert 0 < (row.due_at - timezone.now()).total_seconds() < 3


def servers_that_stall_do_not_hold_up_the_healthy() -> None:
    """Those that have failed before have a lane of their own, and one that stalls for the first
    time gets half of the workers at most.
    """
    shop, gate = people.shop(), threading.Event()
    failing = [account(shop, host=f"bad{number}.example", failures=3) for number in range(8)]
    first_time = [account(shop, host="worse.example") for _ in range(4)]
    stalling = {duty(one).pk for one in (*failing, *first_time)}

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        if lease.pk in stalling:
            gate.wait(20)

    hands = Hands(during)
    try:
        with running(hands, workers=4):
            time.sleep(0.5)
            healthy = [account(shop, host=f"good{number}.example") for number in range(6)]
            until(lambda: {one.pk for one in healthy} <= set(hands.collected), seconds=5)
            gate.set()
    finally:
        gate.set()


def a_run_that_raises_is_put_off_and_the_others_go_on() -> None:
    shop = people.shop()
    bad, good = account(shop), account(shop)
    Duty.objects.filter(account=good, kind=COLLECT).update(attempts=3)

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        if lease.pk == duty(bad).pk:
            raise RuntimeError("a fault of ours")

    hands = Hands(during)
    with running(hands):
        until(lambda: good.pk in hands.collected)
        until(lambda: duty(bad).attempts == 1)
        time.sleep(0.5)
    row = duty(bad)
    assert row.due_at is not None
    assert 15 < (row.due_at - timezone.now()).total_seconds() < 45
    assert row.lease_owner == ""
    assert hands.collected.count(bad.pk) == 1
    assert duty(good).attempts == 0


def a_failure_waits_longer_each_time() -> None:
    one = account(people.shop())
    Duty.objects.filter(account=one, kind=COLLECT).update(attempts=5)

    def during(_lease: Lease, _stop: Callable[[], bool]) -> None:
        raise RuntimeError("again")

    with running(Hands(during)):
        until(lambda: duty(one).attempts == 6)
    row = duty(one)
    assert row.due_at is not None
    assert 0.7 * 960 < (row.due_at - timezone.now()).total_seconds() < 1.3 * 960


def suspended_inactive_and_stopped_are_left_alone() -> None:
    shop = people.shop()
    for fields in ({"active": False}, {"state": "stopped"}):
        account(shop, **fields)
    account(people.shop(suspended_at=timezone.now()))
    good = account(shop)
    Duty.objects.filter(kind=PROCESS).exclude(account__state="stopped").update(
        due_at=timezone.now()
    )
    hands = Hands()
    with running(hands):
        until(lambda: hands.collected)
        time.sleep(0.5)
    assert hands.collected == [good.pk]
    assert set(hands.processed) == {good.pk}


def stopping_ends_the_runs_between_batches_and_claims_nothing_more() -> None:
    shop = people.shop()
    accounts = [account(shop, host=f"mail{number}.example") for number in range(6)]
    begun = threading.Semaphore(0)

    def during(_lease: Lease, stop: Callable[[], bool]) -> None:
        begun.release()
        until(stop)

    hands = Hands(during)
    dispatcher = Embedded(collect=hands.collect, process=hands.process, workers=2, tick=0.1)
    dispatcher.start()
    for _ in range(2):
        assert begun.acquire(timeout=10)
    started = time.monotonic()
    assert dispatcher.stop(within=10)
    assert time.monotonic() - started < 5
    assert len(hands.collected) == 2
    assert not Duty.objects.exclude(lease_owner="").exists()
    assert sum(duty(one).lease_epoch for one in accounts) == 2


def a_run_that_hangs_loses_its_lease_when_we_stop() -> None:
    one, release, outcome = account(people.shop()), threading.Event(), list[str]()

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        outcome.append("begun")
        release.wait(20)
        try:
            with transaction.atomic():
                lease.fence()
        except LeaseLost:
            outcome.append("lost")
            raise

    hands = Hands(during)
    dispatcher = Embedded(collect=hands.collect, process=hands.process, workers=1, tick=0.1)
    dispatcher.start()
    until(lambda: outcome)
    assert dispatcher.stop(within=0.5) is False
    assert duty(one).lease_owner == ""
    release.set()
    until(lambda: outcome == ["begun", "lost"])


def what_a_killed_process_held_is_taken_up_at_the_start() -> None:
    one = account(people.shop())
    host, boot, namespace, *_ = owner_name().split("/")
    Duty.objects.filter(account=one, kind=COLLECT).update(
        lease_owner=f"{host}/{boot}/{namespace}/4194304/1/1",
        lease_until=timezone.now() + timedelta(minutes=5),
    )
    hands = Hands()
    with running(hands):
        until(lambda: hands.collected, seconds=5)


def two_dispatchers_share_the_work_and_never_a_row() -> None:
    shop, at_work, lock = people.shop(), set[int](), threading.Lock()
    accounts = [account(shop, host=f"host{number}.example") for number in range(8)]

    def during(lease: Lease, _stop: Callable[[], bool]) -> None:
        with lock:
            assert lease.pk not in at_work
            at_work.add(lease.pk)
        time.sleep(0.05)
        with lock:
            at_work.remove(lease.pk)
        lease.release(due_at=timezone.now())

    first, second = Hands(during), Hands(during)
    with running(first), running(second):
        until(lambda: len(first.collected) > 20 and len(second.collected) > 20, seconds=30)
    assert sum(duty(one).lease_epoch for one in accounts) == len(first.collected + second.collected)
    assert not Duty.objects.filter(attempts__gt=0).exists()


def broken_connections_are_made_anew() -> None:
    """PostgreSQL only: every connection but this one is cut."""
    shop = people.shop()
    ana = people.agent(shop)
    customer = people.customer(shop, agent=ana)
    with running(Hands()):
        people.arrived(customer)
        until(lambda: Notification.objects.count() == 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        people.arrived(customer)
        until(lambda: Notification.objects.count() == 2, seconds=20)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    connections.close_all()
    print("played")
