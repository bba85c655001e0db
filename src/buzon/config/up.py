"""`buzon up`: everything of this installation in one process, until a signal."""

import contextlib
import queue
import signal
import sys
from email.utils import parseaddr

from django.conf import settings
from django.db import connections

from buzon.config import logs
from buzon.config.installation import (
    FIRST_ADMINISTRATOR,
    FIRST_ORGANIZATION,
    FirstStart,
    InstallationError,
    lock_data_dir,
    open_installation,
)
from buzon.config.narrator import Narrator, say
from buzon.fleet.dispatcher import Embedded
from buzon.intake.models import CollectionAccount
from buzon.intake.runs import collect_once, process_once

HEARD_WITHIN = 0.5  # seconds


def run(*, organization: str = FIRST_ORGANIZATION, administrator: str = FIRST_ADMINISTRATOR) -> int:
    """Set up what is missing, work until SIGINT or SIGTERM, and return the exit status.

    The two names are for a first start. Raises InstallationError.
    """
    logs.set_up(level=_level())
    _check_mail_settings()
    with lock_data_dir():
        try:
            first = open_installation(
                create=True,
                upgrade=True,
                organization=organization,
                administrator=administrator,
                say=say,
            )
            if first is not None:
                _show(first)
            _work_until_signal()
        finally:
            connections.close_all()
    return 0


def _work_until_signal() -> None:
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
    say(_greeting())
    _await(signals)
    say("Stopping: what is under way ends at the next safe point, within 20 seconds.")
    dispatcher.stop()
    say("Stopped. `buzon up` goes on where it was.")


def _await(signals: "queue.SimpleQueue[int]") -> None:
    # The system may give the signal to any thread, and wakes only that one; Python runs the
    # handler in this one, when it next wakes.
    while True:
        with contextlib.suppress(queue.Empty):
            signals.get(timeout=HEARD_WITHIN)
            return


def _greeting() -> str:
    count = CollectionAccount.objects.filter(active=True).count()
    accounts = {0: "no collection account yet (buzon account add --help)", 1: "1 account"}
    told = accounts.get(count, f"{count:,} accounts")
    return f"Buzón is running on {settings.BUZON_DATA_DIR}: {told}. Ctrl-C stops."


def _show(first: FirstStart) -> None:
    lines = [
        "This is the first start. Keep this; it is not shown again:",
        f"  organization   {first.organization}",
        f"  administrator  {first.email}",
        f"  password       {first.password}",
    ]
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
