"""A dispatcher that falls asleep in the middle of a transaction: `python -m tests.fleet.sleeper
MOMENT`. It stops itself by SIGSTOP just before the first commit of a lane in which something of
this kind is there; and when it is woken it goes on until its standard input ends.
"""

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

# In which lane, and what it has stored, or is about to tell.
MOMENTS: dict[str, tuple[str, Callable[[], bool]]] = {
    "custody": ("collect", RawMessage.objects.exists),
    "process": ("collect", Message.objects.exists),
    "tell": ("tell", Event.objects.exists),
}


def main(moment: str) -> None:
    logs.set_up(level="info")
    _fall_asleep_once(*MOMENTS[moment])
    dispatcher = Embedded(
        collect=collect_once, process=process_once, workers=settings.BUZON_WORKERS, tick=0.2
    )
    dispatcher.start()
    sys.stdin.read()
    assert dispatcher.stop()


def _fall_asleep_once(lane: str, is_stored: Callable[[], bool]) -> None:
    commit, once = BaseDatabaseWrapper._commit, threading.Lock()  # type: ignore[attr-defined]

    def drowsy(wrapper: Any) -> None:
        is_here = threading.current_thread().name == lane
        if is_here and is_stored() and once.acquire(blocking=False):
            # To this very thread: any other might be the one to take it, and this one commits.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        commit(wrapper)

    BaseDatabaseWrapper._commit = drowsy  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
