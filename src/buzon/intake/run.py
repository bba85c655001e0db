"""One run of an account's collect duty: what its steps share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from buzon.intake.batches import MOST_BODIES, MOST_HEADERS
from buzon.intake.disk import check_room
from buzon.intake.first_download import Looks
from buzon.intake.models import CollectionAccount
from buzon.intake.stride import Stride
from buzon.intake.totals import Progress, Totals, Watcher
from buzon.lease import Lease


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
    process: Callable[[], None]  # understand what is in custody now
    looks: Looks  # at how far its first download is
    deadline: float  # seconds that one command to the server may take at most
    new_mail_first: bool = False  # the POP3 session was ended for the sake of new mail
    received_before: int = 0  # octets, in earlier sessions of this run
    began_at: datetime = field(default_factory=timezone.now)
    # How much is in hand at a time, for new mail's sake: whole messages, and headers to judge.
    bodies: Stride = field(default_factory=lambda: Stride(MOST_BODIES))
    headers: Stride = field(default_factory=lambda: Stride(MOST_HEADERS))
    # Digests of the octets that this very session has retrieved: their UIDs need no second look.
    retrieved: set[str] = field(default_factory=set)

    def between_steps(self) -> None:
        """Between any two steps: stop if asked, keep the lease. Raises Stopped, LeaseLost."""
        if self.stop():
            raise Stopped
        self.lease.renew_if_needed()

    def before_batch(self) -> None:
        """Before more is retrieved: also stop where the disk is nearly full. Raises NoRoom too."""
        self.between_steps()
        check_room()

    def history_is_paused(self) -> bool:
        """Whether a person has said so, a few seconds ago at the latest."""
        return self.account.history_paused

    def received(self, octets: int) -> None:
        """So many in the present session, as it counts them."""
        self.totals.bytes = self.received_before + octets

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
