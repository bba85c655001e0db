"""Fetching headers and messages: batches, several under way, every one of them accounted for.

small ──► batches of UIDs ──► stream ──► body: Retrieved
                                    ├──► no answer, command OK: Gone
                                    └──► command NO: each that is missing again, alone
big   ──► slices of one message ──► stream ──► spooled file
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from buzon.wire.errors import ConnectFailed, Gone, Malformed, MessageError, TooLarge
from buzon.wire.imap import refusal, slices, uid_set
from buzon.wire.imap.connection import Connection, Planned
from buzon.wire.imap.events import Fetched, Skipped, Status
from buzon.wire.imap.internal_date import internal_date
from buzon.wire.imap.tokens import octet_count
from buzon.wire.imap.values import Header, Retrieved, Wanted

HEADERS_AT_ONCE = 1_000
MESSAGES_AT_ONCE = 200
# What a header weighs in the window: more than nearly every header, so that 16 MiB are 4 batches.
HEADER_OCTETS = 4_096

_HEADER = b"UID FETCH %b (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])"
_MESSAGE = b"UID FETCH %b (UID INTERNALDATE BODY.PEEK[])"
_LOOK = Planned(b"NOOP", 0, ())


_Result = TypeVar("_Result")
_Held = TypeVar("_Held", Header, Retrieved)


def headers(connection: Connection, uids: Sequence[int], *, look: bool = False) -> Iterator[Header]:
    """One Header for each UID, in the server's order within a batch of 1,000.

    `look`: a NOOP goes with the last batch, so that it takes no round trip of its own.
    """
    plans = [
        Planned(_HEADER % line, HEADER_OCTETS * len(batch), batch)
        for batch, line in _batched((uid, HEADER_OCTETS) for uid in dict.fromkeys(uids))
    ]
    answered = _answered(connection, [*plans, *_looking(look=look)], _HEADER, _header)
    return _bounded(connection, answered, expected=HEADER_OCTETS * len(uids))


def messages(
    connection: Connection, wanted: Sequence[Wanted], *, look: bool = False
) -> Iterator[Retrieved]:
    """One Retrieved for each wanted message: the small ones in batches, with a NOOP behind them to
    `look`; then the big ones.
    """
    sizes = {one.uid: one.size for one in wanted}
    answers = _messages(connection, sizes, _looking(look=look))
    return _bounded(connection, answers, expected=sum(sizes.values()))


def _messages(
    connection: Connection, sizes: dict[int, int], last: Sequence[Planned]
) -> Iterator[Retrieved]:
    limits = connection.limits
    big = {uid: size for uid, size in sizes.items() if size > limits.spool_above}
    small = ((uid, size) for uid, size in sizes.items() if uid not in big)
    quarter = max(limits.window // 4, 1)
    plans = (
        Planned(_MESSAGE % line, sum(sizes[uid] for uid in batch), batch)
        for batch, line in _batched(small, most=MESSAGES_AT_ONCE, octets=quarter)
    )
    answered: Iterator[Retrieved | _Underestimated] = _answered(
        connection, itertools.chain(plans, last), _MESSAGE, _message
    )
    for one in answered:
        if isinstance(one, Retrieved):
            yield one
        else:
            big[one.uid] = one.size  # larger than it was said to be
    for uid, size in big.items():
        yield _big_message(connection, uid, size)


def _bounded(connection: Connection, answers: Iterator[_Held], *, expected: int) -> Iterator[_Held]:
    """The answers, as long as they are not far more octets in memory than were expected: a server
    may understate every size, and whoever asked may keep all of them until the last has come."""
    most = 4 * expected + connection.limits.together
    came = 0
    for answer in answers:
        came += len(answer.octets) if isinstance(answer.octets, bytes) else 0
        if came > most:
            connection.transport.close()
            raise ConnectFailed("The server sent a response larger than we accept.")
        yield answer


def _looking(*, look: bool) -> list[Planned]:
    return [_LOOK] if look else []


class _Underestimated:
    """A message whose octets were too many to hold, so that it has to come in slices."""

    def __init__(self, uid: int, size: int) -> None:
        self.uid = uid
        self.size = size


def _big_message(connection: Connection, uid: int, size: int) -> Retrieved:
    if size > connection.limits.message:
        return Retrieved(uid, b"", 0, None, _too_large(size))
    return slices.message_in_slices(connection, uid, size)


def _batched(
    weighed: Iterable[tuple[int, int]], *, most: int = HEADERS_AT_ONCE, octets: int = 2**62
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """(uid, octets) pairs as batches of UIDs with their sequence set, in the order given.

    A batch has `most` messages and `octets` octets at most, or a single message; its set fits
    into one command line (7,900 octets hold 718 UIDs that are not neighbours, so it may be cut).
    """
    batch: list[int] = []
    weight = 0
    for uid, size in weighed:
        if batch and (len(batch) >= most or weight + size > octets):
            yield from _lines(batch)
            batch, weight = [], 0
        batch.append(uid)
        weight += size
    yield from _lines(batch)


def _lines(batch: list[int]) -> Iterator[tuple[tuple[int, ...], bytes]]:
    lines = list(uid_set.written(batch))
    if len(lines) <= 1:
        return iter([(tuple(batch), line) for line in lines])
    cut = [
        (tuple(u for low, high in uid_set.read(line) for u in range(low, high + 1)), line)
        for line in lines
    ]
    return iter(cut)


def _answered(
    connection: Connection,
    plans: Iterable[Planned],
    command: bytes,
    make: Callable[[int, Fetched | MessageError], _Result | None],
) -> Iterator[_Result]:
    """Exactly one result for each UID of the plans; `make` says None to what is no answer."""
    again: list[int] = []
    missing: set[int] = set()
    for event in connection.stream(_expected(plans, missing)):
        if isinstance(event, Fetched):
            result = _awaited(event, missing, make)
            if result is not None:
                yield result
            continue
        left = [uid for uid in event.plan.uids if uid in missing]
        missing.difference_update(left)
        if event.status.kind == "OK" or len(event.plan.uids) == 1:
            yield from _results(left, event.status, make)
        else:
            refusal.heed(event.status)
            again += left
    if again:
        alone = [Planned(command % b"%d" % uid, 0, (uid,)) for uid in again]
        yield from _answered(connection, alone, command, make)


def _expected(plans: Iterable[Planned], missing: set[int]) -> Iterator[Planned]:
    for plan in plans:
        missing.update(plan.uids)
        yield plan


def _awaited(
    event: Fetched,
    missing: set[int],
    make: Callable[[int, Fetched | MessageError], _Result | None],
) -> _Result | None:
    uid = event.items.get("UID")
    if not isinstance(uid, int) or uid not in missing:
        return None
    result = make(uid, event)
    if result is not None:
        missing.discard(uid)
    return result


def _results(
    uids: list[int],
    status: Status,
    make: Callable[[int, Fetched | MessageError], _Result | None],
) -> Iterator[_Result]:
    """A result with an error for each UID that the finished command did not bring."""
    for uid in uids:
        result = make(uid, refusal.of_message(status))
        if result is not None:
            yield result


def _header(uid: int, answer: Fetched | MessageError) -> Header | None:
    if isinstance(answer, MessageError):
        return Header(uid, b"", 0, None, answer)
    octets = answer.items.get("BODY[HEADER]")
    size = octet_count(answer.items.get("RFC822.SIZE"))
    date = internal_date(answer.items.get("INTERNALDATE"))
    if isinstance(octets, bytes):
        return Header(uid, octets, size, date)
    error = _no_body(answer, "BODY[HEADER]")
    return None if error is None else Header(uid, b"", size, date, error)


def _message(uid: int, answer: Fetched | MessageError) -> Retrieved | _Underestimated | None:
    if isinstance(answer, MessageError):
        return Retrieved(uid, b"", 0, None, answer)
    octets = answer.items.get("BODY[]")
    date = internal_date(answer.items.get("INTERNALDATE"))
    if isinstance(octets, bytes):
        return Retrieved(uid, octets, len(octets), date)
    if isinstance(octets, Skipped):
        return _Underestimated(uid, octets.size)
    error = _no_body(answer, "BODY[]")
    return None if error is None else Retrieved(uid, b"", 0, date, error)


def _no_body(answer: Fetched, name: str) -> MessageError | None:
    """Why the answer has no octets; None when it is about something else (a changed flag)."""
    if answer.broken:
        return Malformed("The server's answer for this message makes no sense.")
    if name not in answer.items:
        return None
    octets = answer.items[name]
    if isinstance(octets, Skipped):
        return _too_large(octets.size)
    return Gone("The server no longer has the octets of this message.")


def _too_large(size: int) -> TooLarge:
    return TooLarge("The message has {size} octets, more than the limit.", size=size)
