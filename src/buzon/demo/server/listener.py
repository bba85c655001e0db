"""A mail server on this machine for as long as a `with` lasts: one thread per connection.

    MailServer.accept ── thread ── ImapConnection or Pop3Connection .serve()

To make a server that misbehaves, subclass the connection (its `write` and `dispatch`) or the
stream, and name them in a subclass of MailServer.
"""

import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import ClassVar, Literal, Protocol, Self

from buzon.demo.server.imap_connection import ImapConnection
from buzon.demo.server.options import Options
from buzon.demo.server.pop3 import Pop3Connection
from buzon.demo.server.store import Mailstore
from buzon.demo.server.stream import Hangup, Stream
from buzon.demo.server.tls import ServerCertificate, self_signed

PATIENCE = 5.0


class Connection(Protocol):
    """What serves one client."""

    def serve(self) -> None:
        """Until the client goes."""


class MailServer:
    """IMAP or POP3 on a free port of 127.0.0.1, and after a stop on the same port again.

    `security`: "tls" from the first octet, "starttls", or "none". Where no `certificate` is given,
    each start makes a self-signed one; `certificate_path` (PEM) may serve a client as its file of
    authorities, and `certificate_sha256` as a pin.
    """

    imap_connection: ClassVar[type[ImapConnection]] = ImapConnection
    pop3_connection: ClassVar[type[Pop3Connection]] = Pop3Connection

    def __init__(
        self,
        store: Mailstore,
        *,
        protocol: Literal["imap", "pop3"] = "imap",
        security: Literal["tls", "starttls", "none"] = "none",
        options: Options | None = None,
        certificate: ServerCertificate | None = None,
        port: int = 0,
    ) -> None:
        self.store = store
        self.protocol = protocol
        self.security = security
        self.options = options or Options()
        self.host = "127.0.0.1"
        self.port = port
        self.logins_tried = 0
        self._given = certificate
        self._certificate: ServerCertificate | None = None
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._threads: set[threading.Thread] = set()
        self._stopping = False

    def __enter__(self) -> Self:
        self._stopping = False
        # First, because it is what may fail: then no folder is left behind.
        self._listening = socket.create_server((self.host, self.port), backlog=1024)
        self._files = tempfile.TemporaryDirectory(prefix="buzon-server-")
        if self.security != "none":
            self._certificate = self._given or self_signed(Path(self._files.name))
            self._context = self._certificate.context()
        self.port = self._listening.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name=f"accept-{self.port}")
        self._acceptor.daemon = True
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        # shutdown, because close alone does not wake a thread that waits in accept.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)
        self._listening.close()
        self.drop_connections()
        self._files.cleanup()

    @property
    def certificate_path(self) -> str:
        """The certificate's PEM file; "" in the clear."""
        return str(self._certificate.path) if self._certificate else ""

    @property
    def certificate_sha256(self) -> str:
        """Lower-case hex of the certificate's DER; "" in the clear."""
        return self._certificate.sha256 if self._certificate else ""

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What connections shake hands with; None where there is no encryption."""
        return self._context

    def count_login(self) -> int:
        """The number, from 1, of the login that is being tried now."""
        with self._lock:
            self.logins_tried += 1
            return self.logins_tried

    def drop_connections(self) -> None:
        """Cut every connection, and wait until its thread is gone."""
        with self._lock:
            threads = tuple(self._threads)
            for stream in self._streams:
                stream.abort()
        for thread in threads:
            thread.join(PATIENCE)

    def stream_on(self, accepted: socket.socket) -> Stream:
        """The octets of a new client's connection."""
        return Stream(accepted)

    def connection_for(self, stream: Stream) -> Connection:
        """What serves a new client."""
        if self.protocol == "imap":
            return self.imap_connection(self, stream)
        return self.pop3_connection(self, stream)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return  # the listening socket was shut down
            stream = self.stream_on(accepted)
            thread = threading.Thread(target=self._serve, args=(stream,), daemon=True)
            with self._lock:
                # Under the lock, so that whoever drops connections can wait for all it finds.
                thread.start()
                self._streams.add(stream)
                self._threads.add(thread)

    def _serve(self, stream: Stream) -> None:
        try:
            if self.security == "tls" and self._context:
                stream.start_tls(self._context)
            self.connection_for(stream).serve()
        except Hangup:
            pass  # the client is gone; there is nobody to tell
        finally:
            with self._lock:
                self._streams.discard(stream)
                self._threads.discard(threading.current_thread())
            stream.close()
