"""Claim, renew, fence and release, on SQLite and PostgreSQL alike.

    due ──claim──▶ held (epoch + 1) ──renew──▶ held ──release──▶ due later
                     │
                     └─ lease_until passes, or the owner is dead ──▶ due again

Times are the database's own clock, so that several machines agree; a worker whose clock goes wrong
has the time of the next work translated into it. A lease that ends further in the future than any
lease may, and a time that was set at a moment still to come, are left behind by a clock that was
set back: the one counts as run out, the other as come.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from buzon.lease.owner import has_died, machine_prefix, owner_name
from buzon.lease.row import LeasedRow

SKEW = timedelta(seconds=5)  # of a worker's clock beside the database's, which nobody minds
STEP = timedelta(minutes=1)  # a clock that is set back by less holds up nobody for long


class LeaseLost(Exception):
    """Another worker has taken the row over: stop, and write nothing more."""


def lease_seconds() -> float:
    """How long a claim lasts unless renewed."""
    return float(settings.BUZON_LEASE_SECONDS)


def claim(row: LeasedRow) -> "Lease | None":
    """Take this one row, due or not; None while another worker holds it."""
    model = type(row)
    taken = _claim_one(model, row.pk)
    if taken is None and _free_dead_owners(model._base_manager.filter(pk=row.pk)):
        return _claim_one(model, row.pk)
    return taken


def claim_due(rows: "models.QuerySet[Any]", *, limit: int) -> "list[Lease]":
    """Take up to `limit` rows that are due and free, those that have waited longest first.

    `rows` may be narrowed by other tables; those conditions choose, they are not part of the claim.
    """
    model = rows.model
    due = rows.filter(_due())
    _free_dead_owners(due)
    leases: list[Lease] = []
    # More than asked for: other workers look at the same rows and take some of them first.
    candidates = due.filter(_free()).order_by("due_at").values_list("pk", flat=True)
    for pk in candidates[: limit * 4]:
        if len(leases) == limit:
            break
        taken = _claim_one(model, pk, _due())
        if taken is not None:
            leases.append(taken)
    return leases


def _claim_one(model: type[LeasedRow], pk: Any, *conditions: Q) -> "Lease | None":
    """The conditional UPDATE. All its conditions are about this row alone.

    With a condition on another table Django puts them all into a sub-query, which PostgreSQL does
    not look at again after waiting for a competitor's commit: both would hold the row.
    """
    owner, seconds = owner_name(), lease_seconds()
    started = monotonic()
    with transaction.atomic():
        changed = model._base_manager.filter(_free(), *conditions, pk=pk).update(
            lease_owner=owner,
            lease_until=Now() + timedelta(seconds=seconds),
            lease_epoch=F("lease_epoch") + 1,
        )
        if not changed:
            return None
        epoch, due_at = model._base_manager.values_list("lease_epoch", "due_at").get(pk=pk)
    return Lease(
        model=model, pk=pk, owner=owner, epoch=epoch, due_at=due_at, ends=started + seconds
    )


def _due() -> Q:
    return Q(due_at__lte=Now()) | Q(due_at__isnull=False, released_at__gt=Now() + STEP)


def _free() -> Q:
    # Twice, because a small step back must not take a lease from one who is about to renew it.
    longest = timedelta(seconds=lease_seconds() * 2)
    return (
        Q(lease_owner="")
        | Q(lease_until__isnull=True)
        | Q(lease_until__lte=Now())
        | Q(lease_until__gt=Now() + longest)
    )


def held(rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Those of the rows that a worker holds now, whichever process it is."""
    return rows.exclude(_free())


def _free_dead_owners(rows: "models.QuerySet[Any]") -> int:
    """Free what processes of this machine that have died still hold; how many rows."""
    held = rows.filter(lease_owner__startswith=machine_prefix())
    owners = held.order_by().values_list("lease_owner", flat=True).distinct()
    freed = 0
    for dead in [owner for owner in owners if has_died(owner)]:
        rows_of_dead = rows.model._base_manager.filter(lease_owner=dead)
        freed += rows_of_dead.update(lease_owner="", lease_until=None)
    return freed


