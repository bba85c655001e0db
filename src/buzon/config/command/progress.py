"""How a collection is watched: a bar for each account on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from buzon.config.command.output import note, printable, size, span
from buzon.intake.totals import Progress

_BETWEEN_LINES = 5.0  # seconds


class Display:
    """Shows nothing: with --json nobody looks."""

    def report(self, progress: Progress) -> None:
        """How far an account is; called from the thread that collects it."""

    def waiting(self, account: str) -> None:
        """Another worker is collecting this account."""

    def done(self, account: str) -> None:
        """This account has ended."""


@contextmanager
def display(*, quiet: bool) -> Iterator[Display]:
    """What fits: nothing, bars, or lines. All of it goes to stderr; stdout is for the totals."""
    if quiet:
        yield Display()
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield _OnTerminal(bars)
    else:
        yield _Lines()


class _Lines(Display):
    """A line when the phase changes, and now and then in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[str, float]] = {}

    def report(self, progress: Progress) -> None:
        done = f"{progress.done:,} of {progress.total:,}, " if progress.total else ""
        left = f", {span(progress.left)} left" if progress.left is not None else ""
        told = f"{progress.account}: {progress.phase}, {done}{size(progress.octets)}{left}"
        self._say(progress.account, progress.phase, told)

    def waiting(self, account: str) -> None:
        self._say(account, "waiting", f"{account}: waiting for the worker that collects it")

    def _say(self, account: str, phase: str, told: str) -> None:
        now = time.monotonic()
        with self._lock:
            before, at = self._last.get(account, ("", 0.0))
            if before == phase and now - at < _BETWEEN_LINES:
                return
            self._last[account] = (phase, now)
        note(told)


class _OnTerminal(Display):
    """A bar for each phase of each account; the finished ones stay above."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._lock = threading.Lock()
        self._tasks: dict[str, tuple[str, TaskID]] = {}

    def report(self, progress: Progress) -> None:
        task = self._task(progress.account, progress.phase)
        self._bars.update(
            task,
            completed=progress.done,
            total=progress.total or None,
            octets=progress.octets,
            left=progress.left,
        )

    def waiting(self, account: str) -> None:
        self._task(account, "waiting for another worker")

    def done(self, account: str) -> None:
        with self._lock:
            held = self._tasks.pop(account, None)
        if held is not None:
            self._bars.stop_task(held[1])

    def _task(self, account: str, phase: str) -> TaskID:
        with self._lock:
            held = self._tasks.get(account)
            if held is not None and held[0] == phase:
                return held[1]
            if held is not None:
                self._bars.remove_task(held[1])
            # A task of its own for each phase, because rate and time left start again with it.
            task = self._bars.add_task(
                f"{printable(account)}: {phase}", total=None, octets=0, left=None
            )
            self._tasks[account] = (phase, task)
            return task


class _Rate(ProgressColumn):
    """Messages in a second, and octets so far."""

    def render(self, task: Task) -> Text:
        rate = f"{task.speed:,.0f}/s " if task.speed else ""
        return Text(rate + size(task.fields["octets"]))


class _Left(TimeRemainingColumn):
    """How long it still takes, as the run itself tells where it can."""

    def render(self, task: Task) -> Text:
        left = task.fields["left"]
        return super().render(task) if left is None else Text(f"{span(left)} left")


def _bars() -> Bars:
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        _Left(),
        console=Console(stderr=True),
    )
