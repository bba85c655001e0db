"""A server that goes over to TLS in the middle, and does before and after it what the test says.

It is the attacker of "Why TLS Is Better Without STARTTLS" (Poddebniak and others, USENIX Security
2021): whoever sits on the way may write the clear part as he likes, and takes what is sent there.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from tests.wire.authority import Authority
from tests.wire.scripted import line_from, scripted

ANA = Credentials(username="ana", secret="s3cr3t-p4ss")
SECRETS = (b"s3cr3t", b"AGFuYQBz", b"czNjcjN0")  # as it is, and in base64 with PLAIN's login or not

Replies = dict[bytes, bytes]
Session = ImapSession | Pop3Session


@dataclass(kw_only=True)
class Protocol:
    """How an honest server speaks it: `before` and `after` the command `upgrade`."""

    name: str
    upgrade: bytes
    begin: bytes
    greeting: bytes
    before: Replies
    after: Replies
    open: Callable[[Endpoint, Credentials], Session]


IMAP = Protocol(
    name="imap",
    upgrade=b"STARTTLS",
    begin=b"TAG OK begin\r\n",
    greeting=b"* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN] ready\r\n",
    before={b"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\nTAG OK\r\n"},
    after={
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\nTAG OK\r\n",
        b"AUTHENTICATE": b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n",
        b"LOGIN": b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n",
        b"LIST": b'* LIST () "/" INBOX\r\nTAG OK\r\n',
        b"SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 9]\r\nTAG OK\r\n",
        b"NOOP": b"TAG OK\r\n",
        b"LOGOUT": b"* BYE\r\nTAG OK\r\n",
    },
    open=ImapSession.open,
)
POP3 = Protocol(
    name="pop3",
    upgrade=b"STLS",
    begin=b"+OK begin\r\n",
    greeting=b"+OK ready\r\n",
    before={b"CAPA": b"+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n"},
    after={
        b"CAPA": b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n",
        b"USER": b"+OK\r\n",
        b"PASS": b"+OK\r\n",
        b"LIST": b"+OK\r\n1 100\r\n.\r\n",
        b"UIDL": b"+OK\r\n1 a\r\n.\r\n",
        b"NOOP": b"+OK\r\n",
        b"QUIT": b"+OK\r\n",
    },
    open=Pop3Session.open,
)


@dataclass
class Upgrading:
    """Answers by the first key that a command begins with. Where the clear answer to the upgrade
    begins as `begin` does, TLS follows; `meanwhile` is called before the handshake, and `in_tls`
    once it is done.
    """

    protocol: Protocol
    authority: Authority
    greeting: bytes = b""
    before: Replies = field(default_factory=dict)
    after: Replies = field(default_factory=dict)
    meanwhile: Callable[[socket.socket], None] = lambda peer: None
    in_tls: Callable[[ssl.SSLSocket], None] = lambda peer: None
    heard_in_clear: list[bytes] = field(default_factory=list)
    heard_in_tls: list[bytes] = field(default_factory=list)
    port: int = 0

    def open(self, *, ca_file: str | None = None) -> Session:
        endpoint = Endpoint(
            host="localhost",
            port=self.port,
            security=Security.STARTTLS,
            ca_file=self.authority.ca_file if ca_file is None else ca_file,
            connect_timeout=5,
            read_timeout=0.6,
            allow_private=True,
        )
        return self.protocol.open(endpoint, ANA)

    def script(self, peer: socket.socket) -> None:
        peer.sendall(self.greeting or self.protocol.greeting)
        if not self._serve(peer, {**self.protocol.before, **self.before}, self.heard_in_clear):
            return
        self.meanwhile(peer)
        with self.authority.context.wrap_socket(peer, server_side=True) as wrapped:
            self.in_tls(wrapped)
            self._serve(wrapped, {**self.protocol.after, **self.after}, self.heard_in_tls)

    def _serve(self, peer: socket.socket, replies: Replies, heard: list[bytes]) -> bool:
        """Until TLS is to begin, or the client hangs up; the first of these is True."""
        in_clear = heard is self.heard_in_clear
        while line := line_from(peer):
            heard.append(line)
            tag, command = b"", line.rstrip()
            if self.protocol.name == "imap":
                tag, _, command = command.partition(b" ")
            default = self.protocol.begin if command == self.protocol.upgrade else b""
            found = (reply for key, reply in replies.items() if command.startswith(key))
            reply = next(found, default).replace(b"TAG", tag)
            peer.sendall(reply)
            begins = reply.find(self.protocol.begin.replace(b"TAG", tag)) >= 0
            if in_clear and command == self.protocol.upgrade and begins:
                return True
        return False


@contextlib.contextmanager
def upgrading(protocol: Protocol, authority: Authority, **settings: object) -> Iterator[Upgrading]:
    """It listens on loopback. Whatever happened, nothing secret was said in the clear."""
    server = Upgrading(protocol, authority, **settings)  # type: ignore[arg-type]
    with scripted(server.script) as port:
        server.port = port
        yield server
    said = b"".join(server.heard_in_clear)
    assert not any(secret in said for secret in SECRETS), said


def as_imap(server: Upgrading) -> ImapSession:
    session = server.open()
    assert isinstance(session, ImapSession)
    return session


def as_pop3(server: Upgrading) -> Pop3Session:
    session = server.open()
    assert isinstance(session, Pop3Session)
    return session
