"""Our own program as a contender: its durable database, and everything that a first download does.

What is the same for each run, the organization, the group, its agent and the account, is made once
by the product's own commands; each run begins with a copy of that. SQLite is synchronous FULL,
PostgreSQL has its fsync on.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.letters import known_customers
from bench.measured import CannotMeasure, run
from bench.program import Program, Task, Where
from bench.servers import Mail, Servers

BUZON = Path(sys.executable).with_name("buzon")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
CUSTODY = [sys.executable, "-m", "bench.custody"]
WORDS = [sys.executable, "-m", "bench.words"]
COLLECT = [str(BUZON), "collect", "--once", "--json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How it collects. `create` as the account's field; without, a seeded 5 % of the mail is from
    customers that are known before.
    """

    database: str = "sqlite"
    protocol: str = "imap"
    custody_alone: bool = False
    create: bool = True
    after: str = "leave"


def ours(
    name: str,
    servers: Servers,
    mail: Mail,
    where: Where,
    way: Way,
    *,
    before: Callable[[], None] = lambda: None,
) -> Program:
    """The contender that collects `mail` from `where`; `before` is called before each run."""
    template = _Template(servers, where, way)
    wanted = mail.messages if way.create else mail.from_known

    @contextmanager
    def prepare(place: Path) -> Iterator[Task]:
        with template.copy(place) as environment:
            before()
            yield _task(environment, way, wanted)

    return Program(name, mail.messages, mail.octets, prepare)


@contextmanager
def ours_with(servers: Servers, where: Where, way: Way, place: Path, wanted: int) -> Iterator[Task]:
    """One run, for a server that lives no longer than that."""
    with _Template(servers, where, way).copy(place) as environment:
        yield _task(environment, way, wanted)


def indexing(name: str, servers: Servers, mail: Mail) -> Program:
    """What PostgreSQL leaves for later: the words of all these letters, once they are filed."""
    where, way = mail.where(), Way(database="postgresql")
    template = _Template(servers, where, way)

    @contextmanager
    def prepare(place: Path) -> Iterator[Task]:
        with template.copy(place) as environment:
            _received(run(COLLECT, environment), mail.messages, way)
            yield Task(WORDS, environment, lambda said: _indexed(said, mail.messages))

    return Program(name, mail.messages, mail.octets, prepare)


def _indexed(said: str, wanted: int) -> None:
    if int(said) != wanted:
        raise CannotMeasure(f"The words of {int(said):,} letters waited instead of {wanted:,}.")


def _task(environment: dict[str, str], way: Way, wanted: int) -> Task:
    command = CUSTODY if way.custody_alone else COLLECT
    return Task(command, environment, lambda said: _received(said, wanted, way))


def _received(said: str, wanted: int, way: Way) -> int:
    (totals,) = json.loads(said)
    found = totals["listed"] if way.custody_alone else totals["filed"]
    if found != wanted or totals["error"] or totals["failed"]:
        raise CannotMeasure(f"buzon did not take {wanted:,} messages: {totals}.")
    return int(totals["bytes"])


class _Template:
    """An installation that has collected nothing yet. Made at its first use."""

    def __init__(self, servers: Servers, where: Where, way: Way) -> None:
        self._servers, self._where, self._way = servers, where, way
        self._made: tuple[Path, str] | None = None

    @contextmanager
    def copy(self, place: Path) -> Iterator[dict[str, str]]:
        """The environment of a copy in that folder."""
        if self._made is None:
            self._made = self._make()
        folder, url = self._made
        shutil.copytree(folder, place / "data")
        if self._way.database == "sqlite":
            yield environment_of(place / "data", self._where)
            return
        with self._servers.database(url) as copied:
            yield environment_of(place / "data", self._where, url=copied)

    def _make(self) -> tuple[Path, str]:
        folder = Path(self._servers.enter(tempfile.TemporaryDirectory(prefix="buzon-bench-")))
        url = ""
        if self._way.database == "postgresql":
            url = self._servers.enter(self._servers.database())
        environment = environment_of(folder / "data", self._where, url=url)
        set_up(environment)
        add_account(environment, self._where, self._way)
        return folder / "data", url


def environment_of(data: Path, where: Where, *, url: str = "") -> dict[str, str]:
    """Of each command of an installation with this data folder."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BUZON_")}
    environment["BUZON_DATA_DIR"] = str(data)
    environment["BUZON_ALLOW_PRIVATE_HOSTS"] = "yes"  # the mail server is on this machine
    if where.ca_file:
        environment["BUZON_CA_FILE"] = where.ca_file
    if url:
        environment["BUZON_DATABASE_URL"] = url
    return environment


def set_up(environment: dict[str, str]) -> None:
    """An organization, a group and its agent; the customers who are known before."""
    _buzon(environment, "organization", "add", "Tienda")
    _buzon(environment, "group", "add", "Ventas")
    _buzon(environment, "agent", "add", "Ana", "--email", "ana@tienda.example", "--group", "Ventas")


def add_account(
    environment: dict[str, str], where: Where, way: Way, *, name: str = "pedidos"
) -> None:
    """An account for this login, and where it makes no customers, those who are known."""
    words = [
        "account", "add", name, "--host", where.host, "--port", str(where.port),
        "--security", "tls" if where.ca_file else "none", "--protocol", way.protocol,
        "--username", where.login, "--password-file", "-", "--group", "Ventas",
        "--after", way.after,
        "--create-customer" if way.create else "--no-create-customer",
    ]  # fmt: skip
    _buzon(environment, *words, given=where.secret)
    if not way.create:
        _buzon(environment, "customer", "import", "-", given=_csv(known_customers()))


def _csv(addresses: list[str]) -> str:
    return "".join(f"{line}\n" for line in ("email", *addresses))


def _buzon(environment: dict[str, str], *words: str, given: str = "") -> None:
    run([str(BUZON), *words], environment, given=given)
