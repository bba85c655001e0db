"""What becomes of a message right after its octets arrived, before they are in custody.

Mostly they are kept. Mail of ourselves or of blocked senders is not, nor a bounce that turns out to
be of no letter of ours: that is "not downloaded" where only the octets could tell.
"""

from collections.abc import Sequence

from buzon.intake import vault
from buzon.intake.custody import Batch, decide, describe, not_retrieved
from buzon.intake.given import Given
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.screen import Verdict
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.wire.errors import Malformed, MessageError
from buzon.wire.reading import Opened, Reading, read
from buzon.wire.reading.header import bounds
from buzon.wire.reading.received import received_date

_LINE_END = 2  # octets, which POP3 adds to what has none (RFC 1939 §3)
_SMALL = 1_024  # octets, about which no server's arithmetic is doubted
_BEGINNING = 65_536  # octets, which hold nearly every header


def take_retrieved(
    account: CollectionAccount,
    folder: Folder,
    got: Sequence[tuple[Arrival, Given]],
    batch: Batch,
) -> None:
    """Judge each message, and put what is to be kept into the batch; every row is changed."""
    around = Surroundings.of(account)
    whole: list[tuple[Arrival, vault.Packed]] = []
    for row, message in got:
        error = message.error or _too_few(row, vault.size_of(message.octets))
        if error is None:
            whole.append((row, message.packed or vault.pack(message.octets)))
        else:
            not_retrieved(row, error)
    opened = [_opened(packed.octets) for _, packed in whole]
    readings = [one.header() for one in opened]
    candidates = [_candidate(row, r) for (row, _), r in zip(whole, readings, strict=True)]
    verdicts = judge_headers(around, folder, candidates)
    judged = zip(whole, opened, readings, verdicts, strict=True)
    for (row, packed), letter, reading, verdict in judged:
        describe(row, reading, around.sender_of(reading))
        if row.internal_date is None:
            row.internal_date = received_date(header_of(packed.octets)) or reading.date
        if verdict.outcome == "look":
            verdict = _look(around, folder, row, packed.octets)
        _keep_or_leave(row, packed, letter, verdict, batch)


def _too_few(row: Arrival, size: int) -> MessageError | None:
    """An empty answer, or a mere line end, for a message that has octets is none; less than half
    is doubted once.

    Servers are wrong about sizes, so the second time the octets are believed: filed, but never
    removed from the server (`_is_as_long_as_listed`).
    """
    is_empty = size == 0 < row.size or size <= _LINE_END < row.size
    is_short = 2 * size + _SMALL < row.size
    if not is_empty and (row.attempts or not is_short):
        return None
    return Malformed(
        "The server gave {got} of the {size} octets of this message.",
        got=size,
        size=row.size,
    )


def _is_as_long_as_listed(octets: vault.Octets, listed: int) -> bool:
    """Whether these can be all the octets of a message that was listed with so many.

    They differ by line ends: some servers count each as one octet, or those of them that they
    store so; others count two, and give a bare LF as it is. That there is nothing at all is filed
    where the server says so, and not believed.
    """
    size = vault.size_of(octets)
    if size == listed:
        return size > 0
    lines, bare = vault.line_ends(octets)
    return size - lines <= listed < size or listed == size + bare


def _opened(octets: vault.Octets) -> Opened:
    """A file's header alone: the whole of it is not read before it is in custody."""
    return Opened(octets if isinstance(octets, bytes) else header_of(octets))


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


def _keep_or_leave(
    row: Arrival, packed: vault.Packed, letter: Opened, verdict: Verdict, batch: Batch
) -> None:
    if verdict.outcome == "filed":
        row.outcome = Arrival.Outcome.WAITING
        row.reason = {}
        row.retry_at = None
        row.listed_size = row.size
        whole = _is_as_long_as_listed(packed.octets, row.size)
        row.left_because = "" if whole else Arrival.Left.SIZE
        batch.keep(row, packed)
        if isinstance(packed.octets, bytes):
            batch.opened[packed.sha256] = letter
    else:
        decide(row, verdict.outcome, verdict.why)
