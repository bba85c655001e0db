"""`python -m bench.large`: the memory that `buzon collect` takes for a mailbox of large messages.

A gigabyte in 25 letters of 40 MB, on our own mail server in a process of its own; both protocols,
both databases, left on the server and deleted. Idle is a collection of an empty one. Exit
status 1 where the peak is four messages or more above it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import psycopg
from tests.memory import run_measured
from tests.servers.large import LOGIN, MB, SECRET, large
from tests.servers.postgres import Postgres

BUZON = Path(sys.executable).with_name("buzon")
MOST = 4  # messages
LONGEST = 900.0  # seconds for one collection


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one line for each combination as it is done."""
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument("--letters", type=int, default=25, help="in the mailbox (25)")
    parser.add_argument("--megabytes", type=int, default=40, help="of each (40)")
    parser.add_argument("--protocol", nargs="+", default=["imap", "pop3"])
    parser.add_argument("--after", nargs="+", default=["leave", "delete"])
    parser.add_argument("--database", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args(arguments)
    print(f"{'':30}  idle MB  peak MB  messages above idle  seconds")
    within = True
    with _urls(options.database) as urls:
        for protocol, after, database in product(options.protocol, options.after, options.database):
            above = _one(protocol, after, database, urls, options.letters, options.megabytes * MB)
            within = within and above < MOST
    return 0 if within else 1


@contextmanager
def _urls(databases: Sequence[str]) -> Iterator[Iterator[str]]:
    """Addresses of new databases on a cluster of our own."""
    if "postgresql" not in databases:
        yield iter(())
        return
    cluster = Postgres.start()
    try:
        yield _new_databases(cluster)
    finally:
        cluster.stop()


def _new_databases(cluster: Postgres) -> Iterator[str]:
    for number in range(1_000):
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE large_{number}".encode())
        yield cluster.url.removesuffix("/postgres") + f"/large_{number}"


def _one(
    protocol: str, after: str, database: str, urls: Iterator[str], letters: int, size: int
) -> float:
    """Peak above idle, in messages."""
    with tempfile.TemporaryDirectory(prefix="buzon-large-") as name:
        folder = Path(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BUZON_")}
        environment |= {"BUZON_DATA_DIR": f"{name}/data", "BUZON_ALLOW_PRIVATE_HOSTS": "yes"}
        if database == "postgresql":
            environment["BUZON_DATABASE_URL"] = next(urls)
        _buzon(environment, "organization", "add", "Tienda")
        idle, _ = _collected(environment, folder, protocol, after, letters=0, size=size)
        peak, seconds = _collected(environment, folder, protocol, after, letters=letters, size=size)
    above = (peak - idle) / size
    told = f"{protocol}, {after}, {database}"
    print(
        f"{told:30}  {idle / MB:7.0f}  {peak / MB:7.0f}  {above:19.1f}  {seconds:7.0f}", flush=True
    )
    return above


def _collected(
    environment: dict[str, str], folder: Path, protocol: str, after: str, *, letters: int, size: int
) -> tuple[int, float]:
    """The most memory in octets, and the seconds. RuntimeError where not all of it was filed."""
    name = f"{letters} letters"
    with large(protocol, letters=letters, size=size) as server:
        _buzon(
            environment, "account", "add", name, "--host", "127.0.0.1", "--port", str(server.port),
            "--username", LOGIN, "--password-file", "-", "--protocol", protocol,
            "--security", "none", "--create-customer", "--after", after,
        )  # fmt: skip
        command = [str(BUZON), "collect", name, "--once", "--json"]
        done, most = run_measured(command, env=environment, folder=folder, seconds=LONGEST)
        (totals,) = json.loads(done.stdout)
        left = 0 if after == "delete" else letters
        if (totals["filed"], totals["error"], server.left()) != (letters, "", left):
            raise RuntimeError(f"{protocol}: not all of {letters} letters were filed: {totals}.")
    return most, totals["seconds"]


def _buzon(environment: dict[str, str], *words: str) -> None:
    subprocess.run(
        [str(BUZON), *words],
        env=environment,
        input=SECRET,
        text=True,
        capture_output=True,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
