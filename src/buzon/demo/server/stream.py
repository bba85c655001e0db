"""A connection's octets: lines in, writes out, over plain TCP, TLS or DEFLATE."""

import select
import socket
import ssl
import zlib

READ_SIZE = 262_144
WRITE_SIZE = 262_144
LONGEST_LINE = 65_536


class Hangup(Exception):
    """The client went away, or the server is being stopped."""


class LineTooLong(Exception):
    """A line passed 65,536 octets; it is not read to its end."""


class Stream:
    """Blocking reads and buffered writes of one connection, used by the thread that serves it.

    `wake` may be called from any thread, and ends a `wait` early.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._typed = bytearray()
        self._out: list[bytes] = []
        self._out_size = 0
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None
        self._is_aborted = False
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)

    @property
    def encrypted(self) -> bool:
        """Whether TLS is in place."""
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def compressed(self) -> bool:
        """Whether DEFLATE is in place."""
        return self._deflate is not None

    def read_line(self) -> bytes:
        """The next line with its end. Raises Hangup, LineTooLong."""
        searched = 0
        while (end := self._typed.find(b"\n", searched)) < 0:
            if len(self._typed) > LONGEST_LINE:
                raise LineTooLong
            searched = len(self._typed)
            self._read_more()
        line = bytes(self._typed[: end + 1])
        del self._typed[: end + 1]
        return line

    def read_exactly(self, size: int) -> bytes:
        """This many octets."""
        while len(self._typed) < size:
            self._read_more()
        octets = bytes(self._typed[:size])
        del self._typed[:size]
        return octets

    def forget_typed(self) -> None:
        """Throw away what was read and not yet used."""
        self._typed.clear()

    def write(self, data: bytes) -> None:
        """Send in a while: at the next flush, or when enough has come together."""
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= WRITE_SIZE:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting."""
        if not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        if self._deflate:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Hangup from error

    def wait(self) -> bool:
        """Wait for the client (True) or for `wake` (False)."""
        if self._typed or self._pending_in_tls():
            return True
        try:
            waiting = select.poll()  # not select, which ends at descriptor 1,023
            waiting.register(self._socket, select.POLLIN)
            waiting.register(self._bell, select.POLLIN)
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if self._socket.fileno() in ready:
                return True
            self._bell.recv(4096)
        except (OSError, ValueError) as error:
            raise Hangup from error
        return False

    def wake(self) -> None:
        """End the `wait` that is under way, or the next one."""
        try:
            self._ringer.send(b"!")
        except OSError:
            return  # full: it will wake anyhow; closed: nobody waits any more

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands. What the client typed before it is dropped (RFC 3501, 6.2.1; CVE-2011-0411).

        Raises Hangup where the handshake fails.
        """
        self.flush()
        self.forget_typed()
        try:
            wrapped = context.wrap_socket(
                self._socket, server_side=True, do_handshake_on_connect=False
            )
            self._socket = wrapped  # before the handshake, so that abort reaches it
            if self._is_aborted:
                raise Hangup  # abort came when neither socket was to be had
            wrapped.do_handshake()
        except (OSError, ValueError) as error:
            raise Hangup from error

    def start_deflate(self) -> None:
        """Compress both ways from here on (RFC 4978): raw DEFLATE, no header."""
        self.flush()
        self._deflate = zlib.compressobj(level=1, wbits=-15)
        self._inflate = zlib.decompressobj(wbits=-15)
        early = bytes(self._typed)
        try:
            self._typed = bytearray(self._inflate.decompress(early))
        except zlib.error as error:
            raise Hangup from error

    def abort(self) -> None:
        """Make the thread that reads here fail with Hangup. From any thread."""
        self._is_aborted = True
        self.wake()
        try:
            # Not SSLSocket.shutdown, which takes the TLS object away from under the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    def close(self) -> None:
        """Say good-bye to TLS without waiting for the answer, and close."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._notify_close(self._socket)
        self._socket.close()
        self._bell.close()
        self._ringer.close()

    @staticmethod
    def _notify_close(connection: ssl.SSLSocket) -> None:
        try:
            connection.settimeout(0)
            connection.unwrap()
        except (OSError, ValueError):
            return  # sent, and the client's own is not waited for; or there is no one to send to

    def _pending_in_tls(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _read_more(self) -> None:
        self.flush()
        try:
            data = self._socket.recv(READ_SIZE)
            if not data:
                raise Hangup
            self._typed += self._inflate.decompress(data) if self._inflate else data
        except (OSError, zlib.error) as error:
            raise Hangup from error
