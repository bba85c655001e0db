"""What `buzon collect` does about servers that keep it waiting: says so while they do.

The dispatcher of `buzon up` does the same for its own runs.
"""

import threading

from django.db import DatabaseError, connections

from buzon.config.command import output
from buzon.intake import health
from buzon.intake.models import CollectionAccount
from buzon.lease import Lease
from buzon.wire.waits import Waits, look_at


class Slow:
    """The runs under way: each thread enters its own, the main thread looks at all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[tuple[CollectionAccount, Lease, Waits]] = []

    def enter(self, account: CollectionAccount, lease: Lease) -> None:
        """What this thread waits for from now on is waited for by that run."""
        waits = Waits()
        look_at(waits)
        with self._lock:
            self._running.append((account, lease, waits))

    def notice(self) -> None:
        """Say so of those whose server has kept us waiting for long by now, each once: on the
        terminal, and in the account's state. A run that has ended waits no more.
        """
        with self._lock:
            found = [one for one in self._running if one[2].is_slow()]
            self._running = [one for one in self._running if one not in found]
        for account, lease, _ in found:
            output.note(f"{account}: {account.host} keeps us waiting for its answer.")
            try:
                health.notice_slow(lease)
            except DatabaseError as error:
                # The run itself will meet it too, and ends with it.
                output.note(f"{account}: this could not be stored: {error}")
                connections.close_all()
