"""40 accounts, a quarter of them on servers that keep their clients waiting: the others are
collected when they are due.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.db import connections
from django.test import override_settings

from buzon.demo.server import MailServer, Mailstore
from buzon.desk.models import Organization
from buzon.fleet.dispatcher import Embedded
from buzon.intake.accounts import add_account
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.runs import collect_once, process_once
from buzon.intake.totals import Totals
from tests.chaos.trial import LOGIN
from tests.servers.faults import FaultServer, Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

POLL = 2.0
# A healthy account's collections are never further apart. A server that kept its worker would do so
# for longer. All seconds.
LATEST, TIMES, SECONDS = 25.0, 3, 60.0
# An octet now and then; not a word; quick until somewhere in the first letter.
WAYS = (Plan(dribble=0.15), Plan(stall_at=0), Plan(dribble=0.5, dribble_from=4_000))
LETTER = b"From: Eva <%d@example.com>\r\nSubject: Hola\r\n\r\n" + b"Hola de nuevo.\r\n" * 600


def trial(context: "Context", number: int) -> list[str]:
    """One dispatcher, as `buzon up` has it and as patient, until each healthy account was collected
    several times.
    """
    organization = Organization.objects.create(name=f"loris {number} {time.time_ns()}")
    organization.max_accounts = 100
    organization.save(update_fields=["max_accounts"])
    usual = override_settings(BUZON_READ_TIMEOUT_SECONDS=50.0, BUZON_LEASE_SECONDS=120.0)
    with usual, _servers(organization, number) as healthy:
        gaps, kept = _worked_on(organization, healthy)
    late = [name for name, gap in gaps.items() if gap > LATEST]
    wrong = [f"I6 {name} waited for more than {LATEST} s" for name in late]
    return wrong if kept else [*wrong, "nobody was kept waiting"]


def _worked_on(organization: Organization, healthy: list[str]) -> tuple[dict[str, float], bool]:
    """The longest time between two collections of each, and whether the others still waited."""
    seen: dict[str, list[float]] = {name: [] for name in healthy}

    def collected(totals: Totals) -> None:
        if totals.account in seen:
            seen[totals.account].append(time.monotonic())

    dispatcher = Embedded(
        collect=collect_once, process=process_once, workers=4, collected=collected, tick=0.1
    )
    started = time.monotonic()
    dispatcher.start()
    while min(map(len, seen.values())) < TIMES:
        if time.monotonic() - started > SECONDS:
            break
        time.sleep(0.1)
    ended = time.monotonic()
    mine = Duty.objects.filter(account__organization=organization).exclude(lease_owner="")
    kept = mine.exclude(account__name__in=healthy).exists()
    dispatcher.stop(within=5)
    connections.close_all()
    CollectionAccount.objects.filter(organization=organization).update(active=False)
    return {name: _longest([started, *seen[name], ended]) for name in healthy}, kept


def _longest(moments: list[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(moments))


@contextmanager
def _servers(organization: Organization, number: int) -> Iterator[list[str]]:
    """Ten mail servers on addresses of their own, four accounts on each; two and a half stall."""
    healthy: list[str] = []
    with ExitStack() as stack:
        for index in range(10):
            store = Mailstore()
            stalls = index < 3 and not (index == 2 and number % 2)
            plan = WAYS[(number + index) % 3] if stalls else Plan()
            protocol = ("imap", "pop3")[(number // 3 + index) % 2]
            server: MailServer = FaultServer(store, plan=plan, protocol=protocol)
            server.host = f"127.0.1.{index + 1}"
            for account in range(4):
                store.add_login(f"{account}.{LOGIN}", "secret").folder().deliver(LETTER % account)
            stack.enter_context(server)
            for account in range(4):
                name = f"{index}-{account}"
                _add(organization, server, name, f"{account}.{LOGIN}")
                if not stalls:
                    healthy.append(name)
        yield healthy


def _add(organization: Organization, server: MailServer, name: str, login: str) -> None:
    add_account(
        organization, name=name, host=server.host, port=server.port, protocol=server.protocol,
        security="none", username=login, secret="secret", create_customer=True, poll_seconds=POLL,
    )  # fmt: skip
