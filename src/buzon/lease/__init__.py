"""Rows that are worked on: claim, renew, fence.

A worker claims a row with one conditional UPDATE, which also raises the row's epoch. Every write of
its run first checks that the epoch is still its own (`Lease.fence`), so that a worker which slept
past its lease and wakes up writes nothing. The rows are the truth: a lost kick, a killed worker or
a restarted machine only means that the row is due again.
"""

from buzon.lease.lease import (
    Lease,
    LeaseLost,
    claim,
    claim_due,
    free_all_dead,
    held,
    lease_seconds,
    revoke,
)
from buzon.lease.row import LeasedRow

__all__ = [
    "Lease",
    "LeaseLost",
    "LeasedRow",
    "claim",
    "claim_due",
    "free_all_dead",
    "held",
    "lease_seconds",
    "revoke",
]
