"""Batches of an IMAP folder into the ledger, together with the end of the cursor that they move.

create = yes   bodies at once; an oversized message is a batch of its own, header and structure
create = no    whole headers decide (R9); wanted bodies follow as rows that wait for download

If the connection is cut, the batch is committed as it stands: what came is in custody, the rest are
rows that wait for download. One of those may be what the server stumbles over: they are asked for
last, each alone, and one at which the connection is cut again has failed, and holds up nothing.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from time import monotonic
from typing import Protocol

from buzon.desk.text import storable_data
from buzon.intake import vault
from buzon.intake.ahead import Ahead, Upcoming
from buzon.intake.batches import MOST_BODIES, within
from buzon.intake.custody import Batch, commit, decide, describe, not_retrieved, suspect
from buzon.intake.fetch_imap import Order, fetch
from buzon.intake.given import Came, Given
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.names import is_void
from buzon.intake.retrieved import take_retrieved
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, is_decided_by_header, judge_headers
from buzon.intake.window import is_history
from buzon.wire.errors import Gone, MailError, MessageError
from buzon.wire.imap import ImapSession, Listed, Wanted
from buzon.wire.reading import read_header


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


class Looking(Protocol):
    """Who decides between two batches whether to go on, and looks for new mail."""

    def allows(self, octets: int) -> bool:
        """Whether a batch of so many may be begun now."""
        ...

    def is_due(self, *, told: bool) -> bool:
        """Whether to look now; `told`: the server has said that there is new mail."""
        ...

    def look(self) -> bool:
        """While nothing is under way; False: what is left of the batches is not to be begun."""
        ...


class Orders(Upcoming["_Begun"]):
    """The messages of a listing as batches. `end` is the cursor's end that moves past them: low,
    high or none.
    """

    def __init__(
        self, run: Run, folder: Folder, listed: Sequence[Listed], *, end: str | None
    ) -> None:
        account = run.account
        super().__init__(_Begun.new(account, folder, m, end) for m in batches(run, listed))
        self.done = 0
        self._phase = {"low": "history", "high": "new"}.get(end or "", "")
        self._total = len(listed)

    def report(self, run: Run) -> None:
        """How far these are; found beside the cursor, they are no phase."""
        if self._phase and self.done < self._total:
            run.report(self._phase, self.done, self._total)


def take_all(
    run: Run,
    session: ImapSession,
    folder: Folder,
    orders: Orders,
    *,
    looking: Looking | None = None,
    ends: float = math.inf,
) -> bool:
    """All of these, unless `looking` or `ends` comes between; whether none is left."""
    began = monotonic()

    def allows(batch: "_Begun") -> bool:
        return looking is None or looking.allows(batch.octets_of(run))

    with Ahead(run, session, orders, partial(_fetch, session), allows=allows, ends=ends) as ahead:
        orders.report(run)
        while (taken := ahead.take()) is not None:
            batch, came = taken
            is_due = looking is not None and looking.is_due(told=came.is_more)
            if not (is_due or came.cut or batch.order.by_header):
                ahead.go_on()
            _keep(run, session, folder, batch, came)
            run.process()
            orders.done += len(batch.rows)
            orders.report(run)
            _measure(run, batch, came.octets, monotonic() - began)
            if looking is not None and is_due and not looking.look():
                break
            del taken, batch, came  # while the next one comes, this one is no longer in memory
            began = monotonic()
    return orders.peek() is None


def _fetch(session: ImapSession, batch: "_Begun") -> Came:
    return fetch(session, batch.order)


def _measure(run: Run, batch: "_Begun", octets: int, seconds: float) -> None:
    """The next batches are as large as fits; `octets` came, whatever was announced."""
    stride = run.bodies if run.account.create_customer else run.headers
    octets = max(octets, batch.octets_of(run)) if run.account.create_customer else 0
    stride.took(seconds, messages=len(batch.rows), octets=octets)


@dataclass(frozen=True, slots=True)
class _Begun:
    """An order, the rows that it is for, and the cursor's end that moves when they are stored."""

    order: Order
    rows: list[Arrival]
    is_new: bool = False
    end: str | None = None

    @classmethod
    def of(cls, account: CollectionAccount, rows: list[Arrival]) -> "_Begun":
        """Rows of the ledger; if any is to be decided by its header, those first."""
        unjudged = [row for row in rows if is_decided_by_header(account, row)]
        return cls(_order(unjudged or rows, by_header=bool(unjudged), look=False), unjudged or rows)

    @classmethod
    def new(
        cls, account: CollectionAccount, folder: Folder, listed: Sequence[Listed], end: str | None
    ) -> "_Begun":
        """Messages that have no row yet. As the first is decided, so are all of a batch."""
        rows = [_row(account, folder, each, end) for each in listed]
        order = _order(rows, by_header=is_decided_by_header(account, rows[0]), look=True)
        return cls(order, rows, is_new=True, end=end)

    def octets_of(self, run: Run) -> int:
        """What it brings for sure: of headers that are to decide nobody knows it before."""
        return sum(row.size for row in self.rows) if run.account.create_customer else 0

    def batch(self, came: Came) -> Batch:
        """All of it, to be stored."""
        if self.is_new:
            return Batch(new=self.rows, files=came.files)
        return Batch(changed=self.rows, files=came.files)


