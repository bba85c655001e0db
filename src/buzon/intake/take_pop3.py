"""The rows that wait for download, over POP3: triage by TOP where a header decides, then RETR.

start from a date:  all of the history is judged first, so that it is known how much there is
create = no:        many headers, then the bodies that they let in, and the next headers
no TOP:             the whole message is retrieved to decide, and thrown away if skipped

If the connection is cut, what came is committed, headers as well as bodies. The rest are suspects:
they are asked for last, each alone, and one at which it is cut again has failed.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from buzon.desk.reasons import reason
from buzon.intake.ahead import Ahead, Upcoming
from buzon.intake.batches import within
from buzon.intake.compare_pop3 import is_outside, leave_outside
from buzon.intake.custody import Batch, commit, decide, describe, not_retrieved, suspect
from buzon.intake.given import Came, Given
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.named_at_last import known_before
from buzon.intake.retrieved import take_retrieved
from buzon.intake.run import Run
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, is_decided_by_header, judge_headers
from buzon.wire.errors import MailError, NotPermitted
from buzon.wire.pop3 import Listing, Pop3Session, Top
from buzon.wire.reading import read_header
from buzon.wire.reading.received import received_date


def take_waiting(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    named: Mapping[str, Listing],
    *,
    ends: float,
) -> bool:
    """Everything that this session can name, newest first; False where the time was not enough."""
    return _Taking(run, session, folder, named, ends).all_of_it()


@dataclass(slots=True)
class _Heads:
    """The headers that came, in the order asked; `cut` is the error that ended it early."""

    got: list[tuple[Arrival, Top]] = field(default_factory=list)
    cut: MailError | None = None


@dataclass(slots=True)
class _Taking:
    """One session's work on the waiting rows."""

    run: Run
    session: Pop3Session
    folder: Folder
    named: Mapping[str, Listing]
    ends: float

    def all_of_it(self) -> bool:
        to_judge, ready = self._waiting()
        dated = self.run.account.start == CollectionAccount.Start.DATE and bool(to_judge)
        later = [row for row in ready if dated and row.of_history]
        if not self._download([row for row in ready if not (dated and row.of_history)]):
            return False
        for rows in self._to_judge_together(to_judge):
            if monotonic() > self.ends:
                return False
            if not self._is_wanted_now(rows[0]) or self._is_held(rows[:1]):
                break
            with self.run.headers.measured(messages=len(rows), octets=0):
                let_in = self._judge(rows)
            if dated:
                later += let_in
            elif not self._download(let_in):
                return False
        return self._download(self._newest_first(later))

    def _waiting(self) -> tuple[list[Arrival], list[Arrival]]:
        """Rows that a header decides, and rows to download; those on the server, newest first."""
        waiting = Arrival.objects.filter(folder=self.folder).to_download()
        to_judge: list[Arrival] = []
        ready: list[Arrival] = []
        for row in self._newest_first([row for row in waiting if self._is_wanted_now(row)]):
            (to_judge if self._is_decided_by_header(row) else ready).append(row)
        return to_judge, ready

    def _is_wanted_now(self, row: Arrival) -> bool:
        """It is on the server, and not of a history that a person has paused."""
        paused = self.run.history_is_paused() and row.of_history and not row.asked_by_person
        return row.uidl in self.named and not paused

    def _is_held(self, batch: Sequence[Arrival]) -> bool:
        """Whether these are of a history of which the rest waits for another day."""
        return _is_history(batch[0]) and self.run.holds_history(sum(row.size for row in batch))

    def _is_decided_by_header(self, row: Arrival) -> bool:
        account = self.run.account
        dated = account.start == CollectionAccount.Start.DATE and row.of_history
        undated = dated and not row.header_digest and not row.asked_by_person
        return undated or is_decided_by_header(account, row)

    def _number(self, row: Arrival) -> int:
        return self.named[row.uidl or ""].number

    def _newest_first(self, rows: Sequence[Arrival]) -> list[Arrival]:
        """A server numbers its messages as they came."""
        return sorted(rows, key=lambda row: -self._number(row))

    # Triage.

    def _to_judge_together(self, rows: Sequence[Arrival]) -> Iterator[list[Arrival]]:
        """Suspects last and alone."""
        yield from within(self.run.headers, (row for row in rows if not row.attempts), lambda _: 0)
        yield from ([row] for row in rows if row.attempts)

    def _judge(self, rows: Sequence[Arrival]) -> list[Arrival]:
        """Decide what a header decides; returns the rows whose octets are wanted. Raises the error
        with which the connection was cut, when what came before it is committed.
        """
        self.run.before_batch()
        heads = self._tops(rows) if self.session.has_top else None
        if heads is None:
            return self._without_large(rows)
        self.run.received(self.session.bytes_in)
        batch = Batch(changed=list(rows))
        outside = self._triage(heads.got, batch)
        if heads.cut is not None:
            suspect(rows[len(heads.got) :], heads.cut)  # answers come in the order asked
        batch.leave_out(outside)
        commit(self.run, batch)
        leave_outside(self.run, self.folder, outside)
        if heads.cut is not None:
            raise heads.cut
        left = {id(row) for row in outside}
        return [row for row in rows if id(row) not in left and _waits_for_octets(row)]

    def _tops(self, rows: Sequence[Arrival]) -> "_Heads | None":
        """The headers; None where TOP, though offered, turns out not to work."""
        by_number = {self._number(row): row for row in rows}
        heads = _Heads()
        try:
            for top in self.session.headers(list(by_number)):
                self.run.lease.renew_if_needed()
                heads.got.append((by_number[top.number], top))
        except MailError as error:
            if isinstance(error, NotPermitted) and not self.session.has_top:
                return None
            heads.cut = error
        return heads

    def _triage(self, got: Sequence[tuple[Arrival, Top]], batch: Batch) -> list[Arrival]:
        """Sets what each header says of its row; returns those from before the window."""
        seen = []
        for row, top in got:
            if top.error is None:
                seen.append((row, top.octets))
            else:
                not_retrieved(row, top.error)
        around = Surroundings.of(self.run.account)
        readings = [read_header(octets) for _, octets in seen]
        pairs = zip(readings, seen, strict=True)
        candidates = [Candidate(reading, size=row.size) for reading, (row, _) in pairs]
        verdicts = judge_headers(around, self.folder, candidates)
        outside = []
        for (row, octets), reading, verdict in zip(seen, readings, verdicts, strict=True):
            row.attempts = 0  # it is no suspect any more
            describe(row, reading, around.sender_of(reading))
            row.internal_date = received_date(octets) or reading.date
            if is_outside(self.run.account, row):
                outside.append(row)
            elif verdict.outcome == Arrival.Outcome.OVERSIZED:
                batch.keep_header(row, octets)
            elif not verdict.downloads:
                decide(row, verdict.outcome, verdict.why)
        return outside

    def _without_large(self, rows: Sequence[Arrival]) -> list[Arrival]:
        """Without TOP only the whole tells; one over the limit is not retrieved for that."""
        limit = self.run.account.max_message_bytes
        too_large = [row for row in rows if row.size > limit]
        for row in too_large:
            decide(row, Arrival.Outcome.OVERSIZED, reason("larger_than_limit_unseen"))
        commit(self.run, Batch(changed=too_large))
        return [row for row in rows if row.size <= limit]

    # Download.

    def _download(self, rows: Sequence[Arrival]) -> bool:
        """The octets of these rows, suspects last and alone; False where time was up first."""
        upcoming = Upcoming(self._allowed(rows))
        done, began = 0, monotonic()
        with Ahead(self.run, self.session, upcoming, self._fetch, ends=self.ends) as ahead:
            self._report(rows, done)
            while (taken := ahead.take()) is not None:
                batch, came = taken
                if came.cut is None:
                    ahead.go_on()
                self._keep(batch, came)
                self.run.process()
                done += len(batch)
                self._report(rows, done)
                octets = max(sum(row.size for row in batch), came.octets)
                self.run.bodies.took(monotonic() - began, messages=len(batch), octets=octets)
                del taken, batch, came  # while the next one comes, this one is not in memory
                began = monotonic()
        return upcoming.peek() is None

    def _report(self, rows: Sequence[Arrival], done: int) -> None:
        if done < len(rows):
            phase = "history" if rows[done].of_history else "new"
            self.run.report(phase, done, len(rows))

    def _allowed(self, rows: Sequence[Arrival]) -> Iterator[list[Arrival]]:
        for batch in self._batches(rows):
            if self._is_wanted_now(batch[0]) and not self._is_held(batch):
                yield batch

    def _batches(self, rows: Sequence[Arrival]) -> Iterator[list[Arrival]]:
        """What is new or asked for is not held up where history waits: no batch has of both."""
        fresh = [row for row in rows if not row.attempts]
        for _, some in itertools.groupby(fresh, _is_history):
            yield from within(self.run.bodies, some, lambda row: row.size)
        yield from ([row] for row in rows if row.attempts)

    def _fetch(self, rows: Sequence[Arrival]) -> Came:
        """In the fetching thread: of the rows it reads but the names."""
        came = Came()
        answers = self.session.messages([self.named[row.uidl or ""] for row in rows])
        came.take(((message.number, message) for message in answers), whole=True)
        came.octets_in = self.session.bytes_in
        return came

    def _keep(self, rows: Sequence[Arrival], came: Came) -> None:
        by_number = {self._number(row): row for row in rows}
        unseen = [row for row in rows if self._is_decided_by_header(row)]
        got = [(by_number[number], given) for number, given in came.got]
        with Batch(changed=list(rows), files=came.files) as batch:
            if came.cut is not None:
                suspect(rows[len(got) :], came.cut)  # answers come in the order asked
            keep(self.run, self.folder, got, unseen, batch)
        if came.cut is not None:
            raise came.cut


def keep(
    run: Run,
    folder: Folder,
    got: Sequence[tuple[Arrival, Given]],
    unseen: Sequence[Arrival],
    batch: Batch,
) -> None:
    """What was retrieved, into custody or not; `unseen`: rows of which no header told before."""
    known = known_before(run, folder, got)
    batch.leave_out(known)
    left = {id(row) for row in known}
    got = [(row, message) for row, message in got if id(row) not in left]
    take_retrieved(run.account, folder, got, batch)
    for row in unseen:
        if row.outcome in (Arrival.Outcome.SKIPPED, Arrival.Outcome.IGNORED):
            row.reason |= {"retrieved_to_decide": True}
    outside = [row for row, _ in got if is_outside(run.account, row) and not row.asked_by_person]
    batch.leave_out(outside)
    commit(run, batch)
    leave_outside(run, folder, outside)


def _is_history(row: Arrival) -> bool:
    return row.of_history and not row.asked_by_person


def _waits_for_octets(row: Arrival) -> bool:
    return row.outcome == Arrival.Outcome.WAITING and not row.header_sha256
