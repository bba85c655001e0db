"""One batch of an IMAP folder into the ledger, together with the end of the cursor that it moves.

create = yes   bodies at once; an oversized message is a batch of its own, header and structure
create = no    whole headers decide (R9); wanted bodies follow as rows that wait for download

If the connection is cut, the batch is committed as it stands: what came is in custody, the rest are
rows that wait for download. One of those may be what the server stumbles over: they are asked for
last, each alone, and one at which the connection is cut again has failed, and holds up nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import groupby
from typing import TypeVar

from buzon.intake.batches import MOST_BODIES, within
from buzon.intake.custody import Batch, commit, decide, describe, not_retrieved, suspect
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


def batches(run: Run, listed: Sequence[Listed]) -> Iterator[list[Listed]]:
    """As large as the run's strides allow, by number, and where whole messages are fetched by
    octets too; of those that are too large only the header is fetched, each by itself.
    """
    if not run.account.create_customer:
        yield from within(run.headers, listed, lambda _: 0)
        return
    limit = run.account.max_message_bytes
    for oversized, some in groupby(listed, lambda one: one.size > limit):
        if oversized:
            yield from ([message] for message in some)
        else:
            yield from within(run.bodies, some, lambda message: message.size)


def measured(run: Run, batch: Sequence[Listed]) -> AbstractContextManager[None]:
    """Around everything that is done with one of these batches: the next is as large as fits."""
    stride = run.bodies if run.account.create_customer else run.headers
    return stride.measured(messages=len(batch), octets=octets_of(run, batch))


def octets_of(run: Run, batch: Sequence[Listed]) -> int:
    """What the batch brings for sure: of headers that are to decide nobody knows it before."""
    return sum(one.size for one in batch) if run.account.create_customer else 0


def take(
    run: Run, session: ImapSession, folder: Folder, listed: Sequence[Listed], *, end: str | None
) -> None:
    """A batch in the order of `listed`; `end` is the cursor's end that moves: low, high or none."""
    run.before_batch()
    rows = [_row(run.account, folder, m, end) for m in listed]
    by_header = is_decided_by_header(run.account, rows[0])
    fetch = _triage_headers if by_header else _fetch_bodies
    with Batch(new=rows) as batch:
        cut = fetch(run, session, folder, rows, batch)
        commit(run, batch, folder=folder, **_cursor(folder, end, listed))
    run.received(session.bytes_in)
    if cut is not None:
        raise cut
    if by_header:
        download_wanted(run, session, folder)


def _nothing() -> None:
    """Between two batches of which the caller measures the time of both."""


def download_wanted(
    run: Run, session: ImapSession, folder: Folder, *, between: Callable[[], None] = _nothing
) -> None:
    """The rows that wait for download: matched by triage, asked for by a person, tried again.

    `between` is called after each batch: there may be thousands, and new mail is not to wait.
    """
    while rows := _next_wanted(run, folder):
        run.before_batch()
        with run.bodies.measured(messages=len(rows), octets=sum(row.size for row in rows)):
            _download(run, session, folder, rows)
            run.process()
        between()


def _download(run: Run, session: ImapSession, folder: Folder, rows: list[Arrival]) -> None:
    unjudged = [row for row in rows if is_decided_by_header(run.account, row)]
    fetch = _triage_headers if unjudged else _fetch_bodies
    with Batch(changed=unjudged or rows) as batch:
        cut = fetch(run, session, folder, batch.changed, batch)
        commit(run, batch)
    run.received(session.bytes_in)
    if cut is not None:
        raise cut


def _next_wanted(run: Run, folder: Folder) -> list[Arrival]:
    """The newest that wait, as many as fit into a batch, at least one; suspects last and alone."""
    rows = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity).to_download()
    if run.history_is_paused() or run.holds_history(0):
        rows = rows.exclude(of_history=True, asked_by_person=False)
    waiting = list(rows.order_by("attempts", "-uid")[:MOST_BODIES])
    fresh = (row for row in waiting if not row.attempts)
    return next(within(run.bodies, fresh, lambda row: row.size), waiting[:1])


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
        listed_size=listed.size,
        internal_date=listed.internal_date,
        of_history=of_history,
    )


def _fetch_bodies(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], batch: Batch
) -> MailError | None:
    """Whole messages into the batch; the error where the connection was cut before the last."""
    answers = session.messages([Wanted(row.uid or 0, row.size) for row in rows])
    got, cut = _gathered(run, answers, rows, batch)
    if cut is None:
        got = _with_error_told(session, got, batch)
    take_retrieved(run.account, folder, got, batch)
    return cut


def _triage_headers(
    run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival], batch: Batch
) -> MailError | None:
    """Skipped and ignored rows are decided here; wanted ones wait without octets."""
    got, cut = _gathered(run, session.headers([row.uid or 0 for row in rows]), rows, batch)
    if cut is None:
        got = _with_error_told(session, got, batch)
    seen = []
    for row, header in got:
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
            if cut is None:  # else it is judged again, by a session that can tell its structure
                _keep_part(session, row, header, batch)
        elif not verdict.downloads:
            decide(row, verdict.outcome, verdict.why)
    return cut


def _gathered(
    run: Run, answers: Iterator[Answer], rows: Sequence[Arrival], batch: Batch
) -> tuple[list[tuple[Arrival, Answer]], MailError | None]:
    """What came of these rows, and the error that ended it before the last.

    After that error the session can tell nothing more: a message that was not given then waits.
    """
    by_uid = {row.uid: row for row in rows}
    got: list[tuple[Arrival, Answer]] = []
    try:
        for answer in answers:
            batch.owns(answer.octets)
            run.lease.renew_if_needed()
            got.append((by_uid[answer.uid], answer))
    except MailError as cut:
        got = [(row, answer) for row, answer in got if answer.error is None]
        came = {row.uid for row, _ in got}
        suspect([row for row in rows if row.uid not in came], cut)
        return got, cut
    return got, None


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


def _cursor(folder: Folder, end: str | None, listed: Sequence[Listed]) -> dict[str, int]:
    if end is None:
        return {}
    moved = {end: listed[-1].uid}
    if end == "low":
        moved["to_come"] = max(folder.to_come - len(listed), 0)
        come = sum(message.size for message in listed)
        moved["octets_to_come"] = max(folder.octets_to_come - come, 0)
    return moved
