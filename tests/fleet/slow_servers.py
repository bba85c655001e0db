"""What the dispatcher does with real servers that keep it waiting.

`python -m tests.fleet.slow_servers SCENE`: each in a process of its own, as `scenes`.
"""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import django

django.setup()

from django.db import connections  # noqa: E402

from buzon.demo.server import Mailstore  # noqa: E402
from buzon.desk.models import Organization  # noqa: E402
from buzon.fleet.dispatcher import WITH_WAITING, Embedded  # noqa: E402
from buzon.intake.accounts import add_account  # noqa: E402
from buzon.intake.models import CollectionAccount, Duty  # noqa: E402
from buzon.intake.runs import collect_once, process_once  # noqa: E402
from buzon.intake.totals import Totals  # noqa: E402
from buzon.wire import waits  # noqa: E402
from tests.fleet.scenes import duty, until  # noqa: E402
from tests.notify import people  # noqa: E402
from tests.servers.faults import FaultServer, Plan  # noqa: E402

LETTER = (
    b"From: Eva <eva@example.com>\r\nSubject: Hola\r\nMessage-ID: <%d@example.com>\r\n\r\n%s\r\n"
)
DRIPS = Plan(dribble=0.2)
SILENT = Plan(stall_at=0)
# Quick until somewhere in the letter, then an octet each second.
TRICKLES = Plan(dribble=1.0, dribble_from=8_000)
PROTOCOLS = ("imap", "pop3")
POLL = 1.0


class Seen:
    """The collections that have ended, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: list[Totals] = []

    def __call__(self, totals: Totals) -> None:
        with self._lock:
            self._ended.append(totals)

    def of(self, account: CollectionAccount) -> list[Totals]:
        with self._lock:
            return [totals for totals in self._ended if totals.account == account.name]


class Shop:
    """Collection accounts, each on a mail server with an address of its own."""

    def __init__(self, stack: ExitStack) -> None:
        self.organization: Organization = people.shop(max_accounts=100)
        self.servers: list[FaultServer] = []
        self._stack = stack

    def account(
        self, plan: Plan, *, protocol: str = "imap", octets: int = 20_000
    ) -> CollectionAccount:
        """With one letter of so many octets on the server."""
        store, number = Mailstore(), len(self.servers) + 1
        login = store.add_login("ana", "secret")
        lines = b"x" * 70 + b"\r\n"
        login.folder().deliver(LETTER % (number, lines * (octets // 72)))
        server = FaultServer(store, plan=plan, protocol=protocol)
        server.host = f"127.0.2.{number}"
        self.servers.append(self._stack.enter_context(server))
        return add_account(
            self.organization, name=f"{number}", host=server.host, port=server.port,
            protocol=protocol, security="none", username="ana", secret="secret",
            create_customer=True, poll_seconds=POLL,
        )  # fmt: skip


@contextmanager
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack)


@contextmanager
def running(*, workers: int) -> Iterator[Seen]:
    """As `buzon up` runs it. What still waits when the scene is over ends with its servers."""
    seen = Seen()
    dispatcher = _dispatcher(workers, seen)
    dispatcher.start()
    try:
        yield seen
    finally:
        dispatcher.stop(within=1)


def _dispatcher(workers: int, seen: Seen) -> Embedded:
    return Embedded(
        collect=collect_once, process=process_once, workers=workers, collected=seen, tick=0.1
    )


def at_work_on() -> int:
    """How many collections hold a lease."""
    return Duty.objects.filter(kind=Duty.Kind.COLLECT).exclude(lease_owner="").count()


# The scenes.


def those_that_keep_us_waiting_do_not_delay_the_healthy() -> None:
    """Eight servers that drip, say nothing, or trickle a letter, beside four workers."""
    bad = itertools.product((DRIPS, SILENT, TRICKLES, TRICKLES), PROTOCOLS)
    with shop() as at:
        slow = [at.account(plan, protocol=protocol) for plan, protocol in bad]
        healthy = [at.account(Plan.honest(), protocol=PROTOCOLS[n % 2]) for n in range(5)]
        with running(workers=4) as seen:
            until(lambda: all(len(seen.of(one)) >= 3 for one in healthy), seconds=40)
            # All of the others wait at the same time, and none has given up yet.
            assert all(duty(one).lease_owner for one in slow)
            assert not any(seen.of(one) for one in slow)
        assert {totals.error for one in healthy for totals in seen.of(one)} == {""}


def meanwhile_their_accounts_say_what_is_the_matter() -> None:
    """I7: long before they are given up."""
    waits.SLOW = 2.0
    with shop() as at:
        slow = [at.account(plan, protocol=name) for plan in (DRIPS, SILENT) for name in PROTOCOLS]
        healthy = at.account(Plan.honest())
        with running(workers=4) as seen:
            until(lambda: len(seen.of(healthy)) >= 2 and _codes(slow) == {"slow"}, seconds=40)
            assert not any(seen.of(one) for one in slow), "none has been given up yet"
            assert CollectionAccount.objects.get(pk=healthy.pk).state == "working"


def _codes(accounts: list[CollectionAccount]) -> set[str]:
    rows = CollectionAccount.objects.filter(pk__in=[one.pk for one in accounts], state="behind")
    return {row.state_reason["code"] for row in rows} if len(rows) == len(accounts) else set()


def a_slow_line_brings_its_letter_in_one_run_beside_the_others() -> None:
    """One worker: the others have its place while the slow line only fills a buffer."""
    with shop() as at:
        slow = at.account(Plan(dribble=0.01))
        other = at.account(Plan.honest())
        with running(workers=1) as seen:
            until(lambda: len(seen.of(other)) >= 2, seconds=30)
            assert seen.of(slow) == []
            at.servers[0].plan = Plan(dribble=0.00001)
            until(lambda: seen.of(slow), seconds=20)
        first = seen.of(slow)[0]
        assert (first.filed, first.error) == (1, "")
        assert duty(slow).attempts == 0


def there_are_never_more_runs_than_stated() -> None:
    with shop() as at:
        for _ in range(9):
            at.account(SILENT)
        seen, most = Seen(), list[int]()
        dispatcher = _dispatcher(2, seen)
        dispatcher.start()
        until(lambda: most.append(at_work_on()) or most[-1] == WITH_WAITING * 2)
        ends = time.monotonic() + 4
        until(lambda: most.append(at_work_on()) or time.monotonic() > ends)
        assert max(most) == WITH_WAITING * 2
        assert not dispatcher.stop(within=0.5)


def stopping_waits_for_those_that_wait_and_takes_the_leases_of_the_rest() -> None:
    with shop() as at:
        accounts = [at.account(SILENT) for _ in range(4)]
        seen = Seen()
        dispatcher = _dispatcher(2, seen)
        dispatcher.start()
        until(lambda: at_work_on() == 4)
        healed = threading.Timer(1.0, lambda: [server.heal() for server in at.servers[:3]])
        healed.start()
        began = time.monotonic()
        assert dispatcher.stop(within=4) is False
        assert 3.5 < time.monotonic() - began < 8
        healed.join()
        assert [len(seen.of(one)) for one in accounts] == [1, 1, 1, 0]
        assert at_work_on() == 0


def _play(scene: Callable[[], Any]) -> None:
    scene()
    connections.close_all()
    print("played")


if __name__ == "__main__":
    _play(globals()[sys.argv[1]])
