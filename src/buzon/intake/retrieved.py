"""What becomes of a message right after its octets arrived, before they are in custody.

Mostly they are kept. Mail of ourselves or of blocked senders is not, nor a bounce that turns out to
be of no letter of ours: that is "not downloaded" where only the octets could tell.
"""

from collections.abc import Sequence
from typing import Protocol

from buzon.intake import vault
from buzon.intake.custody import Batch, decide, describe, not_retrieved
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.screen import Verdict
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.wire.errors import Malformed, MessageError
from buzon.wire.reading import Reading, read, read_header
from buzon.wire.reading.header import bounds
from buzon.wire.reading.received import received_date

_SMALL = 1_024  # octets, about which no server's arithmetic is doubted
_BEGINNING = 65_536  # octets, which hold nearly every header


class FromServer(Protocol):
    """What IMAP and POP3 sessions hand over for one message."""

    @property
    def octets(self) -> vault.Octets: ...
    @property
    def error(self) -> MessageError | None: ...


def take_retrieved(
    account: CollectionAccount,
    folder: Folder,
    got: Sequence[tuple[Arrival, FromServer]],
    batch: Batch,
) -> None:
    """Judge each message, and put what is to be kept into the batch; every row is changed."""
    around = Surroundings.of(account)
    whole: list[tuple[Arrival, vault.Octets]] = []
    for row, message in got:
        error = message.error or _too_few(row, vault.size_of(message.octets))
        if error is None:
            whole.append((row, message.octets))
        else:
            not_retrieved(row, error)
    headers = [header_of(octets) for _, octets in whole]
    readings = [read_header(header) for header in headers]
    candidates = [_candidate(row, r) for (row, _), r in zip(whole, readings, strict=True)]
    verdicts = judge_headers(around, folder, candidates)
    judged = zip(whole, headers, readings, verdicts, strict=True)
    for (row, octets), header, reading, verdict in judged:
        describe(row, reading, around.sender_of(reading))
        if row.internal_date is None:
            row.internal_date = received_date(header) or reading.date
        if verdict.outcome == "look":
            verdict = _look(around, folder, row, octets)
        _keep_or_leave(row, octets, verdict, batch)


def _too_few(row: Arrival, size: int) -> MessageError | None:
    """An empty answer for a message that has octets is none; less than half is doubted once.

    Servers are wrong about sizes, by their line ends mostly, so the second time the octets are
    believed. What is not believed is never filed, and so never removed from the server.
    """
    is_short = 2 * size + _SMALL < row.size
    if (size or not row.size) and not (is_short and not row.attempts):
        return None
    return Malformed(
        "The server gave {got} of the {size} octets of this message.",
        got=size,
        size=row.size,
    )


def header_of(octets: vault.Octets) -> bytes:
    """Of a file no more is read than it takes, which for nearly every message is its beginning."""
    if isinstance(octets, bytes):
        return octets[: bounds(octets)[0]]
    size = _BEGINNING
    while True:
        octets.seek(0)
        beginning = octets.read(size)
        end, body = bounds(beginning)
        if body < len(beginning) or len(beginning) < size:
            return beginning[:end]
        size *= 4


def _candidate(row: Arrival, reading: Reading, *, whole: bool = False) -> Candidate:
    # The octets are here already: their size no longer speaks against them.
    return Candidate(reading, size=0, asked_by_person=row.asked_by_person, whole=whole)


def _look(around: Surroundings, folder: Folder, row: Arrival, octets: vault.Octets) -> Verdict:
    candidate = _candidate(row, read(vault.whole(octets)), whole=True)
    return judge_headers(around, folder, [candidate])[0]


def _keep_or_leave(row: Arrival, octets: vault.Octets, verdict: Verdict, batch: Batch) -> None:
    if verdict.outcome == "filed":
        row.outcome = Arrival.Outcome.WAITING
        row.reason = {}
        row.retry_at = None
        batch.keep(row, octets)
    else:
        decide(row, verdict.outcome, verdict.why)
