"""How the rate changes as the database grows: the product's own path, again and again.
`python -m bench.growth` prints the plot of what `python -m bench.full` has measured.

Each step is an account of its own with so many letters of 2 KB, collected the whole way by
`buzon collect` into an installation that keeps all that came before. The installation stays in a
folder, so that the next command goes on where this one ended.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.measured import ROOT, CannotMeasure, measure
from bench.ours import BUZON, Way, add_account, environment_of, set_up
from bench.plot import plot
from bench.program import Where, is_new
from bench.results import Line, Results
from bench.servers import DurablePostgres, Mail, Servers

NAMES = ("SQLite", "PostgreSQL")
FOLDER = ROOT / "var" / "bench" / "growth"
MOST_ACCOUNTS = "1000"
SENDERS_PER_LETTER = 0.05  # a shop has more customers as it has more letters


def grow(
    name: str,
    servers: Servers,
    *,
    until: int,
    step: int,
    results: Results,
    label: str,
    ends: float,
) -> None:
    """Steps until so many messages are stored on SQLite or PostgreSQL, or the time is over.

    Raises CannotMeasure.
    """
    done = len(results.of(_part(name), label).by_program.get(name, ()))
    with _installation(name.lower(), anew=not done) as environment:
        for number in range(done, until // step):
            if time.monotonic() > ends:
                print("The time is over; the same command goes on here.", file=sys.stderr)
                return
            senders = max(1_000, int(until * SENDERS_PER_LETTER))
            mail = servers.small(step, seed=number + 1, senders=senders)
            line = _step(environment, mail, name, number, label)
            servers.drop(mail)
            results.add(line)
            stored = (number + 1) * step
            print(f"{name} {stored:>9,}: {line.rate:>7,.0f} messages/s", file=sys.stderr)


def _part(name: str) -> str:
    return f"growth-{name.lower()}"


def _step(environment: dict[str, str], mail: Mail, name: str, number: int, label: str) -> Line:
    account = is_new("step")
    add_account(environment, mail.where(), Way(), name=account)
    command = [str(BUZON), "collect", account, "--once", "--json"]
    load = os.getloadavg()[0]
    folder = Path(environment["BUZON_DATA_DIR"]).parent
    used = measure(command, environment, folder=folder)
    (totals,) = json.loads(used.said)
    if totals["filed"] != mail.messages or totals["error"]:
        raise CannotMeasure(f"buzon did not file {mail.messages:,} messages: {totals}.")
    return Line(
        label=label,
        part=_part(name),
        program=name,
        round=number,
        messages=mail.messages,
        octets=mail.octets,
        seconds=round(used.seconds, 3),
        processor=round(used.processor, 3),
        memory=used.memory,
        received=totals["bytes"],
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        load=round(load, 1),
    )


@contextmanager
def _installation(database: str, *, anew: bool) -> Iterator[dict[str, str]]:
    """The environment of the one that grows."""
    folder = FOLDER / database
    if anew:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for each in (FOLDER, folder):
        each.chmod(0o755)  # PostgreSQL, which is not root, looks for its own in here
    nobody = Where("", 0, "", "")
    if database == "sqlite":
        yield _ready(environment_of(folder / "data", nobody), anew=anew)
        return
    with _kept_cluster(folder / "cluster") as url:
        yield _ready(environment_of(folder / "data", nobody, url=url), anew=anew)


def _ready(environment: dict[str, str], *, anew: bool) -> dict[str, str]:
    environment["BUZON_MAX_ACCOUNTS"] = MOST_ACCOUNTS
    if anew:
        set_up(environment)
    return environment


class _KeptPostgres(DurablePostgres):
    """Its folder stays."""

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")


@contextmanager
def _kept_cluster(folder: Path) -> Iterator[str]:
    """The URL of the database in it."""
    folder.mkdir(exist_ok=True)
    cluster = _KeptPostgres.start(folder)
    try:
        yield cluster.url
    finally:
        cluster.stop()


def draw(results: Results) -> str:
    """The plot of what was measured last, as SVG. ValueError where nothing was."""
    lines = {}
    for name in NAMES:
        label = results.last_label(_part(name))
        if label is not None:
            lines[name] = results.of(_part(name), label).growth(name)
    return plot(
        "Messages per second, the whole way, as the database grows (2 KB each)",
        lines,
        across="messages stored",
        up="messages per second",
    )


if __name__ == "__main__":
    print(draw(Results(ROOT / "var" / "bench.jsonl")), end="")
