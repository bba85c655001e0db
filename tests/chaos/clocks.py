"""The worker's clock jumps between and during collections: a day forth, a day back, summer time."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from tests.chaos.mail import further
from tests.chaos.trial import Trial, collect, examined, honest, recovers
from tests.servers.faults import Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

JUMPS = (timedelta(days=1), timedelta(days=-1), timedelta(hours=1), timedelta(hours=-1))


def trial(context: "Context", number: int) -> list[str]:
    """The clock is another one for each collection, and jumps once more in the middle of one."""
    draw = random.Random(f"clock {number}")
    made = Trial(
        part="clock", number=number, protocol=("imap", "pop3")[number % 2],
        after=("leave", "delete")[number // 2 % 2], create=True, plan=Plan(),
    )  # fmt: skip
    with honest(made, context.place) as at:
        for index in range(3):
            with jumping(
                draw.choice(JUMPS), then=draw.choice(JUMPS), after_calls=draw.randint(1, 60)
            ):
                collect(at.account)
            at.deliver(further(made.seed, index))
        recovers(at)
        return examined(at)


@contextmanager
def jumping(first: timedelta, *, then: timedelta, after_calls: int) -> Iterator[None]:
    """The process's idea of now; the database has its own, which leases and due times go by."""
    true_now, calls = timezone.now, 0

    def now() -> datetime:
        nonlocal calls
        calls += 1
        return true_now() + (first if calls < after_calls else then)

    timezone.now = now
    try:
        yield
    finally:
        timezone.now = true_now
