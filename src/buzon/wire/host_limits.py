"""What one mail server is asked for at most: a guest's manners, known by the server's name.

    imap.example.com day=2G second=500K connections=2; *.example.com connections=8; * day=none

Of the entries that fit a name, the first that says something about a limit decides it; else the
presets below; else there are four collections at a time, and no limit of octets.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 4
# Less than that, shared by some collections, would look as if the server had stalled.
LEAST_SECOND = 100_000
EXPECTED = (
    "names with limits, such as imap.example.com day=2G second=500K connections=2; "
    "*.example.com login-day=none"
)

_NONE = "none"
_UNITS = {"": 1, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_NAME = re.compile(r"\*|(?:\*\.)?[a-z0-9:_-]+(?:\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_AMOUNT = re.compile(r"([1-9][0-9]{0,12})([KMG]?)", re.IGNORECASE)
# The least that makes sense, by the limit's name.
_LEAST = {"day": 100_000_000, "login-day": 100_000_000, "second": LEAST_SECOND, "connections": 1}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said about the servers that a name fits: limits by name, None where there is none."""

    name: str
    limits: dict[str, int | None] = field(default_factory=dict)

    def fits(self, host: str) -> bool:
        if self.name.startswith("*"):
            return host.endswith(self.name[1:])
        return host == self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """Of one mail server. Octets; None is no limit.

    `day`: within 24 hours, everything that this installation receives from it; `login_day`: of
    each login. `second`: of all collections together. `connections`: collections at a time.
    """

    day: int | None = None
    login_day: int | None = None
    second: int | None = None
    connections: int = CONNECTIONS


# Where the figures come from: docs/decisions/0017-a-polite-guest.md.
PRESETS = (
    Entry("imap.gmail.com", {"login-day": 2_500_000_000, "connections": 20}),
    Entry("imap.googlemail.com", {"login-day": 2_500_000_000, "connections": 20}),
    Entry("pop.gmail.com", {"login-day": 1_250_000_000, "connections": 20}),
    Entry("pop.googlemail.com", {"login-day": 1_250_000_000, "connections": 20}),
    Entry("*.office365.com", {"login-day": 7_200_000_000, "connections": 20}),
    Entry("*.outlook.com", {"login-day": 7_200_000_000, "connections": 20}),
)


def limits_of(host: str, entries: Sequence[Entry] = ()) -> HostLimits:
    """What the entries, and then the presets, say about this server."""
    name = host.lower().rstrip(".")
    said: dict[str, int | None] = {}
    for entry in (*entries, *PRESETS):
        if entry.fits(name):
            said = entry.limits | said
    return HostLimits(
        day=said.get("day"),
        login_day=said.get("login-day"),
        second=said.get("second"),
        connections=said.get("connections", CONNECTIONS) or CONNECTIONS,
    )


def read_entries(written: str) -> tuple[Entry, ...]:
    """The entries of a text. Raises ValueError: what is expected instead."""
    return tuple(_entry(each) for each in written.split(";") if each.strip())


def _entry(written: str) -> Entry:
    name, *limits = written.split()
    if not _NAME.fullmatch(name) or not limits:
        raise ValueError(EXPECTED)
    said = dict(_limit(each) for each in limits)
    if len(said) < len(limits):
        raise ValueError(EXPECTED)
    return Entry(name.lower().rstrip("."), said)


def _limit(written: str) -> tuple[str, int | None]:
    name, _, amount = written.lower().partition("=")
    if name not in _LEAST:
        raise ValueError(EXPECTED)
    if amount == _NONE and name != "connections":
        return name, None
    found = _AMOUNT.fullmatch(amount)
    value = int(found[1]) * _UNITS[found[2].upper()] if found else 0
    if value < _LEAST[name]:
        raise ValueError(f"{EXPECTED}, with {name} of at least {_LEAST[name]}")
    return name, value
