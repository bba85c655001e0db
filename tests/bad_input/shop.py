"""A shop's installation, used by the real command, and looked at behind the command's back."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from buzon.demo.server import MailServer
from tests.config.commands import ROOT, Ran
from tests.config.conftest import Installation
from tests.memory import run_measured

LOGIN = "ana@tienda.example"
SECRET = "se cret"
# What holds mail and what came of it; a collection that fails may write of itself elsewhere.
MAIL = ("intake_arrival", "intake_rawmessage", "desk_message", "desk_customer")
# Of the session and the attempt, not of what the person asked for.
# Of search: an index of what desk_searchentry holds, which counts.
_PASSING = ("django_", "desk_words")
_DAMAGE = re.compile(r"Traceback|Error\b|Exception|\bNone\b|Errno|\.\.|\\x|[{}]")

Counts = dict[str, int]


@dataclass
class Shop:
    """Every verb is a process of its own, as a person would start it."""

    installation: Installation
    password: Path

    @property
    def env(self) -> dict[str, str]:
        """Settings of every run; a test may change them."""
        return self.installation.env

    def __call__(self, *arguments: object, stdin: bytes = b"", **settings: Any) -> Ran:
        return self.installation(*arguments, stdin=stdin, **settings)

    def do(self, *arguments: object, stdin: bytes = b"") -> str:
        """What it printed; it has to go well."""
        ran = self(*arguments, stdin=stdin)
        assert (ran.status, ran.error) == (0, ""), (ran.status, ran.error)
        return ran.text

    def refused(self, *arguments: object, **settings: Any) -> str:
        """The sentence of a command that is refused; no table has a row more or less."""
        before = self.counts()
        told = clear(self(*arguments, **settings).sentence())
        assert self.counts() == before
        return told

    def account(self, name: str, server: MailServer, *flags: object, username: str = LOGIN) -> None:
        """Add an account that would work there; flags that come later win."""
        self.do("account", "add", name, *self.on(server, username), *flags)

    def on(self, server: MailServer, username: str = LOGIN) -> list[object]:
        """The flags of an account on this server."""
        pin = server.certificate_sha256
        return ["--host", server.host, "--port", server.port, "--username", username,
                "--password-file", self.password, "--protocol", server.protocol,
                "--security", server.security, *(["--pin", pin] if pin else [])]  # fmt: skip

    def accounts(self, several: Iterable[Mapping[str, Any]]) -> None:
        """Add these, or change those that are there, in one process."""
        command = [sys.executable, "-m", "tests.bad_input.accounts"]
        env = self.env | {"DJANGO_SETTINGS_MODULE": "buzon.config.settings"}
        given = json.dumps([dict(one) for one in several])
        subprocess.run(command, input=given, text=True, env=env, cwd=ROOT, check=True, timeout=60)

    def fail(self) -> dict[str, str]:
        """A collection of all accounts, none of which works: the sentence of each, by its name."""
        before = self.mail()
        ran = self("collect", "--once", "--json")
        assert self.mail() == before
        assert ran.status == 1, (ran.status, ran.error)
        told = {each["account"]: clear(each["error"]) for each in json.loads(ran.out)}
        assert ran.error.splitlines() == [f"{name}: {error}" for name, error in told.items()]
        return told

    def collected(self, name: str) -> dict[str, Any]:
        """The totals of a collection that goes well."""
        (totals,) = self("collect", name, "--once", "--json").json()
        assert totals["error"] == ""
        return dict(totals)

    def fails(self, name: str, **settings: Any) -> str:
        """The sentence of a collection that does not: status 1, nothing of it left behind."""
        before = self.mail()
        ran = self("collect", name, "--once", "--json", **settings)
        assert self.mail() == before
        return failure(ran, name)

    def mail(self) -> Counts:
        """Rows that hold mail, and what came of it."""
        return {table: number for table, number in self.counts().items() if table in MAIL}

    def counts(self) -> Counts:
        """Rows in each table, as another program counts them."""
        with self.database() as run:
            tables = sorted(name for (name,) in run(self._catalogue()))
            ours = [name for name in tables if not name.startswith(_PASSING)]
            return {name: run(f'SELECT count(*) FROM "{name}"')[0][0] for name in ours}

    @contextmanager
    def database(self) -> Iterator[Any]:
        """A function that runs one statement and gives its rows."""
        url = self.env.get("BUZON_DATABASE_URL")
        if url is None:
            with closing(sqlite3.connect(self.file, timeout=30)) as connection, connection:
                yield lambda text: connection.execute(text).fetchall()
            return
        with psycopg.connect(url) as server:
            yield lambda text: server.execute(sql.SQL(text)).fetchall()

    @property
    def file(self) -> Path:
        """SQLite's file."""
        return self.installation.folder / "buzon.sqlite3"

    def _catalogue(self) -> str:
        if "BUZON_DATABASE_URL" in self.env:
            return "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def failure(ran: Ran, name: str) -> str:
    """The sentence with which a collection of this account failed."""
    assert ran.status == 1, (ran.status, ran.error)
    (totals,) = json.loads(ran.out)  # they are shown in any case
    assert ran.error == f"{name}: {totals['error']}\n"
    return clear(totals["error"])


def clear(told: str) -> str:
    """The same, if it is one line for a person and ends with a full stop."""
    assert "\n" not in told, told
    assert told.endswith("."), told
    assert not _DAMAGE.search(told), told
    return told


@dataclass(frozen=True)
class Measured:
    """A run, and the most memory it held, in octets."""

    ran: Ran
    most: int


def measured(*arguments: object, env: dict[str, str], folder: Path) -> Measured:
    """To its end, at most two minutes."""
    command = [sys.executable, "-m", "buzon.config.command", *map(str, arguments)]
    done, most = run_measured(command, env=env, folder=folder)
    return Measured(Ran(done.returncode, done.stdout, done.stderr.decode()), most)
