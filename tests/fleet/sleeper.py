"""A dispatcher that falls asleep in the middle of a transaction: `python -m tests.fleet.sleeper
MOMENT`. It stops itself by SIGSTOP just before the commit in which something of this kind is
stored for the first time; and when it is woken it goes on until its standard input ends.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from buzon.config import logs  # noqa: E402
from buzon.desk.models import Event, Message  # noqa: E402
from buzon.fleet.dispatcher import Embedded  # noqa: E402
from buzon.intake.models import RawMessage  # noqa: E402
from buzon.intake.runs import collect_once, process_once  # noqa: E402

MOMENTS: dict[str, Callable[[], bool]] = {
    "custody": RawMessage.objects.exists,
    "process": Message.objects.exists,
    "tell": lambda: Event.objects.filter(told_at__isnull=False).exists(),
}


def main(moment: str) -> None:
    logs.set_up(level="info")
    _fall_asleep_once(MOMENTS[moment])
    dispatcher = Embedded(
        collect=collect_once, process=process_once, workers=settings.BUZON_WORKERS, tick=0.2
    )
    dispatcher.start()
    sys.stdin.read()
    assert dispatcher.stop()


def _fall_asleep_once(is_stored: Callable[[], bool]) -> None:
    commit, once = BaseDatabaseWrapper._commit, threading.Lock()  # type: ignore[attr-defined]

    def drowsy(wrapper: Any) -> None:
        if is_stored() and once.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGSTOP)
        commit(wrapper)

    BaseDatabaseWrapper._commit = drowsy  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
