"""One face for the two servers that the POP3 suite runs against: Dovecot, and ours."""

import time
from abc import ABC, abstractmethod
from typing import Any

from buzon.demo.server import MailServer
from buzon.wire.endpoint import Credentials, Endpoint, Limits, Security
from buzon.wire.errors import ServerBusy
from buzon.wire.pop3 import Pop3Session, Retrieved
from tests.servers.dovecot import Dovecot

SECRET = "secreto ñ"
ANA = Credentials(username="ana", secret="se cret")


def at(port: int, **changes: Any) -> Endpoint:
    """A server on this machine, in the clear."""
    values: dict[str, Any] = {"security": Security.NONE, "read_timeout": 5.0, "allow_private": True}
    return Endpoint(host="127.0.0.1", port=port, **(values | changes))


class Place(ABC):
    """A mailbox on some server, and its truth apart from POP3."""

    security: Security
    credentials: Credentials

    @abstractmethod
    def endpoint(self, **changes: Any) -> Endpoint:
        """Where it is, with its certificate trusted."""

    @abstractmethod
    def deliver(self, octets: bytes) -> None:
        """Put a message into the mailbox."""

    @abstractmethod
    def stored(self) -> list[bytes]:
        """What lies there now, in order of delivery."""

    @abstractmethod
    def remove(self, octets: bytes) -> None:
        """Another client removes the message with these octets."""

    @property
    @abstractmethod
    def certificate_sha256(self) -> str:
        """The fingerprint of what it shows."""

    def given(self, octets: bytes) -> bytes:
        """What POP3 can give of a message: here, the message."""
        return octets

    def open(self, limits: Limits | None = None) -> Pop3Session:
        """A session; waits until the one before, which was cut, is noticed to be over."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return Pop3Session.open(self.endpoint(), self.credentials, limits)
            except ServerBusy:
                if time.monotonic() > deadline:
                    raise


class AtDovecot(Place):
    def __init__(self, server: Dovecot, login: str, security: Security) -> None:
        self.server, self.login, self.security = server, login, security
        self.credentials = server.credentials(login)

    def endpoint(self, **changes: Any) -> Endpoint:
        # The strict listener takes no secret in the clear.
        strict = self.security is Security.STARTTLS
        return self.server.endpoint("pop3", self.security, strict=strict, **changes)

    def deliver(self, octets: bytes) -> None:
        self.server.deliver(self.login, octets)

    def stored(self) -> list[bytes]:
        return self.server.messages(self.login)

    def remove(self, octets: bytes) -> None:
        self.server.remove(self.login, octets)

    @property
    def certificate_sha256(self) -> str:
        return self.server.certificate_sha256


class AtOurs(Place):
    def __init__(self, server: MailServer, login: str, security: Security) -> None:
        self.server, self.security = server, security
        self.credentials = Credentials(username=login, secret=SECRET)
        self.inbox = server.store.add_login(login, SECRET).folder()

    def endpoint(self, **changes: Any) -> Endpoint:
        values: dict[str, Any] = {
            "host": self.server.host,
            "port": self.server.port,
            "security": self.security,
            "ca_file": self.server.certificate_path,
            "read_timeout": 20.0,
            "allow_private": True,
        }
        return Endpoint(**(values | changes))

    def deliver(self, octets: bytes) -> None:
        self.inbox.deliver(octets)

    def stored(self) -> list[bytes]:
        return [message.octets for message in self.inbox.messages]

    def remove(self, octets: bytes) -> None:
        self.inbox.expunge(*(one.uid for one in self.inbox.messages if one.octets == octets))

    @property
    def certificate_sha256(self) -> str:
        return self.server.certificate_sha256

    def given(self, octets: bytes) -> bytes:
        """Its LIST counts the line end that POP3 adds, so that it cannot be known as added."""
        return octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def octets_of(retrieved: Retrieved) -> bytes:
    """All of it; closes the file of a big one."""
    if isinstance(retrieved.octets, bytes):
        return retrieved.octets
    with retrieved.octets as file:
        return file.read()


def letter(number: int) -> bytes:
    return b"Subject: letter %d\r\n\r\nbody of %d\r\n" % (number, number)


def retrieved(session: Pop3Session) -> list[bytes]:
    return [octets_of(one) for one in session.messages(session.listing())]
