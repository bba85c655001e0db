"""Transactions that lost a race are run again, whole."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

Result = TypeVar("Result")

# PostgreSQL's serialization_failure and deadlock_detected: the transaction did nothing, and may be
# run again as it is (PostgreSQL manual, 13.5). SQLite waits in its busy handler instead.
LOST_RACES = ("40001", "40P01")
TRIES = 6


def again(work: Callable[[], Result]) -> Result:
    """Run `work`, a whole transaction, until it loses no race; at most six times."""
    for tried in range(1, TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            state = getattr(error.__cause__, "sqlstate", None)
            if state not in LOST_RACES or tried == TRIES or connection.in_atomic_block:
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**tried)  # noqa: S311
    raise AssertionError("unreachable")
