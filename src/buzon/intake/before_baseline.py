"""After a renumbering: which of the messages without a row were there at the baseline (R4).

their internal date is before it            they were; a server that moves mail keeps its dates
a server that lost its dates, or has one    the topmost Received field, else the Date field, and no
for all of them                             more messages than are missing: the oldest first
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from buzon.intake.models import Arrival, Folder

SKEW = timedelta(minutes=10)  # of the server's clock beside ours
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Dated(Protocol):
    """One message of the new listing: its internal date, and what its header says."""

    @property
    def uid(self) -> int: ...
    @property
    def date(self) -> datetime | None: ...
    @property
    def sent(self) -> datetime | None: ...


def dates_of_history(
    folder: Folder,
    unknown: Sequence[Dated],
    known: Sequence[tuple[Arrival, Dated]],
    *,
    missing: int,
) -> dict[int, datetime | None]:
    """Of the `unknown` messages, those of before the baseline: by UID, when they came.

    `known` are the rows that were found again; so many of the history are `missing`.
    """
    if folder.baseline_at is None:
        return {}
    baseline = folder.baseline_at.replace(microsecond=0)  # servers tell whole seconds
    alike = _are_all_alike([*unknown, *(one for _, one in known)])
    told = [] if alike else [one for one in unknown if one.date and one.date < baseline]
    found = {one.uid: one.date for one in told}
    kept = not alike and _were_kept(known)
    doubtful = []
    for one in unknown:
        when = one.date if kept else one.sent
        latest = baseline + (SKEW if kept else timedelta(0))
        if one.uid not in found and (when is None or when <= latest):
            doubtful.append((when or _LONG_AGO, one.uid, when))
    left = max(missing - len(found), 0)
    return found | {uid: when for _, uid, when in sorted(doubtful, key=_first_two)[:left]}


def _first_two(one: tuple[datetime, int, datetime | None]) -> tuple[datetime, int]:
    return one[:2]


def _are_all_alike(messages: Iterable[Dated]) -> bool:
    dates = [one.date for one in messages]
    return len(dates) > 1 and len(set(dates)) == 1


def _were_kept(known: Sequence[tuple[Arrival, Dated]]) -> bool:
    """Whether the dates are those that the rows had; where no row was found, nobody can tell."""
    return sum(row.internal_date == one.date for row, one in known) * 2 > len(known)
