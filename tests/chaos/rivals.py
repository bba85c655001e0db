"""Several collectors of one account, in processes of their own: at once, or one that sleeps past
its lease and wakes when another has done the work.
"""

import random
import signal
from typing import TYPE_CHECKING

from tests.chaos import kills
from tests.chaos.processes import Processes
from tests.chaos.trial import Trial, honest
from tests.servers.faults import Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

_steps: dict[tuple[str, str], int] = {}


def trial(context: "Context", number: int) -> list[str]:
    """Every other one is of each kind."""
    protocol, after = ("imap", "pop3")[number // 2 % 2], ("delete", "leave")[number // 4 % 2]
    made = Trial(
        part="rivals", number=number, protocol=protocol, after=after, create=True, plan=Plan()
    )
    if number % 2:
        return _together(made, context)
    if (protocol, after) not in _steps:
        _steps[protocol, after] = kills.steps_of(made, context.place, context.processes, do="stop")
    step = random.Random(number).randint(1, _steps[protocol, after])
    return kills.stopped_at(step, made, context.place, context.processes)


def _together(made: Trial, context: "Context") -> list[str]:
    """Three at once, one of them killed half-way; the leases let one work at a time."""
    with honest(made, context.place) as at:
        pids = _started(context.processes, at.account.pk)
        context.processes.send(pids[random.Random(made.number).randrange(3)], signal.SIGKILL)
        for pid in pids:
            context.processes.wait(pid)
        return kills.examined_after(at)


def _started(processes: Processes, account: int) -> list[int]:
    return [processes.start(account) for _ in range(3)]
