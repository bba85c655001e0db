"""An installation of its own for each journey, used through the real command line.

The shop is set up once, with some twenty commands; each journey begins with a copy of it.
"""

import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.journeys import cast

ROOT = Path(__file__).parents[2]
BUZON = Path(sys.executable).with_name("buzon")
LONGEST = 100.0  # seconds for one command
_POSTGRESQL = os.environ.get("TESTS_POSTGRES_URL", "")


@dataclass(frozen=True, slots=True)
class Shop:
    """`folder` is its data folder; `database` the name of its PostgreSQL database, "" on SQLite."""

    folder: Path
    database: str = ""

    # -- the command line

    def run(self, *words: str, given: str = "") -> str:
        """One command that must succeed; what it printed."""
        done = self.try_to(*words, given=given)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def try_to(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BUZON), *words],
            env=self.environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )

    def run_all(self, commands: Sequence[tuple[tuple[str, ...], str]]) -> list[bytes]:
        """Commands that must all succeed, each with what it is given on stdin, in one process;
        what each printed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "tests.journeys.many"],
            env=self.environment(), cwd=ROOT, input=json.dumps(commands).encode(),
            capture_output=True, timeout=LONGEST,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return [base64.b64decode(printed) for printed in json.loads(done.stdout)]

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def jsonl(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*words, "--jsonl").splitlines()]

    def raw(self, sha256: str) -> bytes:
        command = [str(BUZON), "raw", sha256]
        done = subprocess.run(command, env=self.environment(), capture_output=True, timeout=LONGEST)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def raws(self, digests: Sequence[str]) -> list[bytes]:
        """The octets of each, as `buzon raw` prints them."""
        return self.run_all([(("raw", sha256), "") for sha256 in digests])

    def start(self, *words: str, output: Path) -> "subprocess.Popen[bytes]":
        """A command that goes on while the test looks; all it says goes to the file `output`."""
        with output.open("wb") as file:
            return subprocess.Popen(
                [str(BUZON), *words],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BUZON_", "DJANGO_"))}
        kept["BUZON_DATA_DIR"] = str(self.folder)
        kept["BUZON_LISTEN"] = "127.0.0.1:0"
        kept["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # the mail server is on this machine
        if self.database:
            kept["BUZON_DATABASE_URL"] = _url_of(self.database)
        return kept

    # -- its database, read beside the product

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Plain SQL that both databases understand; for what no command shows."""
        with self.watching() as read:
            return read(query)

    def watching(self) -> "_Watch":
        """A connection for many queries: `with shop.watching() as read: read("select …")`."""
        return _Watch(self)

    def kill_when(self, moment: str, process: "subprocess.Popen[bytes]") -> None:
        """SIGKILL as soon as the query answers with something other than 0 or nothing."""
        deadline = time.monotonic() + LONGEST
        with self.watching() as read:
            while not read(moment)[0][0]:
                assert process.poll() is None, "it ended before the moment came"
                assert time.monotonic() < deadline, "the moment never came"
                time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=LONGEST) == -signal.SIGKILL, "it ended before it was killed"


class _Watch:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def __enter__(self) -> Callable[[str], list[tuple[Any, ...]]]:
        if self.shop.database:
            connection = psycopg.connect(_url_of(self.shop.database), autocommit=True)
            self.connection: Any = connection
            return lambda query: connection.execute(query.encode()).fetchall()
        file = f"file:{self.shop.folder / 'buzon.sqlite3'}?mode=ro"
        self.connection = embedded = sqlite3.connect(file, uri=True, timeout=30)
        return lambda query: embedded.execute(query).fetchall()

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def set_up(folder: Path, *, number: str) -> Shop:
    """The shop of `cast`, with its customers imported from a CSV file."""
    shop = Shop(folder, _new_database(f"shop_{number}") if _POSTGRESQL else "")
    gone = [agent.name for agent in cast.AGENTS if agent.gone]
    commands: list[tuple[tuple[str, ...], str]] = [
        (("organization", "add", "Tienda", "--time-zone", "Europe/Madrid"), ""),
        (("administrator", "add", "olga@shop.internal", "--password-file", "-"), "quite long 47\n"),
        *((("store", "add", store), "") for store in (cast.CENTRO, cast.NORTE)),
        (("group", "add", cast.GROUP), ""),
        *((words, "") for agent in cast.AGENTS for words in _added(agent)),
        (("customer", "import", "-"), cast.customers_csv()),
        *((("agent", "deactivate", name), "") for name in gone),
        *((("block", "add", sender), "") for sender in cast.BLOCKED),
    ]
    shop.run_all(commands)
    return shop


def _added(agent: cast.Agent) -> list[tuple[str, ...]]:
    group = ("--group", cast.GROUP) if agent.in_group else ()
    address = f"{agent.name.encode().hex()}@agents.example"
    commands = [("agent", "add", agent.name, "--email", address, *group)]
    if agent.status != "free":
        commands.append(("agent", "status", agent.name, agent.status))
    if agent.present:
        commands.append(("agent", "present", agent.name))
    return commands


def copy_of(shop: Shop, folder: Path, *, number: str) -> Shop:
    """The same shop again, with a database of its own."""
    shutil.copytree(shop.folder, folder)
    if not shop.database:
        return Shop(folder)
    return Shop(folder, _new_database(f"journey_{number}", template=shop.database))


def _new_database(name: str, *, template: str = "template0") -> str:
    name = f"{name}_{os.getpid()}"
    with psycopg.connect(_POSTGRESQL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return name


def _url_of(database: str) -> str:
    return urlsplit(_POSTGRESQL)._replace(path=f"/{database}").geturl()
