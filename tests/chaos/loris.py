"""40 accounts, a quarter of them on servers that say a letter now and then: the others are
collected when they are due.
"""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from django.db import connections

from buzon.demo.server import MailServer, Mailstore
from buzon.desk.models import Organization
from buzon.fleet.dispatcher import Embedded
from buzon.intake.accounts import add_account
from buzon.intake.models import CollectionAccount
from buzon.intake.runs import collect_once, process_once
from buzon.intake.totals import Totals
from tests.chaos.trial import LOGIN
from tests.servers.faults import FaultServer, Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

# A healthy account's collections are never further apart than LATEST. A stalled one would hold
# its worker for the whole of the trial.
SECONDS, POLL, LATEST = 16.0, 2.0, 8.0


def trial(context: "Context", number: int) -> list[str]:
    """One dispatcher, as `buzon up` has it, for some seconds."""
    seen: dict[str, list[float]] = defaultdict(list)
    lock = threading.Lock()

    def collected(totals: Totals) -> None:
        with lock:
            seen[totals.account].append(time.monotonic())

    organization = Organization.objects.create(name=f"loris {number} {time.time_ns()}")
    with _servers(organization, number) as healthy:
        dispatcher = Embedded(
            collect=collect_once, process=process_once, workers=4, collected=collected, tick=0.1
        )
        started = time.monotonic()
        dispatcher.start()
        time.sleep(SECONDS)
        ended = time.monotonic()
        dispatcher.stop(within=5)
        connections.close_all()
        CollectionAccount.objects.filter(organization=organization).update(active=False)
        late = [name for name in healthy if _longest([started, *seen[name], ended]) > LATEST]
        return [f"I6 {name} waited for more than {LATEST} s" for name in late]


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
            plan = Plan(dribble=0.15) if stalls else Plan()
            server: MailServer = FaultServer(store, plan=plan)
            server.host = f"127.0.1.{index + 1}"
            for account in range(4):
                store.add_login(f"{account}.{LOGIN}", "secret")
            stack.enter_context(server)
            for account in range(4):
                name = f"{index}-{account}"
                _add(organization, server, name, f"{account}.{LOGIN}")
                if not stalls:
                    healthy.append(name)
        yield healthy


def _add(organization: Organization, server: MailServer, name: str, login: str) -> None:
    organization.max_accounts = 100
    organization.save(update_fields=["max_accounts"])
    add_account(
        organization, name=name, host=server.host, port=server.port, security="none",
        username=login, secret="secret", create_customer=True, poll_seconds=POLL,
    )  # fmt: skip
