"""One batch of an IMAP folder into the ledger, together with the end of the cursor that it moves.

create = yes   bodies at once; an oversized message is a batch of its own, header and structure
create = no    whole headers decide (R9); wanted bodies follow as rows that wait for download
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TypeVar

from buzon.intake.custody import Batch, commit, decide, describe, not_retrieved
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.retrieved import take_retrieved
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, is_decided_by_header, judge_headers
from buzon.intake.window import is_history
from buzon.wire.errors import Gone, MailError, MessageError
from buzon.wire.imap import Header, ImapSession, Listed, Retrieved, Wanted
from buzon.wire.reading import read_header

Answer = TypeVar("Answer", Header, Retrieved)

MOST_BODIES = 200
MOST_HEADERS = 1_000
MOST_OCTETS = 16 * 1024 * 1024


def batches(account: CollectionAccount, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
    """Bounded by number, and where whole messages are fetched by octets too."""
    whole = account.create_customer
    most = MOST_BODIES if whole else MOST_HEADERS
    batch: list[Listed] = []
    octets = 0
    for message in listed:
        oversized = whole and message.size > account.max_message_bytes
        full = len(batch) == most or (whole and octets + message.size > MOST_OCTETS)
        if batch and (full or oversized):
            yield batch
            batch, octets = [], 0
        if oversized:
            yield [message]
            continue
        batch.append(message)
        octets += message.size
    if batch:
        yield batch


def take(
    run: Run, session: ImapSession, folder: Folder, listed: Sequence[Listed], *, end: str | None
) -> None:
    """A batch in the order of `listed`; `end` is the cursor's end that moves: low, high or none."""
    run.between_steps()
    rows = [_row(run.account, folder, m, end) for m in listed]
    if is_decided_by_header(run.account, rows[0]):
        _take_headers(run, session, folder, rows, end)
    else:
        _take_bodies(run, session, folder, rows, end)
    run.received(session.bytes_in)


def download_wanted(run: Run, session: ImapSession, folder: Folder) -> None:
    """The rows that wait for download: matched by triage, asked for by a person, tried again."""
    while rows := _next_wanted(folder):
        run.between_steps()
        unjudged = [row for row in rows if is_decided_by_header(run.account, row)]
        batch = Batch(changed=unjudged or rows)
        if unjudged:
            _triage_headers(run, session, folder, unjudged, batch)
        else:
            got = _with_error_told(session, _retrieve(run, session, rows), batch)
            take_retrieved(run.account, folder, got, batch)
        commit(run, batch)
        run.received(session.bytes_in)
        run.process()


def _next_wanted(folder: Folder) -> list[Arrival]:
    """The newest that wait, as many as fit into a batch, at least one."""
    rows = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity).to_download()
    chosen: list[Arrival] = []
    octets = 0
    for row in rows.order_by("-uid")[:MOST_BODIES]:
        if chosen and octets + row.size > MOST_OCTETS:
            break
        chosen.append(row)
        octets += row.size
    return chosen


def _row(account: CollectionAccount, folder: Folder, listed: Listed, end: str | None) -> Arrival:
    of_history = end == "low"
    if end is None:  # found beside the cursor: its UID or its date tells
        of_history = is_history(folder, uid=listed.uid, date=listed.internal_date)
    return Arrival(
        organization_id=account.organization_id,
        account_id=account.pk,
        folder_id=folder.pk,
        uidvalidity=folder.uidvalidity,
        uid=listed.uid,
        size=listed.size,
        internal_date=listed.internal_date,
        of_history=of_history,
    )


def _retrieve(
    run: Run, session: ImapSession, rows: Sequence[Arrival]
) -> list[tuple[Arrival, Retrieved]]:
    by_uid = {row.uid: row for row in rows}
    got = []
    for retrieved in session.messages([Wanted(r.uid or 0, r.size) for r in rows]):
        run.lease.renew_if_needed()
        got.append((by_uid[retrieved.uid], retrieved))
    return got


def _take_bodies(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], end: str | None
) -> None:
    """Whole messages at once. If the connection is cut, what came up to the first gap is kept.

    The session may give messages in another order than asked for, but the cursor may only move
    past what is decided without a gap.
    """
    got: dict[int, Retrieved] = {}
    cut: MailError | None = None
    try:
        for retrieved in session.messages([Wanted(r.uid or 0, r.size) for r in rows]):
            run.lease.renew_if_needed()
            got[retrieved.uid] = retrieved
    except MailError as error:
        cut = error
    leading = list(itertools.takewhile(lambda row: row.uid in got, rows))
    if leading:
        batch = Batch(new=leading)
        pairs = [(row, got[row.uid or 0]) for row in leading]
        take_retrieved(run.account, folder, _with_error_told(session, pairs, batch), batch)
        commit(run, batch, folder=folder, **_cursor(end, leading[-1]))
    if cut is not None:
        raise cut


def _take_headers(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], end: str | None
) -> None:
    batch = Batch(new=list(rows))
    _triage_headers(run, session, folder, rows, batch)
    commit(run, batch, folder=folder, **_cursor(end, rows[-1]))
    download_wanted(run, session, folder)


def _triage_headers(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], batch: Batch
) -> None:
    """Skipped and ignored rows are decided here; wanted ones wait without octets."""
    by_uid = {row.uid or 0: row for row in rows}
    got = []
    for header in session.headers(list(by_uid)):
        run.lease.renew_if_needed()
        got.append((by_uid[header.uid], header))
    seen = []
    for row, header in _with_error_told(session, got, batch):
        if header.error is None:
            seen.append((row, header))
        else:
            not_retrieved(row, header.error)
    around = Surroundings.of(run.account)
    readings = [read_header(header.octets) for _, header in seen]
    candidates = [Candidate(r, size=row.size) for r, (row, _) in zip(readings, seen, strict=True)]
    verdicts = judge_headers(around, folder, candidates)
    for (row, header), reading, verdict in zip(seen, readings, verdicts, strict=True):
        describe(row, reading, around.sender_of(reading))
        if verdict.outcome == Arrival.Outcome.OVERSIZED:
            _keep_part(session, row, header, batch)
        elif not verdict.downloads:
            decide(row, verdict.outcome, verdict.why)


def _keep_part(session: ImapSession, row: Arrival, header: Header, batch: Batch) -> None:
    """The row still waits: `process` files it with outcome oversized."""
    batch.keep_header(row, header.octets)
    try:
        row.structure = asdict(session.structure(row.uid or 0))
    except MessageError:
        row.structure = {}  # its parts are not known; its header is


def _with_error_told(
    session: ImapSession, got: Sequence[tuple[Arrival, Answer]], batch: Batch
) -> list[tuple[Arrival, Answer]]:
    """Without the messages that are gone: they leave the batch, and their rows are closed.

    A server may also answer NIL, or nothing, for a message that it goes on listing. That one was
    not given this time: it keeps its row, with the error, and holds up nothing.
    """
    missing = {row.uid or 0: row for row, answer in got if isinstance(answer.error, Gone)}
    if not missing:
        return list(got)
    session.noop()  # only now has the server told of what was expunged
    listed = set(session.uids(min(missing), max(missing)))
    gone = [row for uid, row in missing.items() if uid not in listed]
    batch.leave_out(gone)
    batch.gone += [row.pk for row in gone if row.pk is not None]
    left = {row.uid for row in gone}
    return [(row, answer) for row, answer in got if row.uid not in left]


def _cursor(end: str | None, last: Arrival) -> dict[str, int]:
    return {} if end is None or last.uid is None else {end: last.uid}
