"""Which UIDs there are: SEARCH, ESEARCH, and the ranges of a FETCH."""

from array import array
from collections.abc import Collection, Iterable

from buzon.wire.imap import uid_set
from buzon.wire.imap.connection import Answer, Connection
from buzon.wire.imap.events import Fetched, Found
from buzon.wire.imap.tokens import number
from buzon.wire.imap.values import Changed

# A UID of ten digits and a blank.
NUMBER_OCTETS = 11
# Runs of UIDs that an ESEARCH answer may have; with more, plain numbers are the smaller answer.
MOST_RUNS = 100_000


def span(first: int, last: int | None) -> bytes:
    """`first:last` as a sequence set, `first:*` when `last` is None. ValueError for no UID."""
    ends = (first,) if last is None else (first, last)
    if not all(0 < end <= uid_set.LARGEST for end in ends):
        raise ValueError(f"no range of UIDs: {first} to {last}")
    return b"%d:*" % first if last is None else b"%d:%d" % (first, last)


def within(uid: int, first: int, last: int | None) -> bool:
    """Whether the server answered what was asked: `first:*` names the last message in any case."""
    return uid >= first and (last is None or uid <= last)


def uids(
    connection: Connection, capabilities: Collection[str], first: int, last: int | None
) -> "array[int]":
    """The UIDs that exist from `first` to `last`, sorted, each once."""
    most = min(connection.exists, connection.limits.messages)
    if "ESEARCH" in capabilities:
        # Ranges instead of every number: a few octets for a folder of a million messages.
        answer = connection.run(b"UID SEARCH RETURN (ALL) UID " + span(first, last))
        runs = _runs(answer)
        if runs is not None and sum(high - low + 1 for low, high in runs) <= most:
            return _sorted((uid for low, high in runs for uid in range(low, high + 1)), first, last)
        # More than there are messages: this server's ranges span gaps, so it is asked for each.
    answer = connection.run(b"UID SEARCH UID " + span(first, last), octets=NUMBER_OCTETS * most)
    found = (uid for e in answer.events if isinstance(e, Found) for uid in e.numbers)
    return _sorted(found, first, last)


def changed(uid: int, event: Fetched) -> Changed | None:
    """A FETCH response to CHANGEDSINCE; None when it lacks FLAGS or MODSEQ."""
    match event.items:
        case {"FLAGS": list() as flags, "MODSEQ": [modseq]}:
            words = frozenset(f.decode("utf-8", "replace") for f in flags if isinstance(f, bytes))
            return Changed(uid, words, number(modseq) or 0)
    return None


def _sorted(found: Iterable[int], first: int, last: int | None) -> "array[int]":
    return array("I", sorted({uid for uid in found if within(uid, first, last)}))


def _runs(answer: Answer) -> list[tuple[int, int]] | None:
    """What ESEARCH answers behind ALL (RFC 4731); [] for nothing, None when it makes no sense."""
    said = next(answer.data("ESEARCH"), None)
    if said is None:
        return None
    words = [word.upper() if isinstance(word, bytes) else b"" for word in said.values]
    if b"ALL" not in words:
        return []
    place = words.index(b"ALL") + 1
    if place >= len(words) or words[place].count(b",") >= MOST_RUNS:
        return None
    try:
        return uid_set.read(words[place])
    except ValueError:
        return None
