"""Batches of the recipe: attempts are counted before the reading, outcomes committed after it.

1. COMMIT attempts + 1: whatever happens from here on leaves a trace
2. read each message; one that was tried before, in a process of its own
3. one transaction: check the epoch, the recipe for each, the ledger's rows
4. if one message breaks it: roll back, and do them one by one; that one fails alone
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from buzon.desk.filing import lock_filing
from buzon.desk.reasons import reason
from buzon.desk.search import index
from buzon.intake import vault
from buzon.intake.again import again, is_of_the_database
from buzon.intake.batches import by_octets
from buzon.intake.custody import decide, retry_time
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.process import indexable, process_one
from buzon.intake.reader import ApartReader, ReaderDied
from buzon.intake.sitting import Sitting, Work
from buzon.intake.statements import update_arrivals
from buzon.lease import Lease, LeaseLost
from buzon.wire.reading import Opened, Reading

log = structlog.get_logger("buzon.process")
MOST = 200
DECIDED = ["outcome", "reason", "message", "decided_at", "retry_at"]


@dataclass(slots=True)
class Processor:
    """Understands what an account has in custody, under the lease of its process duty.

    `decided` is told of each outcome. `fresh`: by digest, messages that were put there just now by
    this process; these octets need not be read back.
    """

    account: CollectionAccount
    lease: Lease
    stop: Callable[[], bool]
    decided: Callable[[str], None] = field(default=lambda outcome: None)
    fresh: Mapping[str, Opened] = field(default_factory=dict)

    def run(self) -> int:
        """Until nothing waits; returns how many messages were decided. Raises LeaseLost."""
        done = 0
        more = True
        while more and not self.stop():
            rows, more = _next_rows(self.account)
            if rows:
                self.lease.renew_if_needed()
                self._process(rows)
                done += len(rows)
        return done

    def _process(self, rows: Sequence[Arrival]) -> None:
        self._count_attempts(rows)
        works = self._read(rows)
        try:
            again(lambda: self._commit(works))
        except Exception as error:
            if _is_of_no_message(error):
                raise
            # A message must never hold up the next one.
            log.warning("batch_failed", account=self.account.pk, error=type(error).__name__)
            self._one_by_one(works)
        for row in rows:
            self.decided(row.outcome)

    def _count_attempts(self, rows: Sequence[Arrival]) -> None:
        with transaction.atomic():
            self.lease.fence()
            chosen = Arrival.objects.filter(pk__in=[row.pk for row in rows])
            chosen.update(attempts=F("attempts") + 1)
        for row in rows:
            row.attempts += 1

    def _read(self, rows: Sequence[Arrival]) -> list[Work]:
        """Those that could be read; the others get their outcome here."""
        opened = self._opened(rows)
        read_rows: list[tuple[Arrival, Reading]] = []
        seconds, megabytes = settings.BUZON_READER_SECONDS, settings.BUZON_READER_MEGABYTES
        with ApartReader(seconds=seconds, megabytes=megabytes) as apart:
            for row in rows:
                self.lease.renew_if_needed()
                reading = self._reading(row, opened.get(_name_of(row)), apart)
                if reading is not None:
                    read_rows.append((row, reading))
        return self._works(read_rows)

    def _opened(self, rows: Sequence[Arrival]) -> Mapping[str, Opened]:
        names = {_name_of(row) for row in rows}
        stored = vault.get_many(self.account.organization_id, names - self.fresh.keys())
        return {**self.fresh, **{name: Opened(octets) for name, octets in stored.items()}}

    def _reading(self, row: Arrival, letter: Opened | None, apart: ApartReader) -> Reading | None:
        """None for one that could not be read; what became of it is then in its row."""
        if letter is None:
            self._fail(row, _not_understood(gettext_noop("its octets are missing")))
            return None
        try:
            return _reading(row, letter, apart)
        except ReaderDied as error:
            self._fail(row, reason("killed_its_reader", error=str(error)))
        except Exception as error:
            log.exception("reading_failed", account=self.account.pk, arrival=row.pk)
            self._fail(row, _broken(error))
        return None

    def _works(self, rows: Sequence[tuple[Arrival, Reading]]) -> list[Work]:
        folders = Folder.everything.in_bulk({row.folder_id for row, _ in rows})
        return [
            Work(
                arrival=row,
                held=row.message,
                folder=folders[row.folder_id],
                reading=reading,
                whole=bool(row.sha256),
            )
            for row, reading in rows
        ]

    def _commit(self, works: Sequence[Work]) -> None:
        """Step 3. May be run again: every row is set anew from the beginning."""
        with transaction.atomic():
            self.lease.fence()
            lock_filing(self.account.organization_id)
            sitting = Sitting.of(self.account, works)
            for work in works:
                work.arrival.message = work.held
                process_one(sitting, work)
                work.arrival.retry_at = None
            sitting.store()
            update_arrivals([work.arrival for work in works], DECIDED)
            index([indexable(self.account, work) for work in works if work.arrival.message_id])

    def _one_by_one(self, works: Sequence[Work]) -> None:
        """Step 4."""
        for work in works:
            try:
                again(partial(self._commit, [work]))
            except Exception as error:
                if _is_of_no_message(error):
                    raise
                log.exception("message_failed", account=self.account.pk, arrival=work.arrival.pk)
                self._fail(work.arrival, _broken(error))

    def _fail(self, row: Arrival, why: dict[str, Any]) -> None:
        """It keeps its octets, waits for its next try or a person, and holds up nothing."""
        decide(row, Arrival.Outcome.FAILED, why)
        row.retry_at = retry_time(row.attempts)
        with transaction.atomic():
            self.lease.fence()
            row.save(update_fields=["outcome", "reason", "decided_at", "retry_at"])


def retry_failed(account: CollectionAccount, lease: Lease) -> None:
    """Failed rows whose time has come wait again, to be processed or to be downloaded."""
    with transaction.atomic():
        lease.fence()
        due = Arrival.objects.filter(
            account=account, outcome=Arrival.Outcome.FAILED, retry_at__lte=timezone.now()
        )
        due.obtainable().update(outcome=Arrival.Outcome.WAITING, retry_at=None)


def _next_rows(account: CollectionAccount) -> tuple[list[Arrival], bool]:
    """The oldest that wait, as many as fit into a batch, at least one; whether more may wait."""
    rows = Arrival.objects.filter(account=account).to_process().select_related("message")
    waiting = list(rows.order_by("id")[: MOST + 1])
    batch = next(by_octets(waiting, lambda row: row.size, most=MOST), [])
    return batch, len(batch) < len(waiting)


def _name_of(row: Arrival) -> str:
    """An oversized message has only its header here."""
    return row.sha256 or row.header_sha256


def _reading(row: Arrival, letter: Opened, apart: ApartReader) -> Reading:
    if not row.sha256:
        return letter.header()
    return letter.whole() if row.attempts == 1 else apart.read(letter.octets)


def _is_of_no_message(error: Exception) -> bool:
    return isinstance(error, LeaseLost) or is_of_the_database(error)


def _broken(error: Exception) -> dict[str, Any]:
    """What went wrong, without the message's own words."""
    told = gettext_noop("{kind} in Buzón; the log has the details")
    return _not_understood(told, kind=type(error).__name__)


def _not_understood(template: str, **values: str) -> dict[str, Any]:
    error = template.format_map(values)
    return reason("not_understood", error=error, template=template, values=values)