def _order(rows: Sequence[Arrival], *, by_header: bool, look: bool) -> Order:
    return Order([Wanted(row.uid or 0, row.size) for row in rows], by_header, look)


def _nothing() -> None:
    """Between two batches of which the caller measures the time of both."""


def download_wanted(
    run: Run, session: ImapSession, folder: Folder, *, between: Callable[[], None] = _nothing
) -> None:
    """The rows that wait for download: matched by triage, asked for by a person, tried again.

    `between` is called after each batch: there may be thousands, and new mail is not to wait.
    """
    waiting = iter(lambda: _next_wanted(run, folder), [])
    upcoming = Upcoming(_Begun.of(run.account, rows) for rows in waiting)
    began = monotonic()
    # What is next is only known when this batch is stored: none is begun ahead.
    with Ahead(run, session, upcoming, partial(_fetch, session)) as ahead:
        while (taken := ahead.take()) is not None:
            batch, came = taken
            _keep(run, session, folder, batch, came)
            run.process()
            octets = max(sum(row.size for row in batch.rows), came.octets)
            run.bodies.took(monotonic() - began, messages=len(batch.rows), octets=octets)
            del taken, batch, came
            between()
            began = monotonic()


def _keep(run: Run, session: ImapSession, folder: Folder, begun: _Begun, came: Came) -> None:
    """What came, into custody; raises the error with which the connection was cut before the last.

    After that error the session can tell nothing more: a message that was not given then waits.
    """
    with begun.batch(came) as batch:
        got = _given(begun.rows, came, batch)
        error = came.cut
        if begun.order.by_header:
            error = _triage(run, session, folder, got, batch, came.cut)
        else:
            take_retrieved(run.account, folder, got, batch)
        commit(run, batch, folder=folder, **_cursor(folder, begun))
    if error is not None:
        raise error
    if begun.order.by_header and begun.is_new:
        download_wanted(run, session, folder)


def _next_wanted(run: Run, folder: Folder) -> list[Arrival]:
    """The newest that wait, as many as fit into a batch, at least one; suspects last and alone."""
    if is_void(folder):
        return []
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


def _given(rows: Sequence[Arrival], came: Came, batch: Batch) -> list[tuple[Arrival, Given]]:
    """What came of these rows. Those of messages that are gone leave the batch, and are closed."""
    by_uid = {row.uid: row for row in rows}
    got = [(by_uid[uid], given) for uid, given in came.got]
    if came.cut is not None:
        got = [(row, given) for row, given in got if given.error is None]
        here = {row.uid for row, _ in got}
        suspect([row for row in rows if row.uid not in here], came.cut)
        return got
    lost = [row for row, given in got if isinstance(given.error, Gone)]
    gone = [row for row in lost if row.uid not in came.still_listed]
    batch.leave_out(gone)
    batch.gone += [row.pk for row in gone if row.pk is not None]
    left = {row.uid for row in gone}
    return [(row, given) for row, given in got if row.uid not in left]


def _triage(
    run: Run,
    session: ImapSession,
    folder: Folder,
    got: Sequence[tuple[Arrival, Given]],
    batch: Batch,
    cut: MailError | None,
) -> MailError | None:
    """Skipped and ignored rows are decided here; wanted ones wait without octets. Returns the error
    after which the session can tell nothing more.
    """
    seen = []
    for row, given in got:
        if given.error is None:
            seen.append((row, vault.whole(given.octets)))
        else:
            not_retrieved(row, given.error)
    around = Surroundings.of(run.account)
    readings = [read_header(header) for _, header in seen]
    candidates = [Candidate(r, size=row.size) for r, (row, _) in zip(readings, seen, strict=True)]
    verdicts = judge_headers(around, folder, candidates)
    for (row, header), reading, verdict in zip(seen, readings, verdicts, strict=True):
        describe(row, reading, around.sender_of(reading))
        if verdict.outcome == Arrival.Outcome.OVERSIZED:
            if cut is None:  # else it is judged again, by a session that can tell its structure
                cut = _keep_part(session, row, header, batch)
        elif not verdict.downloads:
            decide(row, verdict.outcome, verdict.why)
    return cut


def _keep_part(session: ImapSession, row: Arrival, header: bytes, batch: Batch) -> MailError | None:
    """The row still waits: `process` files it with outcome oversized. Returns the error with which
    the server refused to tell more; the message is kept all the same, and not asked about again.
    """
    batch.keep_header(row, header)
    row.structure = {}  # where its parts cannot be known; its header is
    try:
        row.structure = storable_data(asdict(session.structure(row.uid or 0)))
    except MessageError:
        return None
    except MailError as error:
        return error
    return None


def _cursor(folder: Folder, begun: _Begun) -> dict[str, int]:
    if begun.end is None:
        return {}
    last = begun.order.wanted[-1].uid
    if begun.end == "high":
        return {"high": last}
    octets = sum(one.size for one in begun.order.wanted)
    return {
        "low": last,
        "to_come": max(folder.to_come - len(begun.rows), 0),
        "octets_to_come": max(folder.octets_to_come - octets, 0),
    }
