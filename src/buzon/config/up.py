"""`buzon up`: everything of this installation in one process, until a signal."""

import contextlib
import queue
import signal
import sys
from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.db import connections

from buzon.config import logs
from buzon.config.demonstration import OnDemand
from buzon.config.demonstration_shop import earlier
from buzon.config.installation import (
    FIRST_ORGANIZATION,
    FirstStart,
    InstallationError,
    lock_data_dir,
    open_installation,
)
from buzon.config.narrator import Narrator, say
from buzon.config.serving import PageServer
from buzon.fleet.dispatcher import Embedded
from buzon.intake.models import CollectionAccount
from buzon.intake.runs import collect_once, process_once
from buzon.web import wiring
from buzon.web.setting_up import is_open
from buzon.web.setup_code import setup_code

HEARD_WITHIN = 0.5  # seconds


def run(
    *,
    organization: str = FIRST_ORGANIZATION,
    administrator: str | None = None,
    demo: bool = False,
) -> int:
    """Set up what is missing, work until SIGINT or SIGTERM, and return the exit status.

    The two names are for a first start; without `administrator` the set-up page makes the first
    one, for whoever has the code that is shown here. With `demo` the demonstration shop is made
    anew, and instead of a first organization. Raises InstallationError.
    """
    logs.set_up(level=_level())
    _check_mail_settings()
    with lock_data_dir():
        pages = PageServer.open()
        try:
            first = open_installation(
                create=True,
                upgrade=True,
                organization=None if demo else organization,
                administrator=administrator,
                say=say,
            )
            if first is not None and first.email:
                _show(first)
            with _demonstration(pages, demo=demo):
                _work_until_signal(pages)
        finally:
            if pages is not None:
                pages.stop()
            connections.close_all()
    return 0


@contextlib.contextmanager
def _demonstration(pages: PageServer | None, *, demo: bool) -> Iterator[None]:
    """The demonstration shop can be begun by a page; where it was there before, it begins anew,
    because its mail server ended with the process of then.
    """
    shop = OnDemand()
    wiring.demonstration = shop.login
    try:
        if demo or earlier().exists():
            _box(*shop.begun().told(f"{pages.public_url}/" if pages is not None else ""))
        yield
    finally:
        wiring.demonstration = None
        shop.stop()


def _work_until_signal(pages: PageServer | None) -> None:
    # The handler may interrupt anything, a lock held by this very thread too; this queue is the
    # one thing of the standard library that is made to be written to from there.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: signals.put(number))
    narrator = Narrator()
    dispatcher = Embedded(
        collect=collect_once,
        process=process_once,
        workers=settings.BUZON_WORKERS,
        collected=narrator.collected,
        progress=narrator.progress,
    )
    dispatcher.start()
    if pages is not None:
        pages.start()
        _say_where(pages)
    say(_greeting(has_pages=pages is not None))
    _await(signals)
    say("Stopping: what is under way ends at the next safe point, within 20 seconds.")
    if pages is not None:
        pages.stop()
    dispatcher.stop()
    say("Stopped. `buzon up` goes on where it was.")


def _say_where(pages: PageServer) -> None:
    """Where the pages are; while the shop has nobody who can let others in, how to become that."""
    if not is_open():
        say(f"The pages are at {pages.public_url}/")
        return
    _box(
        "Set up your shop in the browser:",
        f"  {pages.public_url}/setup?code={setup_code()}",
    )


def _await(signals: "queue.SimpleQueue[int]") -> None:
    # The system may give the signal to any thread, and wakes only that one; Python runs the
    # handler in this one, when it next wakes.
    while True:
        with contextlib.suppress(queue.Empty):
            signals.get(timeout=HEARD_WITHIN)
            return


def _greeting(*, has_pages: bool) -> str:
    count = CollectionAccount.objects.filter(active=True).count()
    command = "no collection account yet (buzon account add --help)"
    none = "no incoming mailbox yet (the pages add one)" if has_pages else command
    accounts = {0: none, 1: "1 account"}
    told = accounts.get(count, f"{count:,} accounts")
    return f"Buzón is running on {settings.BUZON_DATA_DIR}: {told}. Ctrl-C stops."


def _show(first: FirstStart) -> None:
    _box(
        "This is the first start. Keep this; it is not shown again:",
        f"  organization   {first.organization}",
        f"  administrator  {first.email}",
        f"  password       {first.password}",
    )


def _box(*lines: str) -> None:
    width = max(map(len, lines))
    say(f"┌─{'─' * width}─┐")
    for line in lines:
        say(f"│ {line:<{width}} │")
    say(f"└─{'─' * width}─┘")


def _level() -> str:
    """On a terminal the narrator speaks of what goes well, so that the log need not."""
    level = settings.BUZON_LOG_LEVEL
    return "warning" if level == "info" and sys.stderr.isatty() else level


def _check_mail_settings() -> None:
    if settings.BUZON_SMTP_URL and "@" not in parseaddr(settings.BUZON_MAIL_FROM)[1]:
        raise InstallationError(
            "BUZON_SMTP_URL is set, so BUZON_MAIL_FROM must be the address that notifications "
            "come from, such as buzon@example.com."
        )
