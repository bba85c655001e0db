"""One batch of an IMAP folder into the ledger, together with the end of the cursor that it moves.

create = yes   bodies at once; an oversized message is a batch of its own, header and structure
create = no    whole headers decide (R9); wanted bodies follow as rows that wait for download
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from buzon.desk.reasons import reason
from buzon.intake.custody import Batch, commit, decide, describe
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.retrieved import not_here, take_retrieved
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.intake.window import is_history
from buzon.wire.errors import Gone, MailError, MessageError
from buzon.wire.imap import Header, ImapSession, Listed, Retrieved, Wanted
from buzon.wire.reading import read_header

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
    run: Run, session: ImapSession, folder: Folder, listed: list[Listed], *, end: str | None
) -> None:
    """A batch in the order of `listed`; `end` is the cursor's end that moves: low, high or none."""
    run.between_steps()
    rows = [_row(run.account, folder, m) for m in listed]
    if not run.account.create_customer:
        _take_headers(run, session, folder, rows, end)
    elif listed[0].size > run.account.max_message_bytes:
        _take_oversized(run, session, folder, rows, end)
    else:
        _take_bodies(run, session, folder, rows, end)
    run.totals.bytes = session.bytes_in


def download_wanted(run: Run, session: ImapSession, folder: Folder) -> None:
    """The bodies of rows that wait for download: matched by triage, or asked for by a person."""
    while rows := _next_wanted(folder):
        run.between_steps()
        batch = Batch(changed=rows)
        take_retrieved(run.account, folder, _retrieve(run, session, rows), batch)
        commit(run, batch)
        run.totals.bytes = session.bytes_in
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


def _retrieve(
    run: Run, session: ImapSession, rows: Sequence[Arrival]
) -> list[tuple[Arrival, Retrieved]]:
    by_uid = {row.uid: row for row in rows}
    got = []
    for retrieved in session.messages([Wanted(r.uid or 0, r.size) for r in rows]):
        run.lease.renew_if_needed()
        got.append((by_uid[retrieved.uid], retrieved))
    return got


def _row(account: CollectionAccount, folder: Folder, listed: Listed) -> Arrival:
    return Arrival(
        organization_id=account.organization_id,
        account_id=account.pk,
        folder_id=folder.pk,
        uidvalidity=folder.uidvalidity,
        uid=listed.uid,
        size=listed.size,
        internal_date=listed.internal_date,
        of_history=is_history(folder, uid=listed.uid, date=listed.internal_date),
    )


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
        batch = Batch()
        take_retrieved(run.account, folder, [(r, got[r.uid or 0]) for r in leading], batch)
        batch.new = [row for row in leading if row.gone_at is None]
        commit(run, batch, folder=folder, **_cursor(end, leading[-1]))
    if cut is not None:
        raise cut


def _take_headers(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], end: str | None
) -> None:
    by_uid = {row.uid or 0: row for row in rows}
    seen: list[tuple[Arrival, Header]] = []
    for header in session.headers(list(by_uid)):
        run.lease.renew_if_needed()
        if header.error is None:
            seen.append((by_uid[header.uid], header))
        else:
            not_here(by_uid[header.uid], header.error)
    batch = Batch(new=[row for row in rows if row.gone_at is None])
    _triage(run, session, folder, seen, batch)
    commit(run, batch, folder=folder, **_cursor(end, rows[-1]))
    download_wanted(run, session, folder)


def _triage(
    run: Run,
    session: ImapSession,
    folder: Folder,
    seen: Sequence[tuple[Arrival, Header]],
    batch: Batch,
) -> None:
    """Skipped and ignored rows are decided here; wanted ones wait without octets."""
    around = Surroundings.of(run.account)
    readings = [read_header(header.octets) for _, header in seen]
    candidates = [
        Candidate(reading, size=row.size) for reading, (row, _) in zip(readings, seen, strict=True)
    ]
    verdicts = judge_headers(around, folder, candidates)
    for (row, header), reading, verdict in zip(seen, readings, verdicts, strict=True):
        describe(row, reading, around.sender_of(reading))
        if verdict.outcome == "oversized":
            _keep_part(session, row, header, batch)
        elif not verdict.downloads:
            decide(row, verdict.outcome, verdict.why)


def _take_oversized(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], end: str | None
) -> None:
    """One message larger than the limit: judged by its header, kept as header and structure."""
    row = rows[0]
    batch = Batch(new=[row])
    try:
        header = session.header(row.uid or 0)
        _triage(run, session, folder, [(row, header)], batch)
    except Gone:
        batch = Batch()
    except MessageError as error:
        decide(row, Arrival.Outcome.FAILED, reason("not_retrieved", error=str(error)))
    commit(run, batch, folder=folder, **_cursor(end, row))


def _keep_part(session: ImapSession, row: Arrival, header: Header, batch: Batch) -> None:
    """The row still waits: `process` files it with outcome oversized."""
    batch.keep_header(row, header.octets)
    try:
        row.structure = asdict(session.structure(row.uid or 0))
    except MessageError:
        row.structure = {}  # its parts are not known; its header is


def _cursor(end: str | None, last: Arrival) -> dict[str, int]:
    return {} if end is None or last.uid is None else {end: last.uid}
