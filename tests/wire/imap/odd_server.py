"""An IMAP server that answers with octets given by the test: what no server should do."""

import contextlib
import socket
import time
from collections.abc import Iterator, Mapping

from buzon.wire.endpoint import Credentials, Endpoint, Limits, Security
from buzon.wire.imap.session import ImapSession
from tests.wire.scripted import line_from, scripted

ANA = Credentials(username="ana", secret="s3cr3t")
GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS MOVE IDLE] ready\r\n"
USUAL = {
    b"AUTHENTICATE": b"TAG OK [CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE] hello\r\n",
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE\r\nTAG OK\r\n",
    b"LOGIN": b"TAG OK hello\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 9]\r\n* OK [UIDNEXT 4]\r\nTAG OK\r\n",
    b"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 9]\r\n* OK [UIDNEXT 4]\r\nTAG OK\r\n",
    b"NOOP": b"TAG OK\r\n",
    b"LOGOUT": b"* BYE bye\r\nTAG OK\r\n",
}


class OddServer:
    """Answers each command by the first of its replies whose key it begins with.

    TAG in a reply becomes the command's tag. A reply of b"" says nothing; CUT hangs up. What the
    client sent is kept in `heard`.
    """

    CUT = b"\0cut"

    def __init__(self, replies: Mapping[bytes, bytes], greeting: bytes) -> None:
        self.heard: list[bytes] = []
        self.port = 0
        self._replies = {**replies, **{k: v for k, v in USUAL.items() if k not in replies}}
        self._greeting = greeting

    def endpoint(
        self,
        *,
        security: Security = Security.NONE,
        read_timeout: float = 5,
        answer_timeout: float = 30,
    ) -> Endpoint:
        return Endpoint(
            host="127.0.0.1",
            port=self.port,
            security=security,
            read_timeout=read_timeout,
            answer_timeout=answer_timeout,
            allow_private=True,
        )

    def session(
        self, *, limits: Limits | None = None, read_timeout: float = 5, answer_timeout: float = 30
    ) -> ImapSession:
        endpoint = self.endpoint(read_timeout=read_timeout, answer_timeout=answer_timeout)
        return ImapSession.open(endpoint, ANA, limits or Limits())

    def script(self, peer: socket.socket) -> None:
        peer.sendall(self._greeting)
        while line := line_from(peer):
            self.heard.append(line)
            tag, _, command = line.rstrip().partition(b" ")
            reply = self._reply_to(command)
            if reply.startswith(self.CUT):
                return
            before, cut, _ = reply.partition(self.CUT)
            peer.sendall(before.replace(b"TAG", tag))
            if cut:
                return

    def _reply_to(self, command: bytes) -> bytes:
        for key, reply in self._replies.items():
            if command.startswith(key):
                return reply
        return b"TAG BAD unknown\r\n"


@contextlib.contextmanager
def odd_server(
    replies: Mapping[bytes, bytes] | None = None, *, greeting: bytes = GREETING
) -> Iterator[OddServer]:
    """An OddServer that listens on loopback."""
    server = OddServer(replies or {}, greeting)
    with scripted(server.script) as port:
        server.port = port
        yield server


@contextlib.contextmanager
def odd_session(
    replies: Mapping[bytes, bytes],
    *,
    limits: Limits | None = None,
    read_timeout: float = 5,
    greeting: bytes = GREETING,
) -> Iterator[ImapSession]:
    """A session with INBOX open on a server that answers so."""
    with odd_server(replies, greeting=greeting) as server:
        session = server.session(limits=limits, read_timeout=read_timeout)
        try:
            session.select("INBOX")
            yield session
        finally:
            session.close()


@contextlib.contextmanager
def trickling_session(
    octets: bytes, *, seconds: float, at_once: int = 1, command: bytes = b"UID FETCH"
) -> Iterator[ImapSession]:
    """A session on a server whose answer to one command comes in steps, `seconds` apart.

    A step is `at_once` octets.
    """
    slow = command

    class Trickling(OddServer):
        def script(self, peer: socket.socket) -> None:
            peer.sendall(self._greeting)
            while line := line_from(peer):
                tag, _, command = line.rstrip().partition(b" ")
                if not command.startswith(slow):
                    peer.sendall(self._reply_to(command).replace(b"TAG", tag))
                    continue
                for start in range(0, len(octets), at_once):
                    peer.sendall(octets[start : start + at_once])
                    time.sleep(seconds)

    server = Trickling({}, GREETING)
    with scripted(server.script) as port:
        server.port = port
        session = server.session(read_timeout=0.4, answer_timeout=0.8)
        try:
            session.select("INBOX")
            yield session
        finally:
            session.close()
