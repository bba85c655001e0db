"""The bars: what each part has to reach, as it was decided before it was measured.

A bar compares medians of one part. Those of rates are ratios, because machines differ: what counts
is the other program in the same run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.results import Runs

Figure = Callable[[Runs], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`says` what is measured; the figure has to be at least, or at most, so much."""

    part: str
    says: str
    figure: Figure
    least: float | None = None
    most: float | None = None

    def is_reached(self, figure: float) -> bool:
        return (self.least is None or figure >= self.least) and (
            self.most is None or figure <= self.most
        )

    @property
    def limit(self) -> str:
        """As it is told: "at least 2"."""
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"

    def line(self, runs: Runs) -> str:
        """The figure beside the bar."""
        figure, bar = self.figure(runs), self.limit
        if figure is None:
            return f"    {self.says:74}{'-':>8}  {bar:16} not measured"
        verdict = "reached" if self.is_reached(figure) else "MISSED"
        return f"    {self.says:74}{figure:>8.2f}  {bar:16} {verdict}"


def times(program: str, other: str) -> Figure:
    """How many times as fast."""

    def figure(runs: Runs) -> float | None:
        mine, its = runs.rate(program), runs.rate(other)
        return mine / its if mine and its else None

    return figure


def seconds(program: str) -> Figure:
    """For all of it."""
    return lambda runs: runs.seconds(program)


def received(program: str) -> Figure:
    """Octets that came, as a part of the mail's."""
    return lambda runs: runs.received_share(program)


def megabytes(program: str) -> Figure:
    """Of memory, at most."""

    def figure(runs: Runs) -> float | None:
        memory = runs.memory(program)
        return memory / 1e6 if memory else None

    return figure


def memory_times(program: str, other: str) -> Figure:
    """How many times as much memory."""

    def figure(runs: Runs) -> float | None:
        mine, its = runs.memory(program), runs.memory(other)
        return mine / its if mine and its else None

    return figure


def above_idle(program: str, idle: str) -> Figure:
    """Memory above that of an idle collection, in messages."""

    def figure(runs: Runs) -> float | None:
        most, least = runs.memory(program), runs.memory(idle)
        octets = runs.octets_of_one(program)
        return (most - least) / octets if most and least and octets else None

    return figure


FEW_STORED, MANY_STORED = 20_000, 500_000


def kept(program: str) -> Figure:
    """The rate with many messages stored, of that with few."""

    def figure(runs: Runs) -> float | None:
        few, many = (runs.rate_at(program, stored) for stored in (FEW_STORED, MANY_STORED))
        return many / few if few and many else None

    return figure


OURS, ON_POSTGRESQL = "buzon, SQLite", "buzon, PostgreSQL"


def _rate(part: str, mine: str, its: str, least: float) -> Bar:
    says = f"{mine}: times as fast as {its}"
    return Bar(part=part, says=says, figure=times(mine, its), least=least)


BARS = (
    _rate("custody", OURS, "mbsync", 2.0),
    _rate("custody", ON_POSTGRESQL, "mbsync", 1.0),
    _rate("whole", OURS, "mbsync", 1.2),
    _rate("whole", ON_POSTGRESQL, "mbsync", 0.8),
    _rate("whole", OURS, "getmail6", 10.0),
    _rate("whole", OURS, "django-mailbox", 10.0),
    _rate("whole", OURS, "django-helpdesk", 25.0),
    Bar(part="words", says=f"{ON_POSTGRESQL}: seconds until all words are found",
        figure=seconds(ON_POSTGRESQL), most=60),
    _rate("pop3", OURS, "mpop", 1.0),
    _rate("tls", "buzon over TLS", "buzon in the clear", 0.7),
    _rate("far", OURS, "mbsync", 1.2),
    _rate("far", OURS, "getmail6", 80.0),
    _rate("far", OURS, "django-mailbox", 120.0),
    _rate("triage", "create = no, first look", "create = yes, first look", 3.0),
    _rate("triage", "create = no, looked before", "create = yes, looked before", 8.0),
    *(
        Bar(
            part="triage", says=f"{name}: octets that came, of the mail's",
            figure=received(name), most=0.12,
        )
        for name in ("create = no, first look", "create = no, looked before")
    ),
    *(
        Bar(part="memory", says=f"{database}, 62 KB each: MB at most",
            figure=megabytes(f"{database}, 62 KB each"), most=400)
        for database in ("SQLite", "PostgreSQL")
    ),
    *(
        Bar(part="memory", says=f"{database}: memory for many, of that for few",
            figure=memory_times(f"{database}, 2 KB, many", f"{database}, 2 KB, few"), most=1.1)
        for database in ("SQLite", "PostgreSQL")
    ),
    *(
        Bar(part="large", says=f"{server}, {after}: messages in memory above idle",
            figure=above_idle(f"{server}, {after}", f"{server}, none"), most=4)
        for server in ("IMAP, SQLite", "POP3, SQLite", "IMAP, PostgreSQL", "POP3, PostgreSQL")
        for after in ("leave", "delete")
    ),
    *(
        Bar(part=f"growth-{name.lower()}",
            says=f"{name}: rate at 500,000 stored, of that at 20,000",
            figure=kept(name), least=0.7)
        for name in ("SQLite", "PostgreSQL")
    ),
)  # fmt: skip
