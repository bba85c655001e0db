"""A blocking stream of octets to a mail server, with a deadline on every step.

    TCP ──(Security.TLS)──────────────► TLS ──start_deflate──► DEFLATE inside TLS
     └──(STARTTLS) start_tls ──────────► TLS

Every OSError, ssl.SSLError and zlib.error ends here and leaves as one of our own errors.
"""

import contextlib
import socket
import ssl
import time
import zlib

from buzon.wire import tls
from buzon.wire.address import connected
from buzon.wire.endpoint import Endpoint, Security
from buzon.wire.errors import ConnectFailed, TimedOut, TlsRefused, template
from buzon.wire.patience import Patience
from buzon.wire.waits import came, waiting

_NO_ANSWER = template(
    "{host} did not answer within {seconds} seconds; try later, or check the port and the "
    "encryption."
)
_TOO_SLOW = template("{host} answers too slowly to go on.")
_NOT_TAKEN = template(
    "{host} did not take our command within {seconds} seconds; try later, or check the port and "
    "the encryption."
)


class Transport:
    """One connection. `bytes_in` and `bytes_out` count octets as on the wire (compressed, but
    without TLS's own); `encrypted` says whether TLS is on. `patience` is with the answer under way:
    whoever sends a command begins it anew. Used by one thread at a time.
    """

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        self.endpoint = endpoint
        self.encrypted = False
        self.bytes_in = 0
        self.bytes_out = 0
        self.patience = Patience(endpoint.answer_timeout)
        self._sock = sock
        self._certificate = ""
        self._deflate: _Deflate | None = None

    @classmethod
    def connect(cls, endpoint: Endpoint) -> "Transport":
        """TCP, and TLS at once when `endpoint.security` is TLS.

        Raises ConnectFailed, TimedOut, TlsRefused; NotPermitted for a private address where
        `endpoint.allow_private` is off.
        """
        with waiting():
            sock = connected(endpoint)
        transport = cls(endpoint, sock)
        if endpoint.security is Security.TLS:
            transport._handshake()
        return transport

    def start_tls(self, unread: bytes = b"") -> None:
        """Upgrade after the server's OK. `unread` is what the caller received behind that OK.

        Whatever came in the clear before the handshake may have been put there by somebody in
        between, so nothing of it may be believed under TLS: any of it is TlsRefused.
        """
        if unread or self._something_waits():
            self.close()
            raise TlsRefused(
                "{host} sent more than its answer before TLS began; "
                "somebody may be tampering with the connection.",
                host=self.endpoint.host,
            )
        self._handshake()

    def start_deflate(self, unread: bytes = b"") -> None:
        """COMPRESS=DEFLATE in both directions (RFC 4978); `unread` is compressed already."""
        self._deflate = _Deflate(unread)

    def send(self, data: bytes) -> None:
        """The whole of `data`, within `read_timeout` seconds. Raises TimedOut, ConnectFailed."""
        if self._deflate is not None:
            data = self._deflate.pack(data)
        deadline = time.monotonic() + self.endpoint.read_timeout
        rest = memoryview(data)
        while rest:
            try:
                self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
                with waiting():
                    sent = self._sock.send(rest)
            except TimeoutError as error:
                raise self._timed_out(_NOT_TAKEN) from error
            except OSError as error:
                raise self._cut() from error
            self.bytes_out += sent
            rest = rest[sent:]

    def receive(self, most: int = 262_144) -> bytes:
        """1 to `most` octets, within `read_timeout` seconds, and while patience lasts; never b"".

        Raises TimedOut; ConnectFailed at the end of the stream.
        """
        seconds = min(self.endpoint.read_timeout, self.patience.left)
        if seconds <= 0:
            raise self._timed_out(_TOO_SLOW)
        began, before = time.monotonic(), self.bytes_in
        data = self._read(most, seconds)
        self.patience.spent(time.monotonic() - began, len(data or b""))
        if self.patience.is_flooded:
            raise ConnectFailed("The server sent a response larger than we accept.")
        if data is None:
            is_silent = seconds == self.endpoint.read_timeout
            raise self._timed_out(_NO_ANSWER if is_silent else _TOO_SLOW)
        if self.endpoint.pace is not None:
            self.endpoint.pace(self.bytes_in - before)
        return data

    def receive_if_any(self, seconds: float) -> bytes | None:
        """1 octet or more when they come within `seconds`, else None; for IDLE.

        Raises ConnectFailed at the end of the stream: a closed connection is not a quiet one.
        """
        return self._read(262_144, seconds)

    def certificate_sha256(self) -> str:
        """Lower-case hex of the peer's certificate (DER), "" in the clear."""
        return self._certificate

    def close(self) -> None:
        """Drop the connection; safe at any time, twice too."""
        with contextlib.suppress(OSError):
            self._sock.close()

    def abort(self) -> None:
        """End the connection under a thread that waits for it, which gets ConnectFailed at once;
        from any thread. `close` is still to be called.
        """
        with contextlib.suppress(OSError):
            # Not the TLS socket's own shutdown, which would take its state from under the reader.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _handshake(self) -> None:
        try:
            with waiting():
                wrapped = tls.secured(self._sock, self.endpoint)
        except BaseException:
            self.close()
            raise
        self._sock = wrapped
        self._certificate = tls.fingerprint(wrapped)
        self.encrypted = True

    def _something_waits(self) -> bool:
        try:
            self._sock.settimeout(0)
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._cut() from error

    def _read(self, most: int, seconds: float) -> bytes | None:
        if self._deflate is None:
            return self._read_socket(most, seconds)
        deadline = time.monotonic() + seconds
        while True:
            try:
                data = self._deflate.unpack(most)
            except zlib.error as error:
                raise ConnectFailed(
                    "{host} sent compressed data that makes no sense.", host=self.endpoint.host
                ) from error
            if data:
                return data
            packed = self._read_socket(most, max(deadline - time.monotonic(), 0))
            if packed is None:
                return None
            self._deflate.feed(packed)

    def _read_socket(self, most: int, seconds: float) -> bytes | None:
        try:
            self._sock.settimeout(max(seconds, 0))
            with waiting():
                data = self._sock.recv(most)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            raise self._cut() from error
        if not data:
            raise self._cut()
        self.bytes_in += len(data)
        came(len(data))
        return data

    def _timed_out(self, told: str) -> TimedOut:
        return TimedOut(told, host=self.endpoint.host, seconds=f"{self.endpoint.read_timeout:g}")

    def _cut(self) -> ConnectFailed:
        return ConnectFailed("{host} cut the connection; try again later.", host=self.endpoint.host)


class _Deflate:
    """Raw DEFLATE, both ways. What comes in is unpacked in pieces of a bounded size, because a
    few octets may unpack to very many."""

    def __init__(self, unread: bytes) -> None:
        self._packer = zlib.compressobj(level=6, wbits=-zlib.MAX_WBITS)
        self._unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._packed = unread

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, packed: bytes) -> None:
        self._packed += packed

    def unpack(self, most: int) -> bytes:
        """Up to `most` octets, b"" when more has to be fed. Raises zlib.error."""
        data = self._unpacker.decompress(self._packed, most)
        self._packed = self._unpacker.unconsumed_tail
        if not data and self._unpacker.eof:
            raise zlib.error("the compressed stream has ended")
        return data
