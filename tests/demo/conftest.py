"""A store with one login, and clients of other people's making: imaplib, poplib, bare sockets."""

import imaplib
import poplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from buzon.demo.server import MailLogin, MailServer, Mailstore, Options

NAME = "ana@tienda.example"
SECRET = "se cret"
SECURITIES = ("tls", "starttls", "none")


def letter(subject: str = "Hola", body: str = "Buenos días.\r\n") -> bytes:
    head = f"From: Eva <eva@cliente.example>\r\nTo: {NAME}\r\nSubject: {subject}\r\n"
    return (head + "\r\n" + body).encode()


@pytest.fixture
def store() -> Mailstore:
    return Mailstore()


@pytest.fixture
def box(store: Mailstore) -> MailLogin:
    return store.add_login(NAME, SECRET)


@pytest.fixture
def serve(store: Mailstore, box: MailLogin) -> Iterator[Callable[..., MailServer]]:
    with ExitStack() as stack:

        def start(protocol: str, security: str = "none", **options: object) -> MailServer:
            server = MailServer(
                store, protocol=protocol, security=security, options=Options(**options)
            )
            return stack.enter_context(server)

        yield start


@pytest.fixture
def imap() -> Iterator[Callable[..., imaplib.IMAP4]]:
    """An imaplib client of a server, logged in unless told otherwise."""
    with ExitStack() as stack:

        def connect(server: MailServer, *, login: bool = True) -> imaplib.IMAP4:
            if server.security == "tls":
                client = imaplib.IMAP4_SSL(server.host, server.port, ssl_context=trusting(server))
            else:
                client = imaplib.IMAP4(server.host, server.port, timeout=20)
            stack.callback(let_go, client)
            if server.security == "starttls":
                client.starttls(trusting(server))
            if login:
                client.login(NAME, SECRET)
            return client

        yield connect


@pytest.fixture
def pop3() -> Iterator[Callable[..., poplib.POP3]]:
    """A poplib client of a server, logged in unless told otherwise."""
    with ExitStack() as stack:

        def connect(server: MailServer, *, login: bool = True) -> poplib.POP3:
            if server.security == "tls":
                client: poplib.POP3 = poplib.POP3_SSL(
                    server.host, server.port, context=trusting(server), timeout=20
                )
            else:
                client = poplib.POP3(server.host, server.port, timeout=20)
            stack.callback(client.close)
            if server.security == "starttls":
                client.stls(trusting(server))
            if login:
                client.user(NAME)
                client.pass_(SECRET)
            return client

        yield connect


def let_go(client: imaplib.IMAP4) -> None:
    """Close an imaplib client, whether it has logged out or not."""
    client.file.close()
    client.sock.close()


def trusting(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.certificate_path)


class Wire:
    """A bare socket: what was typed and what came, octet by octet."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=10)
        self.unread = b""

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def until(self, end: bytes) -> bytes:
        """Everything up to and with this."""
        while end not in self.unread:
            more = self.socket.recv(65536)
            assert more, f"the server closed after {self.unread!r}"
            self.unread += more
        at = self.unread.index(end) + len(end)
        answer, self.unread = self.unread[:at], self.unread[at:]
        return answer

    def rest(self) -> bytes:
        """Everything until the server closes."""
        while more := self.socket.recv(65536):
            self.unread += more
        answer, self.unread = self.unread, b""
        return answer

    def encrypt(self, server: MailServer) -> None:
        self.socket = trusting(server).wrap_socket(self.socket, server_hostname=server.host)


@pytest.fixture
def wire() -> Iterator[Callable[[MailServer], Wire]]:
    wires: list[Wire] = []

    def connect(server: MailServer) -> Wire:
        wires.append(Wire(server.host, server.port))
        return wires[-1]

    yield connect
    for one in wires:
        one.socket.close()
