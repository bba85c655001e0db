"""Collecting over POP3: every session compares the whole listing with the ledger.

    listing ─▶ rows of what is gone are closed ─▶ rows for what is new (waiting, without octets)
            ─▶ triage by TOP where a header decides ─▶ RETR, newest first ─▶ process ─▶ settle, QUIT

A UIDL that went and comes back is a new arrival: servers may use it again (RFC 1939 §7). Messages
without a UIDL of their own are known by the digest of their octets (`collect_pop3_digest`). A
session ends after some minutes, because POP3 shows new mail only to a new session.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

from django.db.models import Q

from buzon.desk.reasons import reason
from buzon.intake import settle_pop3
from buzon.intake.collect_pop3_digest import collect_by_digest
from buzon.intake.compare_pop3 import DIGEST, compare, is_outside, leave_outside
from buzon.intake.custody import Batch, commit, decide, describe
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.retrieved import not_here, take_retrieved
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.wire.errors import ServerBusy
from buzon.wire.pop3 import Listing, Pop3Session, Retrieved
from buzon.wire.reading import read_header
from buzon.wire.reading.received import received_date

MOST_BODIES = 200
MOST_HEADERS = 1_000
MOST_OCTETS = 16 * 1024 * 1024
SESSION_SECONDS = 180.0


def collect(run: Run, session: Pop3Session) -> None:
    """One session: what is new comes into custody, and QUIT removes what R6 lets go."""
    ends = monotonic() + SESSION_SECONDS
    folder = run.account.folders.get()
    listing = session.listing()
    run.totals.listed = len(listing)
    first_look = folder.baseline_at is None
    named = {each.uidl: each for each in listing if each.uidl is not None}
    _check_names(folder, named, listing)
    compare(run, folder, named)
    _triage(run, session, folder, named)
    _download(run, session, folder, named, ends=ends)
    unnamed = [each for each in listing if each.uidl is None]
    if unnamed:
        named |= collect_by_digest(run, session, folder, unnamed, first_look=first_look)
    run.process()
    folder.refresh_from_db()
    run.totals.outside = folder.outside
    run.totals.bytes = session.bytes_in
    settle_pop3.settle_and_quit(run, session, folder, named)


def _check_names(folder: Folder, named: Mapping[str, Listing], listing: Sequence[Listing]) -> None:
    """A server that has named its messages before and names none now has a bad moment.

    To believe it would close every row, and file every message again under a digest.
    """
    known = Arrival.objects.filter(folder=folder).live().exclude(uidl__startswith=DIGEST)
    if listing and not named and known.exists():
        raise ServerBusy("The server does not tell its messages' UIDLs this time.")


def _triage(run: Run, session: Pop3Session, folder: Folder, named: Mapping[str, Listing]) -> None:
    """Rows that a header decides (R9, the date of R4, the limit), newest first."""
    rows = _newest_first(_to_triage(run.account, folder), named)
    if not session.has_top:
        _decide_unseen(run, rows)
        return
    for start in range(0, len(rows), MOST_HEADERS):
        run.between_steps()
        _judge(run, folder, *_tops(run, session, rows[start : start + MOST_HEADERS], named))
        run.totals.bytes = session.bytes_in


def _to_triage(account: CollectionAccount, folder: Folder) -> list[Arrival]:
    rows = Arrival.objects.filter(folder=folder, header_digest="").to_download()
    rows = rows.filter(asked_by_person=False)
    if account.create_customer:
        heavy = Q(size__gt=account.max_message_bytes)
        dated = account.start == CollectionAccount.Start.DATE
        rows = rows.filter(heavy | Q(of_history=True) if dated else heavy)
    return list(rows)


def _newest_first(rows: Sequence[Arrival], named: Mapping[str, Listing]) -> list[Arrival]:
    """Those that this session can name; a server numbers its messages as they came."""
    present = [row for row in rows if row.uidl in named]
    return sorted(present, key=lambda row: -named[row.uidl or ""].number)


def _decide_unseen(run: Run, rows: Sequence[Arrival]) -> None:
    """Without TOP only the whole message tells; one over the limit is not retrieved for that."""
    too_large = [row for row in rows if row.size > run.account.max_message_bytes]
    for row in too_large:
        decide(row, Arrival.Outcome.OVERSIZED, reason("larger_than_limit_unseen"))
    commit(run, Batch(changed=too_large))


def _tops(
    run: Run, session: Pop3Session, rows: Sequence[Arrival], named: Mapping[str, Listing]
) -> tuple[list[tuple[Arrival, bytes]], list[Arrival]]:
    """The headers that came, and the rows of those that did not."""
    by_number = {named[row.uidl or ""].number: row for row in rows}
    seen: list[tuple[Arrival, bytes]] = []
    refused: list[Arrival] = []
    for top in session.headers(list(by_number)):
        run.lease.renew_if_needed()
        row = by_number[top.number]
        if top.error is None:
            seen.append((row, top.octets))
        else:
            not_here(row, top.error)
            refused.append(row)
    return seen, refused


def _judge(
    run: Run, folder: Folder, seen: Sequence[tuple[Arrival, bytes]], refused: list[Arrival]
) -> None:
    around = Surroundings.of(run.account)
    readings = [read_header(octets) for _, octets in seen]
    candidates = [
        Candidate(reading, size=row.size) for reading, (row, _) in zip(readings, seen, strict=True)
    ]
    verdicts = judge_headers(around, folder, candidates)
    batch, outside = Batch(changed=refused), []
    for (row, octets), reading, verdict in zip(seen, readings, verdicts, strict=True):
        describe(row, reading, around.sender_of(reading))
        row.internal_date = received_date(octets) or reading.date
        if is_outside(run.account, row):
            outside.append(row)
            continue
        batch.changed.append(row)
        if verdict.outcome == "oversized":
            batch.keep_header(row, octets)
        elif not verdict.downloads:
            decide(row, verdict.outcome, verdict.why)
    commit(run, batch)
    leave_outside(run, folder, outside)


def _download(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    named: Mapping[str, Listing],
    *,
    ends: float,
) -> None:
    """The octets of every row that still waits for them, newest first, until time is up."""
    waiting = Arrival.objects.filter(folder=folder).to_download()
    rows = _newest_first(list(waiting), named)
    done = 0
    for batch in _batches(rows):
        if monotonic() > ends:
            run.new_mail_first = True
            return
        run.between_steps()
        run.report("history" if batch[0].of_history else "new", done, len(rows))
        _take(run, session, folder, batch, named)
        run.totals.bytes = session.bytes_in
        run.process()
        done += len(batch)


def _batches(rows: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    batch: list[Arrival] = []
    octets = 0
    for row in rows:
        if batch and (len(batch) == MOST_BODIES or octets + row.size > MOST_OCTETS):
            yield batch
            batch, octets = [], 0
        batch.append(row)
        octets += row.size
    if batch:
        yield batch


def _take(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    rows: Sequence[Arrival],
    named: Mapping[str, Listing],
) -> None:
    by_number = {named[row.uidl or ""].number: row for row in rows}
    wanted = [named[row.uidl or ""] for row in rows]
    unseen = {row.pk for row in rows if not row.header_digest and not session.has_top}
    got: list[tuple[Arrival, Retrieved]] = []
    for retrieved in session.messages(wanted):
        run.lease.renew_if_needed()
        row = by_number[retrieved.number]
        got.append((row, retrieved))
    _keep(run, folder, got, unseen)


def _keep(
    run: Run, folder: Folder, got: Sequence[tuple[Arrival, Retrieved]], unseen: set[int]
) -> None:
    batch = Batch()
    take_retrieved(run.account, folder, got, batch)
    outside = []
    for row, _ in got:
        if is_outside(run.account, row) and not row.asked_by_person:
            outside.append(row)
            continue
        if row.pk in unseen and row.outcome in ("skipped", "ignored"):
            row.reason |= {"retrieved_to_decide": True}
        batch.changed.append(row)
    kept = {row.sha256 for row in batch.changed}
    batch.octets = {name: octets for name, octets in batch.octets.items() if name in kept}
    commit(run, batch)
    leave_outside(run, folder, outside)
