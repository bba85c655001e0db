"""The trials' collectors as real processes, that get real signals."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a collector ended: `signal` 0 and its number of steps, or the signal."""

    signal: int
    status: int
    steps: int


class Processes:
    """A process that forks collectors; use it from one thread."""

    def __init__(self) -> None:
        self._most_above = 0
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def start(self, account: int, *, at: int = 0, do: str = "kill") -> int:
        """A collector of this account, and what it does to itself at that step; its pid."""
        pid: int = self._ask({"account": account, "at": at, "do": do})["pid"]
        return pid

    def wait(self, pid: int) -> Ended:
        """Until it has ended."""
        told = self._ask({"wait": pid})
        status = int(told["status"])
        self._most_above = max(self._most_above, int(told["above"]))
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return Ended(killed, os.waitstatus_to_exitcode(status), int(told["steps"]))

    def most_above(self) -> int:
        """Octets of the largest collector since the last call, above one that has done nothing."""
        most, self._most_above = self._most_above, 0
        return most

    def run(self, account: int, *, at: int = 0, do: str = "kill") -> Ended:
        """From its start to its end."""
        return self.wait(self.start(account, at=at, do=do))

    def send(self, pid: int, number: signal.Signals) -> None:
        os.kill(pid, number)

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(what) + "\n")
        self._zygote.stdin.flush()
        told: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return told

    @functools.cached_property
    def _zygote(self) -> "subprocess.Popen[str]":
        """Started with the first collector: most parts need none."""
        return self._open.enter_context(_zygote())


@contextlib.contextmanager
def _zygote() -> "Iterator[subprocess.Popen[str]]":
    """It ends when nobody can ask it for anything any more."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.zygote"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        process.stdout.close()


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped it (state T of proc(5))."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"
