"""Collectors that are killed at every step, at random moments, or stopped past their lease.

steps are counted once ─▶ for each: a fresh shop, a process killed there, then one that ends
"""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.mail import further
from tests.chaos.processes import Processes, is_stopped
from tests.chaos.trial import Scene, Trial, collect, examined, honest

PATIENCE = 60.0


def steps_of(trial: Trial, place: Path | str, processes: Processes, *, do: str = "kill") -> int:
    """How many steps a collection of this trial has, at which it can be killed or stopped."""
    with honest(trial, place) as at:
        ended = processes.run(at.account.pk, do=do)
        assert ended.status == 0, ended
        return ended.steps


def killed_at(step: int, trial: Trial, place: Path | str, processes: Processes) -> list[str]:
    """SIGKILL at this step; then a collection that ends, and what the oracle sees."""
    with honest(trial, place) as at:
        ended = processes.run(at.account.pk, at=step)
        if ended.signal != signal.SIGKILL:
            at.wrong.append(f"the collector was to be killed at step {step}: {ended}")
        return examined_after(at)


def killed_at_random(trial: Trial, place: Path | str, processes: Processes) -> list[str]:
    """SIGKILL from outside at any moment of a collection, or just after it."""
    with honest(trial, place) as at:
        pid = processes.start(at.account.pk)
        time.sleep(random.Random(trial.seed).random() * 0.15)
        processes.send(pid, signal.SIGKILL)
        processes.wait(pid)
        return examined_after(at)


def stopped_at(step: int, trial: Trial, place: Path | str, processes: Processes) -> list[str]:
    """SIGSTOP at this step until the lease is over and another has done the work; then it wakes,
    and must write nothing and remove nothing.
    """
    with honest(trial, place) as at:
        pid = processes.start(at.account.pk, at=step, do="stop")
        for _ in _until(PATIENCE):
            if is_stopped(pid):
                break
        at.server.drop_connections()  # POP3's exclusive lock would keep the other one out
        for _ in _until(PATIENCE):
            if not collect(at.account).error:
                break
        processes.send(pid, signal.SIGCONT)
        processes.wait(pid)
        return examined_after(at)


def examined_after(at: Scene) -> list[str]:
    """One more letter, two collections, and all that is wrong then."""
    at.server.drop_connections()
    at.deliver(further(at.trial.seed, 99))
    error = ""
    for _ in range(2):
        error = collect(at.account).error
    if error or at.oracle.waiting():
        at.wrong.append(f"I6 not well after two collections: {error or 'rows wait'}")
    return examined(at)


def _until(seconds: float) -> Iterator[None]:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        yield
        time.sleep(0.01)
    raise AssertionError(f"nothing happened within {seconds} s")
