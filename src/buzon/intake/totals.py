"""What a collection did: the totals that `buzon collect` ends with, and its progress meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any


@dataclass(slots=True)
class Totals:
    """One account's collection in numbers.

    `listed` counts the messages on the server in the collected folders, `outside` those of them
    from before the window, `bytes` the octets received from the server. The outcomes count what
    was decided in this run. `error` is a sentence, "" where all went well.
    """

    account: str
    listed: int = 0
    outside: int = 0
    filed: int = 0
    skipped: int = 0
    ignored: int = 0
    oversized: int = 0
    failed: int = 0
    settled: int = 0
    bytes: int = 0
    seconds: float = 0.0
    error: str = ""
    started: float = field(default_factory=monotonic, repr=False)

    def count(self, outcome: str, number: int = 1) -> None:
        setattr(self, outcome, getattr(self, outcome) + number)

    def finish(self) -> None:
        self.seconds = round(monotonic() - self.started, 3)

    def as_json(self) -> dict[str, Any]:
        """The object of `buzon collect --json`, with `error` beside it."""
        names = [
            "account",
            "listed",
            "outside",
            "filed",
            "skipped",
            "ignored",
            "oversized",
            "failed",
            "settled",
            "bytes",
            "seconds",
        ]
        return {name: getattr(self, name) for name in names} | {"error": self.error}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a collection is. `total` is what is known so far; `octets` received so far; `left`:
    how long the first download still takes, where that is known.
    """

    account: str
    phase: str  # connecting | history | new | processing | settling
    done: int
    total: int
    octets: int
    left: timedelta | None = None


Watcher = Callable[[Progress], None]
