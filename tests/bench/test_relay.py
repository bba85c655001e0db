"""The relay is what "far away" means: late, in order, whole, and as fast as without it."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from bench.relay import far

ONE_WAY = 0.03


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"* OK\r\n")
        while octets := self.request.recv(65_536):
            self.wfile.write(octets)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def relay() -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with far(server.server_address[1], one_way=ONE_WAY) as port:
            yield port
        server.shutdown()


@pytest.fixture
def stream(relay: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", relay), timeout=20) as stream:
        yield stream


def test_a_greeting_comes_after_the_handshake(relay: int) -> None:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", relay), timeout=20) as stream:
        assert received(stream, 6) == b"* OK\r\n"
    assert time.monotonic() - started >= 4 * ONE_WAY


def test_an_answer_takes_both_ways(stream: socket.socket) -> None:
    received(stream, 6)
    started = time.monotonic()
    stream.sendall(b"hello")
    assert received(stream, 5) == b"hello"
    assert time.monotonic() - started >= 2 * ONE_WAY


def test_what_is_sent_at_once_is_on_the_way_together(stream: socket.socket) -> None:
    """A hundred small pieces take one round trip, not a hundred (6 s)."""
    received(stream, 6)
    pieces = [b"%04d" % number for number in range(100)]
    started = time.monotonic()
    for piece in pieces:
        stream.sendall(piece)
    assert received(stream, 400) == b"".join(pieces)
    assert time.monotonic() - started < 100 * 2 * ONE_WAY / 2


def test_much_comes_whole_and_in_order(stream: socket.socket) -> None:
    received(stream, 6)
    octets = b"".join(b"%08d" % number for number in range(1_000_000))
    sending = threading.Thread(target=stream.sendall, args=(octets,))
    sending.start()
    assert received(stream, len(octets)) == octets
    sending.join()


def test_the_end_comes_last(stream: socket.socket) -> None:
    received(stream, 6)
    stream.sendall(b"bye")
    assert received(stream, 3) == b"bye"
    stream.shutdown(socket.SHUT_WR)
    assert stream.recv(1) == b""


def received(stream: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        octets = stream.recv(size - len(found))
        assert octets, "it was cut"
        found += octets
    return bytes(found)
