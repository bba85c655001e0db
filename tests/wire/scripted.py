"""A TCP server on loopback whose every connection runs one function: what no real server does."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket], None]


@contextlib.contextmanager
def scripted(script: Script, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Yields the port. `script` gets each accepted socket (after TLS when `context` is given).

    A client that hangs up in the middle is no error of the script.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = []
    thread = threading.Thread(target=_serve, args=(listener, script, context, open_sockets))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for one in open_sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
        listener.close()
        assert not thread.is_alive(), "the script did not end with its connection"


def _serve(
    listener: socket.socket,
    script: Script,
    context: ssl.SSLContext | None,
    open_sockets: list[socket.socket],
) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        open_sockets.append(peer)
        with contextlib.suppress(OSError):
            if context is not None:
                peer = context.wrap_socket(peer, server_side=True)
                open_sockets.append(peer)
            script(peer)
        with contextlib.suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)
        peer.close()


def until_closed(peer: socket.socket) -> bytes:
    """Everything the client sends until it hangs up."""
    said = b""
    while data := peer.recv(65536):
        said += data
    return said


def line_from(peer: socket.socket) -> bytes:
    """One line of the client, with its CRLF; short when it hung up."""
    line = b""
    while not line.endswith(b"\r\n"):
        octet = peer.recv(1)
        if not octet:
            break
        line += octet
    return line
