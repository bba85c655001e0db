"""`python -m bench.collect`: messages per second of `buzon collect` beside mbsync.

One run, one machine, one mailbox of 2,000 letters on a real Dovecot; the programs take turns, so
that whatever else the machine does meets all of them alike:

    buzon on SQLite ─▶ mbsync ─▶ buzon on PostgreSQL ─▶ buzon on SQLite ─▶ …

Buzón stores the octets, understands each letter, makes customers and conversations of them, and
hands the customers out; its database is durable (synchronous FULL, fsync). mbsync writes the
octets into a Maildir, with its own fsync, without COMPRESS. Each starts with nothing, and is
measured as a whole process, from its start to its end; CPU seconds are of that process alone, not
of the database or the mail server.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg
from tests.servers.dovecot import Dovecot, DovecotUnavailable
from tests.servers.postgres import Postgres

from bench.letters import letters

LOGIN, SECRET = "pedidos@tienda.example", "secret"
BUZON = Path(sys.executable).with_name("buzon")
LONGEST = 600.0  # seconds for one process


class CannotMeasure(Exception):
    """One sentence: what is missing, or which figure would be wrong."""


class Run(NamedTuple):
    """`seconds` from the start of its process to its end, `processor` seconds of that process."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True)
class Contender:
    """`prepare` makes a fresh place for one run, and answers the run itself."""

    name: str
    prepare: Callable[[Path], Callable[[], None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table; exit status 2 where that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m bench.collect", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000, help="in the mailbox (2,000)")
    parser.add_argument("--rounds", type=int, default=3, help="of each program (3)")
    parser.add_argument("--no-postgresql", action="store_true", help="only SQLite and mbsync")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="buzon-bench-") as folder:
            _measure(Path(folder), options)
    except (CannotMeasure, DovecotUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _measure(folder: Path, options: argparse.Namespace) -> None:
    if not shutil.which("mbsync"):
        raise CannotMeasure("mbsync is not installed: apt install isync.")
    with Dovecot() as dovecot, _postgresql(wanted=not options.no_postgresql) as cluster:
        octets = _fill(dovecot, options.messages)
        print(f"{options.messages:,} messages, {octets / options.messages / 1000:.1f} KB mean")
        mbsync = Contender("mbsync", _mbsync(dovecot, options.messages))
        contenders = [Contender("buzon, SQLite", _buzon(dovecot, options.messages)), mbsync]
        if cluster is not None:
            on_cluster = _buzon(dovecot, options.messages, cluster)
            contenders.append(Contender("buzon, PostgreSQL", on_cluster))
        _one_run(mbsync, folder / "warm-up")  # the server reads its files for the first time
        runs = _runs(contenders, folder, rounds=options.rounds)
    _print_table(runs, options.messages)


def _fill(dovecot: Dovecot, number: int) -> int:
    """Deliver the letters; returns how many octets they are."""
    dovecot.add_login(LOGIN, SECRET)
    total = 0
    for octets, internal_date in letters(number):
        dovecot.deliver(LOGIN, octets, internal_date=internal_date)
        total += len(octets)
    return total


def _runs(contenders: Sequence[Contender], folder: Path, *, rounds: int) -> dict[str, list[Run]]:
    """Every run of each program; they take turns."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for place, contender in enumerate(contenders):
            one = _one_run(contender, folder / str(number * len(contenders) + place))
            runs[contender.name].append(one)
    return runs


def _one_run(contender: Contender, place: Path) -> Run:
    place.mkdir()
    run = contender.prepare(place)
    os.sync()  # what was written before is not this run's
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run()
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(place)
    return Run(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


# -- buzon


def _buzon(
    dovecot: Dovecot, number: int, cluster: Postgres | None = None
) -> Callable[[Path], Callable[[], None]]:
    """With everything that a first download does: create = yes, a group, one agent."""

    def prepare(place: Path) -> Callable[[], None]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BUZON_")}
        environment["BUZON_DATA_DIR"] = str(place / "data")
        environment["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # Dovecot is on this machine
        if cluster is not None:
            environment["BUZON_DATABASE_URL"] = _new_database(cluster, f"bench_{time.time_ns()}")
        _set_up(dovecot, environment)
        return lambda: _collect(environment, number)

    return prepare


def _set_up(dovecot: Dovecot, environment: dict[str, str]) -> None:
    port = str(dovecot.port("imap", "none"))
    for words in (
        ("organization", "add", "Tienda"),
        ("group", "add", "Ventas"),
        ("agent", "add", "Ana", "--email", "ana@tienda.example", "--group", "Ventas"),
        ("account", "add", "pedidos", "--host", dovecot.host, "--port", port, "--security", "none",
         "--username", LOGIN, "--password-file", "-", "--create-customer", "--group", "Ventas"),
    ):  # fmt: skip
        _run([str(BUZON), *words], environment, given=SECRET)


def _collect(environment: dict[str, str], number: int) -> None:
    said = _run([str(BUZON), "collect", "--once", "--json"], environment)
    (totals,) = json.loads(said)
    if totals["filed"] != number or totals["error"]:
        raise CannotMeasure(f"buzon did not file all {number:,} messages: {totals}.")


def _new_database(cluster: Postgres, name: str) -> str:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return cluster.url.removesuffix("/postgres") + f"/{name}"


class _Durable(Postgres):
    """The tests' cluster, with the durability of a shop's."""

    def _options(self) -> str:
        return super()._options().replace("-c fsync=off", "-c fsync=on")


@contextmanager
def _postgresql(*, wanted: bool) -> Iterator[Postgres | None]:
    if not wanted:
        yield None
        return
    cluster = _Durable.start()
    try:
        yield cluster
    finally:
        cluster.stop()


# -- mbsync


def _mbsync(dovecot: Dovecot, number: int) -> Callable[[Path], Callable[[], None]]:
    """Pull into a fresh Maildir; its fsync is on unless turned off."""

    def prepare(place: Path) -> Callable[[], None]:
        (place / "mail").mkdir()
        (place / "mbsyncrc").write_text(_MBSYNCRC.format(
            host=dovecot.host, port=dovecot.port("imap", "none"), login=LOGIN, secret=SECRET,
            tls=_tls_setting(), place=place,
        ))  # fmt: skip
        return lambda: _pull(place, number)

    return prepare


def _pull(place: Path, number: int) -> None:
    _run(["mbsync", "-q", "-c", str(place / "mbsyncrc"), "bench"], dict(os.environ))
    pulled = sum(1 for part in ("new", "cur") for _ in (place / "mail/INBOX" / part).iterdir())
    if pulled != number:
        raise CannotMeasure(f"mbsync pulled {pulled:,} messages instead of {number:,}.")


def _tls_setting() -> str:
    """isync 1.5 renamed it."""
    version = _run(["mbsync", "--version"], dict(os.environ)).split()[-1]
    parts = tuple(int(part) for part in version.split(".")[:2])
    return "TLSType" if parts >= (1, 5) else "SSLType"


_MBSYNCRC = """\
IMAPAccount server
Host {host}
Port {port}
User {login}
Pass {secret}
{tls} None
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE

IMAPStore far
Account server

MaildirStore near
Path {place}/mail/
Inbox {place}/mail/INBOX

Channel bench
Far :far:
Near :near:
Patterns INBOX
Sync Pull
Create Near
SyncState {place}/
"""


# -- both


def _run(command: list[str], environment: dict[str, str], *, given: str = "") -> str:
    done = subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, timeout=LONGEST
    )
    if done.returncode:
        raise CannotMeasure(f"{' '.join(command[:3])} failed: {done.stderr.strip()}")
    return done.stdout


def _print_table(runs: dict[str, list[Run]], messages: int) -> None:
    print(f"\n{'messages/s':20}{'median':>9}{'min':>9}{'max':>9}{'of mbsync':>12}{'CPU s':>9}")
    beside = median(run.seconds for run in runs["mbsync"])
    for name, each in runs.items():
        seconds = [run.seconds for run in each]
        figures = [messages / one for one in (median(seconds), max(seconds), min(seconds))]
        rates = "".join(f"{figure:>9,.0f}" for figure in figures)
        processor = median(run.processor for run in each)
        print(f"{name:20}{rates}{beside / median(seconds):>11.2f}x{processor:>9.1f}")


if __name__ == "__main__":
    sys.exit(main())
