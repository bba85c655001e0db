"""Custody: the one transaction that makes mail ours.

1. check the lease's epoch, and hold the row until the commit
2. store the octets
3. store or change the ledger's rows
4. move the cursor past exactly these
5. COMMIT: only now may the server be asked to remove anything
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Self

from django.db import transaction
from django.utils import timezone

from buzon.desk.reasons import reason_of_error
from buzon.intake import vault
from buzon.intake.again import again
from buzon.intake.gone import close
from buzon.intake.models import Arrival, Folder
from buzon.intake.run import Run
from buzon.intake.statements import insert_arrivals, update_arrivals
from buzon.wire.errors import ConnectFailed, MailError, TimedOut
from buzon.wire.reading import Opened, Reading

_RETRY_MINUTES = (1, 10)
CHANGED = [
    "header_digest",
    "size",
    "listed_size",
    "left_because",
    "internal_date",
    "sender",
    "outcome",
    "reason",
    "sha256",
    "header_sha256",
    "structure",
    "attempts",
    "retry_at",
    "decided_at",
    "gone_at",
]


@dataclass(slots=True)
class Batch:
    """What one transaction takes into custody: new rows, changed rows, octets by digest.

    `gone` are the keys of rows whose messages the server no longer has. Large messages are files,
    which the batch closes at the end of its `with` block. `opened` are messages whose header has
    been read already.
    """

    new: list[Arrival] = field(default_factory=list)
    changed: list[Arrival] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    octets: dict[str, vault.Packed] = field(default_factory=dict)
    opened: dict[str, Opened] = field(default_factory=dict)
    files: list[BinaryIO] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self.files:
            file.close()

    def keep(self, row: Arrival, message: vault.Packed) -> None:
        """This row's whole message is in the batch."""
        row.sha256 = message.sha256
        row.size = message.size
        row.attempts = 0  # from here on they count the processing
        self.octets[row.sha256] = message

    def leave_out(self, rows: Sequence[Arrival]) -> None:
        """Neither these rows nor their octets."""
        left = {id(row) for row in rows}
        self.new = [row for row in self.new if id(row) not in left]
        self.changed = [row for row in self.changed if id(row) not in left]
        kept = {name for row in (*self.new, *self.changed) for name in _names(row)}
        self.octets = {name: octets for name, octets in self.octets.items() if name in kept}

    def keep_header(self, row: Arrival, header: bytes) -> None:
        """Of an oversized message, the header is in the batch."""
        packed = vault.pack(header)
        row.header_sha256 = packed.sha256
        self.octets[packed.sha256] = packed


def commit(run: Run, batch: Batch, *, folder: Folder | None = None, **cursor: Any) -> None:
    """The transaction; `cursor` are the folder's fields that change with it. Raises LeaseLost.

    What was decided in the batch goes into the run's totals.
    """
    again(lambda: _commit(run, batch, folder, cursor))
    kept = (row for row in (*batch.new, *batch.changed) if row.sha256 in batch.octets)
    run.retrieved.update(row.name for row in kept)
    run.fresh = batch.opened
    for row in (*batch.new, *batch.changed):
        if row.outcome != Arrival.Outcome.WAITING:
            run.totals.count(row.outcome)
    if folder is not None:
        for name, value in cursor.items():
            setattr(folder, name, value)


def _commit(run: Run, batch: Batch, folder: Folder | None, cursor: dict[str, Any]) -> None:
    with transaction.atomic():
        run.lease.fence()
        # In one order everywhere, so that two accounts with the same letters cannot deadlock.
        names = sorted(batch.octets)
        vault.put(run.account.organization_id, ((name, batch.octets[name]) for name in names))
        _store(batch.new, batch.changed)
        close(batch.gone)
        if folder is not None and cursor:
            Folder.objects.filter(pk=folder.pk).update(**cursor)


def _store(new: Sequence[Arrival], changed: Sequence[Arrival]) -> None:
    insert_arrivals(new)
    update_arrivals(changed, CHANGED)


def _names(row: Arrival) -> tuple[str, str]:
    return row.sha256, row.header_sha256


def decide(row: Arrival, outcome: str, why: dict[str, Any]) -> None:
    """Set what became of the row, and when; the caller stores it."""
    row.outcome = outcome
    row.reason = why
    row.decided_at = timezone.now()


def describe(row: Arrival, reading: Reading, sender: str) -> None:
    """What the ledger remembers of a message's header."""
    row.header_digest = reading.header_digest
    row.sender = sender[:400]


def suspect(rows: Sequence[Arrival], cut: MailError) -> None:
    """The connection was cut before these rows' messages came: one may be the cause.

    They are asked for again, each alone (`attempts` marks them). One that was alone, and at which
    the connection is cut again, has failed. A server that says "not now" accuses none of them.
    """
    if not isinstance(cut, ConnectFailed | TimedOut):
        return
    if len(rows) == 1 and rows[0].attempts:
        not_retrieved(rows[0], cut)
        return
    for row in rows:
        row.attempts = max(row.attempts, 1)


def not_retrieved(row: Arrival, error: MailError) -> None:
    """The server could not give this one message: it waits, and holds up nothing."""
    row.attempts += 1
    row.retry_at = retry_time(row.attempts)
    decide(row, Arrival.Outcome.FAILED, reason_of_error("not_retrieved", error))


def retry_time(attempts: int) -> datetime | None:
    """When a failed row is tried again: after 1, then 10 minutes; None after the third time."""
    if attempts > len(_RETRY_MINUTES):
        return None
    return timezone.now() + timedelta(minutes=_RETRY_MINUTES[max(attempts, 1) - 1])
