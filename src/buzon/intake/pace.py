"""How fast a first download goes, and how long it still takes, from looks at how far it was.

A look is [seconds of work so far, messages left, octets left]. It is kept with its folder (`pace`),
so that every process and the run after a restart can tell; the seconds are those of runs alone, so
that a night without a server does not make the rest look endless. Looks of the last minute count.

    time of a stretch = share * its part of the messages + (1 - share) * its part of the octets

Some servers take their time for each message, others for each octet, and letters of long ago may be
smaller than those of today: each alone would promise too much or too little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

OVER = 60.0  # seconds that are looked back
LEAST = 1.5  # seconds of work that tell anything
DOUBT = 0.01  # how much stretches must differ, squared and summed, before their times are believed

Look = Sequence[float]


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages and octets in a second; `left`: seconds for the rest, None where nothing moves."""

    messages: float
    octets: float
    left: float | None


def with_look(looks: Sequence[Look], *, at: float, messages: int, octets: int) -> list[list[float]]:
    """The looks with one more, without those that are too old to count; the one before counts,
    however long ago it was.
    """
    earlier = [list(look) for look in looks if look[0] < at]
    recent = [look for look in earlier if at - OVER <= look[0]]
    return [*(recent or earlier[-1:]), [round(at, 2), messages, octets]]


def together(folders: Iterable[Sequence[Look]]) -> list[Look]:
    """The looks at several folders as looks at all of them: those that were taken at one time."""
    by_time = [{look[0]: look for look in looks} for looks in folders]
    if not by_time:
        return []
    times = sorted(set.intersection(*(set(looks) for looks in by_time)))
    return [
        [at, sum(looks[at][1] for looks in by_time), sum(looks[at][2] for looks in by_time)]
        for at in times
    ]


def pace_of(looks: Sequence[Look]) -> Pace | None:
    """None where the looks are too few to tell anything."""
    if len(looks) < 2 or looks[-1][0] - looks[0][0] < LEAST:
        return None
    seconds, messages, octets = _between(looks[0], looks[-1])
    return Pace(max(messages, 0) / seconds, max(octets, 0) / seconds, _left(looks))


def _between(earlier: Look, later: Look) -> tuple[float, float, float]:
    """Seconds, messages and octets of a stretch."""
    return later[0] - earlier[0], earlier[1] - later[1], earlier[2] - later[2]


def _left(looks: Sequence[Look]) -> float | None:
    """The rest of the messages and of the octets, each in its share of the time so far."""
    seconds, messages, octets = _between(looks[0], looks[-1])
    if messages <= 0:
        return None
    by_messages = seconds * looks[-1][1] / messages
    by_octets = seconds * looks[-1][2] / octets if octets > 0 else by_messages
    share = _share(looks)
    return share * by_messages + (1 - share) * by_octets


def _share(looks: Sequence[Look]) -> float:
    """Which part of the time goes by messages, the rest by octets: the one, 0 to 1, with which the
    stretches between the looks fit best. Stretches that are alike tell little; then it is a half.
    """
    seconds, messages, octets = _between(looks[0], looks[-1])
    if octets <= 0:
        return 1.0
    by, of = DOUBT * 0.5, DOUBT
    stretches = len(looks) - 1
    for time, some, size in starmap(_between, pairwise(looks)):
        by_octets = size / octets
        apart = some / messages - by_octets
        by += (time / seconds - by_octets) * apart * stretches**2
        of += apart**2 * stretches**2
    return min(max(by / of, 0.0), 1.0)
