"""The servers that are measured with, started when they are first asked for.

Dovecot      real, on loopback; its mail is written as files, which takes seconds
PostgreSQL   real, with the durability of a shop's
relays       in front of Dovecot, so that it is far away
"""

import imaplib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import psycopg
from tests.servers import maildir
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres

from bench.letters import Letter, known_customers, small, varied
from bench.program import Where, is_new
from bench.relay import far

SECRET = "secret"
_AT_ONCE = 1_000  # messages
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mail:
    """A login of the Dovecot with so many messages; so many of them from known customers."""

    dovecot: Dovecot
    login: str
    messages: int
    octets: int
    from_known: int

    def where(self, protocol: str = "imap", *, security: str = "none") -> Where:
        """How it is reached. `security` is "none" or "tls"."""
        ca_file = self.dovecot.ca_file if security == "tls" else ""
        port = self.dovecot.port(protocol, security)
        return Where(self.dovecot.host, port, self.login, SECRET, ca_file)

    @contextmanager
    def copy(self) -> Iterator[Where]:
        """The same mail in a login of its own, for a program that deletes what it took."""
        login = is_new("copy")
        self.dovecot.add_login(login, SECRET)
        copied = self.dovecot.folder_path(login, "INBOX")
        for file in self.files():
            os.link(file, copied / "new" / file.name)
        try:
            yield Where(self.dovecot.host, self.dovecot.port("imap", "none"), login, SECRET)
        finally:
            for file in maildir.files(copied):
                file.unlink()

    def ask_for_headers(self) -> None:
        """Dovecot then knows the messages, as a server does whose mail somebody reads."""
        client = imaplib.IMAP4(self.dovecot.host, self.dovecot.port("imap", "none"))
        with client:
            client.login(self.login, SECRET)
            client.select(readonly=True)
            for first in range(1, self.messages + 1, _AT_ONCE):
                some = f"{first}:{min(first + _AT_ONCE - 1, self.messages)}"
                client.fetch(some, "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])")

    def forget_headers(self) -> None:
        """What Dovecot keeps of messages that it was asked about, it has to find out anew."""
        for file in self.dovecot.folder_path(self.login, "INBOX").glob("dovecot.index*"):
            file.unlink()

    def files(self) -> list[Path]:
        """One for each message."""
        return maildir.files(self.dovecot.folder_path(self.login, "INBOX"))


class Servers:
    """`with Servers() as servers:` ends whatever was started meanwhile."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._dovecot: Dovecot | None = None
        self._postgres: Postgres | None = None
        self._mail: dict[str, Mail] = {}
        self._far: dict[int, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def varied(self, number: int) -> Mail:
        """So many letters of a shop, 62 KB in the mean."""
        return self._filled(f"varied-{number}", lambda: varied(number))

    def small(self, number: int, *, seed: int = 1, senders: int = 3_600) -> Mail:
        """So many letters of 2 KB."""
        name = f"small-{number}-{seed}"
        return self._filled(name, lambda: small(number, seed=seed, senders=senders))

    def drop(self, mail: Mail) -> None:
        """Nobody asks for it again."""
        for file in mail.files():
            file.unlink()
        self._mail = {name: each for name, each in self._mail.items() if each != mail}

    def far(self, where: Where) -> Where:
        """The same server with a round-trip time of 80 ms."""
        if where.port not in self._far:
            self._far[where.port] = self._open.enter_context(far(where.port))
        return Where(where.host, self._far[where.port], where.login, where.secret, where.ca_file)

    def database(self, template: str = "template1") -> "AbstractContextManager[str]":
        """A new database, like the one whose URL is given; its URL. Dropped at the end."""
        if self._postgres is None:
            self._postgres = self._open.enter_context(_cluster())
        return _database(self._postgres, template.rpartition("/")[2])

    def enter(self, resource: "AbstractContextManager[T]") -> T:
        """Something else that ends with the servers."""
        return self._open.enter_context(resource)

    def _filled(self, name: str, letters: Callable[[], Iterable[Letter]]) -> Mail:
        if name not in self._mail:
            if self._dovecot is None:
                self._dovecot = self._open.enter_context(Dovecot())
            self._mail[name] = _fill(self._dovecot, is_new(name), letters())
        return self._mail[name]


def _fill(dovecot: Dovecot, login: str, letters: Iterable[Letter]) -> Mail:
    dovecot.add_login(login, SECRET)
    known = {b"Return-Path: <%s>" % one.encode() for one in known_customers()}
    messages = octets = from_known = 0
    for letter, internal_date in letters:
        dovecot.deliver(login, letter, internal_date=internal_date)
        messages += 1
        octets += len(letter)
        from_known += letter.partition(b"\r\n")[0] in known
    mail = Mail(dovecot, login, messages, octets, from_known)
    mail.ask_for_headers()
    return mail


class DurablePostgres(Postgres):
    """The tests' cluster, with the durability of a shop's."""

    def _options(self) -> str:
        return super()._options().replace("-c fsync=off", "-c fsync=on")


@contextmanager
def _cluster() -> Iterator[Postgres]:
    cluster = DurablePostgres.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def _database(cluster: Postgres, template: str) -> Iterator[str]:
    name = is_new("bench")
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        try:
            yield cluster.url.removesuffix("/postgres") + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
