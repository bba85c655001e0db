"""How far a backup or a restore is: a bar for each phase on a terminal, nothing elsewhere."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.progress import TimeRemainingColumn as Remaining

_EACH = 500  # steps between two looks at the bar, which costs more than a row does


class Filling:
    """Told of each step: the phase, how much more was done, how much there is of it."""

    def __init__(self, *, quiet: bool) -> None:
        self._shows = not quiet and sys.stderr.isatty()
        self._bars: Progress | None = None
        self._task = TaskID(0)
        self._phase = ""
        self._done = self._steps = 0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if not self._shows:
            return
        if phase != self._phase:
            self._begin(phase, total)
        self._done += done
        self._steps += 1
        if self._bars is not None and (self._steps % _EACH == 1 or self._done >= total):
            self._bars.update(self._task, completed=self._done)

    def close(self) -> None:
        """What is shown stays; the terminal is free for something else."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        self._phase = ""

    def _begin(self, phase: str, total: int) -> None:
        self.close()
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Remaining())
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._bars.start()
        self._task = self._bars.add_task(phase, total=total)
        self._phase = phase
        self._done = self._steps = 0
