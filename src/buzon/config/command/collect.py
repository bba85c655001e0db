"""`buzon collect`: in the foreground, now, whatever the back-off says, because a person asked.

main thread   signals, the progress bar, servers that keep us waiting
one thread for each account ─▶ claim its duty ─▶ collect_once ─▶ totals
at the end    what happened becomes notifications
"""

import shlex
import signal
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType

from django.conf import settings
from django.db import close_old_connections, connections

from buzon.config.command import output, scope
from buzon.config.command.failures import sentence_of
from buzon.config.command.parser import Parser, WrongArgument
from buzon.config.command.progress import Display, display
from buzon.config.command.slow import Slow
from buzon.config.command.telling import tell_all
from buzon.desk.alphabet import by_name
from buzon.desk.models import Organization
from buzon.intake.guest import limits_at
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.runs import collect_once
from buzon.intake.totals import Totals
from buzon.lease import Lease, LeaseLost, claim

LONGEST_WAIT = 60.0  # seconds for another worker to finish with the account
_EACH_WAIT = 0.5
_DESCRIPTION = """Collect once and end. buzon up collects by itself; this does it now, also while
that is running, and waits for no back-off. The exit status is 0 only where all went well,
and 1 where an account failed."""


def add_to(parser: Parser) -> None:
    """The one verb."""
    parser.description = _DESCRIPTION
    parser.does(_collect, writes=True)
    parser.add_argument("names", metavar="NAME", nargs="*", help="accounts (all active ones)")
    parser.add_argument("--once", action="store_true", required=True, help="collect once and end")
    parser.add_json()


def _collect(options: Namespace) -> int:
    organization = scope.organization_of(options)
    accounts = _accounts(organization, options.names)
    stopping = _Stopping()
    with stopping.at_signals(), display(quiet=options.json) as shown:
        totals = _collect_all(accounts, stopping, shown)
        close_old_connections()  # ours may have been cut while the threads were at work
        tell_all(organization, stop=stopping.is_set)
    _show(totals, as_json=options.json)
    if stopping.signal is not None:
        output.note("Stopped before the end; the next collection goes on from here.")
        return 128 + stopping.signal
    return 1 if any(each.error for each in totals) else 0


def _accounts(organization: Organization, names: Sequence[str]) -> list[CollectionAccount]:
    if organization.suspended_at is not None:
        quoted = shlex.quote(organization.name)
        raise WrongArgument(f"{organization} is suspended: buzon organization resume {quoted}.")
    if names:
        found = [scope.account_of(organization, name) for name in names]
        return list(dict.fromkeys(found))  # one account may be named twice, or in two spellings
    rows = CollectionAccount.objects.filter(organization=organization, active=True)
    accounts = list(by_name(rows))
    if not accounts:
        raise WrongArgument("There is no active collection account: buzon account add --help.")
    return accounts


class _Stopping:
    """Set by Ctrl-C or SIGTERM: runs stop between two batches. A second signal ends at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._event = threading.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    @contextmanager
    def at_signals(self) -> Iterator[None]:
        before = {each: signal.signal(each, self._heard) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        self._event.set()


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _collect_all(
    accounts: list[CollectionAccount], stopping: _Stopping, shown: Display
) -> list[Totals]:
    places = threading.BoundedSemaphore(settings.BUZON_WORKERS)
    hosts = {host: _places_at(host) for host in {account.host.lower() for account in accounts}}
    slow = Slow()

    def run(account: CollectionAccount, future: "Future[Totals]") -> None:
        try:
            with hosts[account.host.lower()], places:
                future.set_result(_collect_one(account, stopping, shown, slow))
        except BaseException as error:  # noqa: BLE001  # raised again by whoever waits
            future.set_exception(error)

    runs: list[Future[Totals]] = [Future() for _ in accounts]
    for account, future in zip(accounts, runs, strict=True):
        # Daemons: after a second Ctrl-C the process ends without waiting for a slow server.
        threading.Thread(target=run, args=(account, future), daemon=True).start()
    _wait(runs, slow)
    return [future.result() for future in runs]


def _places_at(host: str) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(limits_at(host).connections)


def _wait(runs: "list[Future[Totals]]", slow: Slow) -> None:
    # With a time limit, so that a second Ctrl-C is heard while a server keeps us waiting.
    while wait(runs, timeout=_EACH_WAIT).not_done:
        slow.notice()


def _collect_one(
    account: CollectionAccount, stopping: _Stopping, shown: Display, slow: Slow
) -> Totals:
    try:
        lease = _claimed(account, stopping.is_set, shown)
        if lease is None:
            return _nothing(account, stopping)
        slow.enter(account, lease)
        return collect_once(lease, stop=stopping.is_set, progress=shown.report)
    except LeaseLost:
        return Totals(account.name, error=f"Another worker took {account.name} over.")
    except Exception as error:
        # The other accounts go on; an error that is no sentence is a fault of ours, and shown.
        sentence = sentence_of(error)
        if sentence is None:
            raise
        return Totals(account.name, error=sentence)
    finally:
        shown.done(account.name)
        connections.close_all()  # this thread's


def _nothing(account: CollectionAccount, stopping: _Stopping) -> Totals:
    if stopping.is_set():
        return Totals(account.name, error="It was stopped before it began.")
    wait = f"{LONGEST_WAIT:g} seconds"
    return Totals(account.name, error=f"Another worker has been collecting it for {wait}.")


def _claimed(account: CollectionAccount, stop: Callable[[], bool], shown: Display) -> Lease | None:
    """The duty's lease; None where another worker keeps it too long, or we were stopped."""
    duty = Duty.objects.get(account=account, kind=Duty.Kind.COLLECT)
    until = time.monotonic() + LONGEST_WAIT
    while not stop():
        lease = claim(duty)
        if lease is not None or time.monotonic() >= until:
            return lease
        shown.waiting(account.name)
        time.sleep(_EACH_WAIT)
    return None


def _show(totals: list[Totals], *, as_json: bool) -> None:
    if as_json:
        output.document([each.as_json() for each in totals])
    else:
        _table(totals)
    for each in totals:
        if each.error:
            output.note(f"{each.account}: {each.error}")


_HEADINGS = (
    "account", "listed", "outside", "filed", "skipped", "ignored", "oversized", "failed",
    "settled", "received", "seconds",
)  # fmt: skip


_ALWAYS = {"account", "listed", "filed", "failed", "received", "seconds"}


def _table(totals: list[Totals]) -> None:
    """Without the columns that say nothing but 0: all of them are wider than most terminals."""
    rows = [_row(each) for each in totals]
    columns = [
        place
        for place, heading in enumerate(_HEADINGS)
        if heading in _ALWAYS or any(row[place] for row in rows)
    ]
    output.table(
        [_HEADINGS[place] for place in columns],
        ([row[place] for place in columns] for row in rows),
        empty="There was nothing to collect.",
    )


def _row(totals: Totals) -> tuple[object, ...]:
    numbers = totals.as_json()
    row = [numbers[heading] for heading in _HEADINGS[:-2]]
    return (*row, output.size(totals.bytes), round(totals.seconds, 1))
