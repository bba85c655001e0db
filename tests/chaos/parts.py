"""The named parts: what is tried in each, and how often in a full run and in the subset.

A part turns a number into a trial, always the same one for the same number.
"""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.chaos import clocks, databases_that_fail, kills, loris, poison, renumbered, rivals
from tests.chaos.processes import Processes
from tests.chaos.trial import Trial, collect, hash_of, run, scene
from tests.servers.faults import LIES, Cut, Lie, Plan
from tests.servers.postgres import Postgres

Place = Path | str
PROTOCOLS, AFTERS = ("imap", "pop3"), ("leave", "delete")
CORNERS = tuple(itertools.product(PROTOCOLS, AFTERS, (True, False)))  # protocol, after, create


@dataclass(frozen=True, slots=True)
class Context:
    """Where trials run."""

    place: Place
    database: str
    processes: Processes
    cluster: Postgres | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`full` and `subset` are numbers of trials on each database; None: as many as there are, as
    `count` says. `real`: with processes and signals of their own. `of_the_wire`: what a server does
    reaches both databases the same way, so PostgreSQL's subset is a fifth of that.
    """

    name: str
    what: str
    trial: Callable[[Context, int], list[str]]
    full: int | None
    subset: int
    real: bool = False
    of_the_wire: bool = False
    count: Callable[[Context], int] | None = None

    def in_subset(self, database: str) -> list[int]:
        """The numbers of its trials."""
        numbers = range(self.subset)
        if not self.of_the_wire or database == "sqlite":
            return list(numbers)
        return sorted(random.Random(self.name).sample(numbers, self.subset // 5))

    def all(self, context: Context) -> list[int]:
        """Those of a full run."""
        if self.full is not None:
            return list(range(self.full))
        assert self.count is not None
        return list(range(self.count(context)))


def _corner(part: str, number: int, plan: Plan | None = None, **fields: Any) -> Trial:
    protocol, after, create = CORNERS[number % len(CORNERS)]
    fields = {"protocol": protocol, "after": after, "create": create} | fields
    return Trial(part=part, number=number, plan=plan or Plan(), **fields)


# --- killed at every step

_steps: dict[tuple[str, str, bool], int] = {}


def _step_numbers(context: Context) -> list[tuple[tuple[str, str, bool], int]]:
    for corner in CORNERS:
        if corner not in _steps:
            _steps[corner] = kills.steps_of(_at(corner), context.place, context.processes)
    return [(corner, step) for corner in CORNERS for step in range(1, _steps[corner] + 1)]


def _at(corner: tuple[str, str, bool]) -> Trial:
    protocol, after, create = corner
    return Trial(part="kill", number=0, protocol=protocol, after=after, create=create, plan=Plan())


def _killed(context: Context, number: int) -> list[str]:
    numbers = _step_numbers(context)
    # Spread over all corners, so that a subset sees each of them.
    corner, step = numbers[number * 37 % len(numbers)] if len(numbers) % 37 else numbers[number]
    return kills.killed_at(step, _at(corner), context.place, context.processes)


def _killed_somewhere(context: Context, number: int) -> list[str]:
    trial = _corner("kill-random", number)
    return kills.killed_at_random(trial, context.place, context.processes)


# --- cut at any octet


_lengths: dict[tuple[str, str, bool], int] = {}


def _length(context: Context, trial: Trial) -> int:
    """About how many octets the server sends in an honest collection of such a trial."""
    corner = (trial.protocol, trial.after, trial.create)
    if corner not in _lengths:
        honest = replace(trial, part="cut-length", plan=Plan(cut_at=1 << 40))
        with scene(honest, context.place) as at:
            collect(at.account)
            _lengths[corner] = at.server.budget.sent
    return _lengths[corner]


def _cut(context: Context, number: int) -> list[str]:
    draw = random.Random(hash_of("cut", number))
    security = "tls" if draw.random() < 0.15 else "none"
    ways: Sequence[Cut] = ("fin", "rst", "tls") if security == "tls" else ("fin", "rst")
    trial = _corner("cut", number, security=security)
    cut_at = draw.randint(0, int(_length(context, trial) * 1.1))
    plan = Plan(cut_at=cut_at, cut_with=draw.choice(ways))
    if draw.random() < 0.02:
        plan = Plan(stall_at=cut_at)
    return run(replace(trial, plan=plan), context.place)


def _quit(context: Context, number: int) -> list[str]:
    lies = (
        Lie.QUIT_CUT_BEFORE,
        Lie.QUIT_CUT_AFTER,
        Lie.QUIT_REFUSED,
        Lie.DELE_CUT,
        Lie.DELE_REFUSED,
    )
    plan = Plan(
        lies=frozenset({lies[number % len(lies)]}), cut_with=("fin", "rst")[number // 5 % 2]
    )
    trial = _corner("quit", number, plan, protocol="pop3", after="delete")
    return run(trial, context.place)


# --- servers that lie


# What else a server may be, besides its lies.
_FACES: dict[str, tuple[dict[str, bool], ...]] = {
    "imap": ({}, {"uidplus": False, "move": False}, {"uidnext": False}, {"special_use": False}),
    "pop3": ({}, {"pipelining": False}, {"capa": False}),
}


def _plans(protocol: str) -> list[Plan]:
    """Every lie, a server that stalls, and one that says an octet at a time."""
    silent = [Plan(stall_at=at) for at in (0, 700, 4_000)]
    slow = [Plan(dribble=0.00001)]
    return [Plan(lies=frozenset({lie})) for lie in LIES[protocol]] + silent + slow


def _lied_to(context: Context, number: int) -> list[str]:
    """Every plan of each protocol in turn, twice, then drawn ones together with a cut."""
    protocol = PROTOCOLS[number % 2]
    index, plans = number // 2, _plans(protocol)
    draw = random.Random(hash_of("lie", number))
    if index < 2 * len(plans):
        plan = replace(plans[index % len(plans)], lie_from=draw.randint(1, 10))
    else:
        plan = Plan.seeded(hash_of("lie", number), protocol, cut_within=8_000)
    after = AFTERS[(index % len(plans) + index // len(plans)) % 2]
    options = draw.choice(_FACES[protocol])
    trial = _corner("lies", number, plan, protocol=protocol, after=after, options=options)
    return run(trial, context.place)


def _identified(context: Context, number: int) -> list[str]:
    """Servers that name messages badly, half of them for good; a third of the letters has no
    Message-ID of its own.
    """
    lies = (Lie.UIDL_ABSENT, Lie.UIDL_DOUBLED, Lie.UIDL_HOSTILE, Lie.UIDL_SAME, Lie.TOP_ABSENT)
    chosen = {lies[number % len(lies)]}
    if number % 3 == 0:
        chosen.add(Lie.TOP_ABSENT)
    plan = Plan(lies=frozenset(chosen))
    trial = _corner("identity", number, plan, protocol="pop3", letters=9, heals=number // 5 % 2 > 0)
    return run(trial, context.place)


PARTS = (
    Part(
        name="kill-steps", what="kill -9 at every step", trial=_killed, full=None, subset=40,
        real=True, count=lambda context: len(_step_numbers(context)),
    ),
    Part(
        name="kill-random", what="kill -9 at random moments", trial=_killed_somewhere,
        full=1_000, subset=10, real=True,
    ),
    Part(name="cut", what="connection cut at any octet", trial=_cut, full=5_000, subset=800,
         of_the_wire=True),
    Part(name="quit", what="POP3 cut between DELE and QUIT's answer", trial=_quit, full=500,
         subset=150, of_the_wire=True),
    Part(name="lies", what="lying server", trial=_lied_to, full=400, subset=170,
         of_the_wire=True),
    Part(name="identity", what="UIDL absent, doubled, hostile; Message-ID missing or shared",
         trial=_identified, full=1_000, subset=140, of_the_wire=True),
    Part(name="renumbered", what="UIDVALIDITY plans, UIDL plans", trial=renumbered.trial,
         full=900, subset=144, of_the_wire=True),
    Part(name="database", what="disk full, locked, restarted, connection dropped",
         trial=databases_that_fail.trial, full=None, subset=80,
         count=databases_that_fail.count),
    Part(name="rivals", what="two collectors; one stopped past its lease, then woken",
         trial=rivals.trial, full=1_000, subset=12, real=True),
    Part(name="clock", what="clock jumps", trial=clocks.trial, full=100, subset=20),
    Part(name="loris", what="slow-loris on a quarter of 40 accounts", trial=loris.trial, full=20,
         subset=1),
    Part(name="poison", what="poison: mail that no reader understands, 200 a trial",
         trial=poison.trial, full=None, subset=2, count=poison.count),
)  # fmt: skip
