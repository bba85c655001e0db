"""One face for the two servers that the IMAP suite runs against: Dovecot, and ours."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from buzon.demo.server import MailServer, Mailstore
from buzon.wire.endpoint import Credentials, Endpoint, Limits, Security
from buzon.wire.imap.session import ImapSession
from buzon.wire.imap.values import Retrieved, Wanted
from tests.servers.dovecot import Dovecot

WHEN = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)


class Place(Protocol):
    """A server with one login of its own, and what lies there, seen past any protocol."""

    def endpoint(self, **changes: object) -> Endpoint: ...

    def credentials(self) -> Credentials: ...

    def add_folder(self, name: str, special_use: str = "") -> None: ...

    def deliver(
        self, octets: bytes, folder: str = "INBOX", date: datetime | None = None
    ) -> None: ...

    def octets(self, folder: str = "INBOX") -> list[bytes]: ...

    def flags(self, folder: str = "INBOX") -> list[set[str]]: ...

    def remove(self, octets: bytes) -> None: ...

    def pin(self) -> str: ...


class Ours:
    """The demonstration's server, with its store in reach."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.login = server.store.add_login("ana@tienda.example", "secret")

    def endpoint(self, **changes: object) -> Endpoint:
        values: dict[str, object] = {
            "host": self.server.host,
            "port": self.server.port,
            "security": Security(self.server.security),
            "ca_file": self.server.certificate_path,
            "read_timeout": 20.0,
            "allow_private": True,
        }
        return Endpoint(**(values | changes))  # type: ignore[arg-type]

    def credentials(self) -> Credentials:
        return Credentials(username="ana@tienda.example", secret="secret")

    def add_folder(self, name: str, special_use: str = "") -> None:
        self.login.add_folder(name, special_use=special_use)

    def deliver(self, octets: bytes, folder: str = "INBOX", date: datetime | None = None) -> None:
        self.login.folder(folder).deliver(octets, internal_date=date)

    def octets(self, folder: str = "INBOX") -> list[bytes]:
        return [message.octets for message in self.login.folder(folder).messages]

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        return [
            {flag for flag in message.flags if flag != "\\Recent"}
            for message in self.login.folder(folder).messages
        ]

    def remove(self, octets: bytes) -> None:
        folder = self.login.folder("INBOX")
        folder.expunge(*(message.uid for message in folder.messages if message.octets == octets))

    def pin(self) -> str:
        return self.server.certificate_sha256


class Real:
    """A login of its own on the Dovecot that the tests of this process share."""

    _letters = {"S": "\\Seen", "T": "\\Deleted", "F": "\\Flagged", "R": "\\Answered"}

    def __init__(self, server: Dovecot, login: str, security: Security) -> None:
        self.server = server
        self.login = login
        self.security = security

    def endpoint(self, **changes: object) -> Endpoint:
        return self.server.endpoint("imap", self.security, **changes)

    def credentials(self) -> Credentials:
        return self.server.credentials(self.login)

    def add_folder(self, name: str, special_use: str = "") -> None:
        self.server.add_folder(self.login, name, special_use or None)

    def deliver(self, octets: bytes, folder: str = "INBOX", date: datetime | None = None) -> None:
        self.server.deliver(self.login, octets, folder, date)

    def octets(self, folder: str = "INBOX") -> list[bytes]:
        return self.server.messages(self.login, folder)

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        return [
            {self._letters[letter] for letter in flags if letter in self._letters}
            for flags in self.server.flags(self.login, folder)
        ]

    def remove(self, octets: bytes) -> None:
        self.server.remove(self.login, octets)

    def pin(self) -> str:
        return self.server.certificate_sha256


def opened(place: Place, *, limits: Limits | None = None, compress: bool = False) -> ImapSession:
    """A session on the place, logged in."""
    return ImapSession.open(
        place.endpoint(), place.credentials(), limits or Limits(), compress=compress
    )


def wanted(session: ImapSession) -> list[Wanted]:
    return [Wanted(one.uid, one.size) for one in session.listing()]


def fetched(session: ImapSession) -> list[Retrieved]:
    return sorted(session.messages(wanted(session)), key=lambda one: one.uid)


def await_that(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    """Dovecot looks into its folder once a second."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.05)


def ours(**settings: object) -> Callable[[], MailServer]:
    """A server of ours with a store of its own, to be entered with `with`."""
    return lambda: MailServer(Mailstore(), protocol="imap", **settings)  # type: ignore[arg-type]


def mail(number: int, *, octets: int = 0) -> bytes:
    """A small message that is unlike every other; with a random body when `octets` are asked."""
    body = os.urandom(octets // 2).hex().encode() if octets else b"Hola."
    lines = b"\r\n".join(body[at : at + 76] for at in range(0, len(body), 76))
    return (
        b"From: Ana <ana@cliente.example>\r\nSubject: Pedido %d\r\n"
        b"Message-ID: <%d@cliente.example>\r\n\r\n%b\r\n" % (number, number, lines)
    )
