"""What becomes of a message right after its octets arrived, before they are in custody.

Mostly they are kept. Mail of ourselves or of blocked senders is not, nor a bounce that turns out to
be of no letter of ours: that is "not downloaded" where only the octets could tell.
"""

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from buzon.intake.custody import Batch, decide, describe, not_retrieved
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.screen import Verdict
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.wire.errors import Malformed, MessageError
from buzon.wire.reading import Reading, read, read_header, split_header
from buzon.wire.reading.received import received_date

_SMALL = 1_024  # octets, about which no server's arithmetic is doubted


class FromServer(Protocol):
    """What IMAP and POP3 sessions hand over for one message."""

    @property
    def octets(self) -> bytes | BinaryIO: ...
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
    whole: list[tuple[Arrival, bytes]] = []
    for row, message in got:
        octets = b"" if message.error else bytes_of(message.octets)
        error = message.error or _too_few(row, octets)
        if error is None:
            whole.append((row, octets))
        else:
            not_retrieved(row, error)
    readings = [read_header(split_header(octets)[0]) for _, octets in whole]
    candidates = [_candidate(row, r) for (row, _), r in zip(whole, readings, strict=True)]
    verdicts = judge_headers(around, folder, candidates)
    for (row, octets), reading, verdict in zip(whole, readings, verdicts, strict=True):
        describe(row, reading, around.sender_of(reading))
        if row.internal_date is None:
            row.internal_date = received_date(octets) or reading.date
        if verdict.outcome == "look":
            verdict = _look(around, folder, row, octets)
        _keep_or_leave(row, octets, verdict, batch)


def _too_few(row: Arrival, octets: bytes) -> MessageError | None:
    """An empty answer for a message that has octets is none; less than half is doubted once.

    Servers are wrong about sizes, by their line ends mostly, so the second time the octets are
    believed. What is not believed is never filed, and so never removed from the server.
    """
    is_short = 2 * len(octets) + _SMALL < row.size
    if (octets or not row.size) and not (is_short and not row.attempts):
        return None
    return Malformed(
        "The server gave {got} of the {size} octets of this message.",
        got=len(octets),
        size=row.size,
    )


def bytes_of(octets: bytes | BinaryIO) -> bytes:
    """All of it in memory: the database takes a message in one piece."""
    if isinstance(octets, bytes):
        return octets
    with octets:
        octets.seek(0)
        return octets.read()


def _candidate(row: Arrival, reading: Reading, *, whole: bool = False) -> Candidate:
    # The octets are here already: their size no longer speaks against them.
    return Candidate(reading, size=0, asked_by_person=row.asked_by_person, whole=whole)


def _look(around: Surroundings, folder: Folder, row: Arrival, octets: bytes) -> Verdict:
    candidate = _candidate(row, read(octets), whole=True)
    return judge_headers(around, folder, [candidate])[0]


def _keep_or_leave(row: Arrival, octets: bytes, verdict: Verdict, batch: Batch) -> None:
    if verdict.outcome == "filed":
        row.outcome = Arrival.Outcome.WAITING
        row.reason = {}
        row.retry_at = None
        batch.keep(row, octets)
    else:
        decide(row, verdict.outcome, verdict.why)
