"""What `buzon up` tells at its terminal: a line for each collection that did something."""

import contextlib
import threading
import time

from buzon.fleet.dispatcher import did_something
from buzon.intake.totals import Progress, Totals

EACH = 10.0  # seconds between two lines about the progress of one account

_PHASES = {"history": "of the mail that was there before", "new": "of the new mail"}
_OUTCOMES = ("filed", "skipped", "ignored", "oversized", "failed", "settled")


def say(line: str) -> None:
    """A line on stdout. Nobody may be reading any more; the work goes on all the same."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


class Narrator:
    """Called from the threads of the collections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: dict[str, str] = {}
        self._spoken: dict[str, float] = {}

    def collected(self, totals: Totals) -> None:
        """One line if it did something, failed in a new way, or works again."""
        with self._lock:
            before = self._errors.get(totals.account, "")
            self._errors[totals.account] = totals.error
            self._spoken.pop(totals.account, None)
        if did_something(totals):
            _say(totals.account, f"{_counts(totals)} in {totals.seconds:.1f} s.")
        if totals.error and totals.error != before:
            _say(totals.account, totals.error)
        if before and not totals.error:
            _say(totals.account, "works again.")

    def progress(self, progress: Progress) -> None:
        """A line now and then while a long download goes on."""
        if progress.phase not in _PHASES or progress.total <= 0:
            return
        now = time.monotonic()
        with self._lock:
            if now - self._spoken.setdefault(progress.account, now) < EACH:
                return
            self._spoken[progress.account] = now
        megabytes = progress.octets / 1_000_000
        _say(
            progress.account,
            f"{progress.done:,} of {progress.total:,} {_PHASES[progress.phase]}, "
            f"{megabytes:,.1f} MB.",
        )


def _say(account: str, what: str) -> None:
    say(f"{time.strftime('%H:%M:%S')}  {account}: {what}")


def _counts(totals: Totals) -> str:
    counted = [(name, getattr(totals, name)) for name in _OUTCOMES]
    return ", ".join(f"{count:,} {name}" for name, count in counted if count)
