"""Collections in processes of their own, forked in milliseconds: `python -m tests.chaos.zygote`.

Reads a JSON object a line: {"account": key, "at": step, "do": "kill" | "stop"}; forks a child that
collects that account, and at its step of this number (from 1; 0: never) sends itself SIGKILL or
SIGSTOP. Answers with a line {"pid": …} at once, and for a child that ended, when asked by
{"wait": pid}, with {"status": …, "steps": …, "above": octets above idle}.

A step is each commit and each command to the server, once just before and once just after it: they
are counted where Django hands a commit to the database, and where the wire's transport sends.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from buzon.intake.models import CollectionAccount, Duty  # noqa: E402
from buzon.intake.runs import collect_once  # noqa: E402
from buzon.lease import claim  # noqa: E402
from buzon.wire.transport import Transport  # noqa: E402
from tests.chaos.memory import resident  # noqa: E402
from tests.chaos.quiet import be_quiet  # noqa: E402
from tests.chaos.small_pieces import cut_small  # noqa: E402

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Steps:
    """Counts them, and does what was asked at one of them."""

    def __init__(self, at: int, do: str) -> None:
        self.done = 0
        self.do = do
        self._at = at
        self._lock = threading.Lock()  # the next batch is asked for while one is committed

    def around(self, verb: Callable[..., Any], *, in_transaction: bool) -> Callable[..., Any]:
        # One that is stopped inside a transaction keeps the database's lock: nobody can take over
        # then, and nothing is proven.
        skips_before = in_transaction and self.do == "stop"

        def counted(*arguments: Any, **named: Any) -> Any:
            if not skips_before:
                self._step()
            result = verb(*arguments, **named)
            self._step()
            return result

        return counted

    def _step(self) -> None:
        with self._lock:
            self.done += 1
            is_here = self.done == self._at
        if is_here:
            # To this very thread: another might take a SIGSTOP, while this one goes on.
            signal.pthread_kill(threading.get_ident(), SIGNALS[self.do])


def collect(account: int, steps: Steps) -> None:
    """The collection, with every step of it counted."""
    commit, send = BaseDatabaseWrapper._commit, Transport.send  # type: ignore[attr-defined]
    BaseDatabaseWrapper._commit = steps.around(commit, in_transaction=True)  # type: ignore[attr-defined]
    Transport.send = steps.around(send, in_transaction=False)  # type: ignore[method-assign]
    row = CollectionAccount.objects.get(pk=account)
    # One that is stopped while another of its threads is in a transaction proves nothing either.
    cut_small(row, ahead=steps.do != "stop")
    duty = Duty.objects.get(account=row, kind="collect")
    lease = claim(duty)
    if lease is not None:
        collect_once(lease, stop=lambda: False)


def main() -> None:
    """Until the standard input ends."""
    be_quiet()
    idle = resident()
    results: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status, used = os.wait4(asked["wait"], 0)
            steps = os.read(results[asked["wait"]], 100)
            os.close(results.pop(asked["wait"]))
            above = used.ru_maxrss * 1024 - idle
            _say({"status": status, "steps": int(steps or 0), "above": above})
            continue
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _be_the_child(asked, writing)
        os.close(writing)
        results[pid] = reading
        _say({"pid": pid})


def _be_the_child(asked: dict[str, Any], writing: int) -> None:
    status = 1
    steps = Steps(asked["at"], asked["do"])
    try:
        collect(asked["account"], steps)
        os.write(writing, str(steps.done).encode())
        connections.close_all()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
