"""What the database does to a transaction: one that lost a race is run again, whole; and whether it
was the database that failed or what was to be stored.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from buzon.desk.errors import Overtaken

Result = TypeVar("Result")

# PostgreSQL's serialization_failure and deadlock_detected: the transaction did nothing, and may be
# run again as it is (PostgreSQL manual, 13.5). SQLite waits in its busy handler instead.
LOST_RACES = ("40001", "40P01")
TRIES = 6
# idle_in_transaction_session_timeout and transaction_timeout: this process was stopped in a
# transaction, and the server has ended the session. psycopg has them among InternalError.
SLEPT = ("25P03", "25P04")
# Class 54, program_limit_exceeded: too much for an index or for a statement. psycopg has it among
# OperationalError, but what was to be stored is to blame, and will be the next time.
TOO_MUCH = "54"


def again(work: Callable[[], Result]) -> Result:
    """Run `work`, a whole transaction, until it loses no race; at most six times."""
    for tried in range(1, TRIES + 1):
        try:
            return work()
        except (OperationalError, Overtaken) as error:
            lost = isinstance(error, Overtaken) or _state_of(error) in LOST_RACES
            if not lost or tried == TRIES or connection.in_atomic_block:
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**tried)  # noqa: S311
    raise AssertionError("unreachable")


def is_of_the_database(error: Exception) -> bool:
    """Whether the database itself fails, or is gone: then no message is to blame, and whatever was
    not committed was not done.
    """
    if _state_of(error).startswith(TOO_MUCH):
        return False
    return isinstance(error, OperationalError | InterfaceError) or _state_of(error) in SLEPT


def _state_of(error: Exception) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