def revoke(rows: "models.QuerySet[Any]") -> None:
    """Take these rows from whoever works on them, who writes nothing more. In a transaction that
    has locked them.
    """
    rows.update(lease_owner="", lease_until=None, lease_epoch=F("lease_epoch") + 1)


@dataclass(slots=True)
class Lease:
    """The right to work on one row, as long as the epoch is ours."""

    model: type[LeasedRow]
    pk: Any
    owner: str
    epoch: int
    due_at: datetime | None  # as it was when the row was claimed
    ends: float = field(repr=False)  # on this process's monotonic clock, never later than the row's

    def fence(self) -> None:
        """Inside a transaction: check that the row is still ours, and keep it so until commit.

        Raises LeaseLost. On PostgreSQL the row stays locked until the transaction ends, so nobody
        can claim it between the check and the commit; on SQLite the transaction is IMMEDIATE.
        """
        connection = transaction.get_connection()
        if not connection.in_atomic_block:
            raise RuntimeError("fence() is meant for the transaction that it protects")
        # As SQL: it begins every transaction, and building it took longer than its execution.
        lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
        table, key = self.model._meta.db_table, self.model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT 1 FROM "{table}" WHERE "{key}" = %s AND lease_epoch = %s'  # noqa: S608 # names of ours
                f" AND lease_owner = %s{lock}",
                [self.pk, self.epoch, self.owner],
            )
            if cursor.fetchone() is None:
                raise LeaseLost(str(self))

    def renew(self) -> None:
        """Make it last a full term from now. Raises LeaseLost."""
        started, seconds = monotonic(), lease_seconds()
        if not self._mine().update(lease_until=Now() + timedelta(seconds=seconds)):
            raise LeaseLost(str(self))
        self.ends = started + seconds

    def renew_if_needed(self) -> None:
        """Renew once a third of the term has passed; cheap to call between any two steps."""
        if self.seconds_left() < lease_seconds() * 2 / 3:
            self.renew()

    def seconds_left(self) -> float:
        return self.ends - monotonic()

    def check_before_server_change(self, *, deadline: float) -> None:
        """Before a command that changes the server: still ours, and for longer than it may take.

        A lease does not fence a mail server; that the command ends before the lease does is what
        keeps a second worker's commands from running at the same time. `deadline` in seconds.
        Raises LeaseLost.
        """
        self.renew()
        if self.seconds_left() <= deadline:
            raise LeaseLost(f"{self}: the command may take longer than the lease lasts")

    def release(self, *, due_at: datetime | None, **changes: Any) -> bool:
        """Give the row back, with the time of its next work; False if it was no longer ours.

        If somebody has made the row due anew during the run, that time stays: what they changed
        may have come too late for this run.
        """
        with transaction.atomic():
            # Compared here: SQLite compares times as text, and writes its own with fewer digits.
            found = self._mine().select_for_update().values_list("due_at", Now()).first()
            if found is None:
                return False
            before, now = found
            if self.due_at == before:
                changes["due_at"] = due_at and _by_the_database(due_at, now)
            changes |= {"lease_owner": "", "lease_until": None, "released_at": Now()}
            return bool(self._mine().update(**changes))

    def _mine(self) -> "models.QuerySet[Any]":
        return self.model._base_manager.filter(
            pk=self.pk, lease_epoch=self.epoch, lease_owner=self.owner
        )


def _by_the_database(at: datetime, now: datetime) -> datetime:
    """This moment of our clock by the database's, which says `now`."""
    ahead = timezone.now() - now
    return at if abs(ahead) < SKEW else at - ahead


def free_all_dead(models_with_leases: Iterable[type[LeasedRow]]) -> int:
    """At a start: free what processes of this machine left behind when they were killed."""
    return sum(_free_dead_owners(model._base_manager.all()) for model in models_with_leases)
