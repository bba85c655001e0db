"""One run of an account's collect duty: what its steps share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from buzon.intake.batches import MOST_BODIES, MOST_HEADERS
from buzon.intake.disk import check_room
from buzon.intake.first_download import Looks
from buzon.intake.guest import Guest
from buzon.intake.models import CollectionAccount
from buzon.intake.stride import Stride
from buzon.intake.totals import Progress, Totals, Watcher
from buzon.lease import Lease
from buzon.wire.reading import Opened


class Stopped(Exception):
    """The run was asked to stop; everything done so far is committed."""


@dataclass(slots=True)
class Run:
    """The account, the lease under which everything is written, and who watches."""

    account: CollectionAccount
    lease: Lease
    totals: Totals
    stop: Callable[[], bool]
    watch: Watcher | None
    understand: Callable[[Mapping[str, Opened]], None]  # what is in custody now
    looks: Looks  # at how far its first download is
    deadline: float  # seconds that one command to the server may take at most
    guest: Guest
    history_waits: dict[str, Any] | None = None  # the reason, where the rest of it waits
    new_mail_first: bool = False  # the POP3 session was ended for the sake of new mail
    octets_to_look: int = 0  # what the server gave before any message: POP3 lists all of them
    received_before: int = 0  # octets, in earlier sessions of this run
    began_at: datetime = field(default_factory=timezone.now)
    # How much is in hand at a time, for new mail's sake: whole messages, and headers to judge.
    bodies: Stride = field(default_factory=lambda: Stride(MOST_BODIES))
    headers: Stride = field(default_factory=lambda: Stride(MOST_HEADERS))
    # What the server calls the messages that this very session has retrieved and put into custody:
    # before they are removed, neither these names nor the octets need a second look.
    retrieved: set[tuple[Any, ...]] = field(default_factory=set)
    # By digest, what the last batch took into custody, as long as it is in memory anyway.
    fresh: Mapping[str, Opened] = field(default_factory=dict)

    def process(self) -> None:
        """Understand what is in custody now."""
        fresh, self.fresh = self.fresh, {}
        self.understand(fresh)

    def between_steps(self) -> None:
        """Between any two steps: stop if asked, keep the lease. Raises Stopped, LeaseLost."""
        if self.stop():
            raise Stopped
        self.lease.renew_if_needed()

    def before_batch(self) -> None:
        """Before more is retrieved: also stop where the disk is nearly full, or the server's day is
        used. Raises NoRoom and DayUsed too.
        """
        self.between_steps()
        check_room()
        self.guest.check()

    def holds_history(self, octets: int) -> bool:
        """Before so much of the history is retrieved: whether the rest waits for another run."""
        if self.history_waits is None:
            self.history_waits = self.guest.why_history_waits(octets)
        return self.history_waits is not None

    def history_is_paused(self) -> bool:
        """Whether a person has said so, a few seconds ago at the latest."""
        return self.account.history_paused

    def received(self, octets: int) -> None:
        """So many in the present session, as it counts them."""
        before, self.totals.bytes = self.totals.bytes, self.received_before + octets
        self.guest.received(self.totals.bytes - before)

    def report(self, phase: str, done: int, total: int) -> None:
        """Of the phase; the history's is told as a whole, from where an earlier run left it."""
        if self.watch is None:
            return
        latest = self.looks.latest
        first = latest.whole if latest is not None and phase == "history" else None
        if first is not None:
            done, total = first.done, first.total
        left = None if first is None else first.left
        self.watch(Progress(self.account.name, phase, done, total, self.totals.bytes, left))
