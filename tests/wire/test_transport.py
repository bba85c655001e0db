"""The stream: deadlines, certificates, STARTTLS, DEFLATE, and which addresses are visited."""

import socket
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from buzon.wire.endpoint import Endpoint, Security
from buzon.wire.errors import ConnectFailed, NotPermitted, TimedOut, TlsRefused
from buzon.wire.transport import Transport
from tests.wire.authority import Authority
from tests.wire.scripted import scripted, until_closed


def clear(port: int, *, read_timeout: float = 5) -> Endpoint:
    return Endpoint(
        host="127.0.0.1",
        port=port,
        allow_private=True,
        security=Security.NONE,
        read_timeout=read_timeout,
    )


def secure(port: int, *, ca_file: str = "", pinned: str = "", host: str = "localhost") -> Endpoint:
    return Endpoint(
        host=host,
        port=port,
        security=Security.TLS,
        ca_file=ca_file,
        pinned_sha256=pinned,
        allow_private=True,
        connect_timeout=5,
        read_timeout=5,
    )


def greet(peer: socket.socket) -> None:
    peer.sendall(b"hello")
    until_closed(peer)


def test_octets_go_both_ways_and_are_counted() -> None:
    def echo(peer: socket.socket) -> None:
        peer.sendall(peer.recv(100).upper())
        until_closed(peer)

    with scripted(echo) as port, Transport.connect(clear(port)) as transport:
        transport.send(b"hello")
        assert transport.receive() == b"HELLO"
        assert (transport.bytes_in, transport.bytes_out) == (5, 5)
        assert not transport.encrypted
        assert transport.certificate_sha256() == ""


def test_the_end_of_the_stream_is_an_error_never_nothing() -> None:
    with scripted(lambda peer: None) as port, Transport.connect(clear(port)) as transport:
        with pytest.raises(ConnectFailed, match="cut"):
            transport.receive()
        with pytest.raises(ConnectFailed, match="cut"):
            transport.receive_if_any(1)


def test_a_silent_server_times_out_within_the_deadline() -> None:
    with (
        scripted(until_closed_quietly) as port,
        Transport.connect(clear(port, read_timeout=0.3)) as transport,
    ):
        begun = time.monotonic()
        with pytest.raises(TimedOut, match=r"did not answer within 0\.3 seconds"):
            transport.receive()
        assert 0.25 < time.monotonic() - begun < 3


def until_closed_quietly(peer: socket.socket) -> None:
    until_closed(peer)


def test_a_server_that_reads_nothing_times_out_our_sending() -> None:
    def deaf(peer: socket.socket) -> None:
        time.sleep(1.5)

    with (
        scripted(deaf) as port,
        Transport.connect(clear(port, read_timeout=0.3)) as transport,
        pytest.raises(TimedOut, match="take our command"),
    ):
        transport.send(bytes(50_000_000))


def test_receive_if_any_is_none_when_nothing_came() -> None:
    with scripted(until_closed_quietly) as port, Transport.connect(clear(port)) as transport:
        assert transport.receive_if_any(0) is None
        assert transport.receive_if_any(0.05) is None


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ConnectFailed, match="refused"):
        Transport.connect(clear(port))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "", "a" * 300, "ex..ample"])
def test_no_such_host(host: str) -> None:
    with pytest.raises(ConnectFailed):
        Transport.connect(replace(clear(1), host=host))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_no_such_port(port: int) -> None:
    with pytest.raises(ConnectFailed, match="port"):
        Transport.connect(clear(port))


def test_a_host_with_control_characters_is_refused() -> None:
    with pytest.raises(NotPermitted, match="control character"):
        Transport.connect(replace(clear(1), host="mail.example\r\nevil"))


def test_a_certificate_of_an_unknown_authority_is_refused_and_shown(authority: Authority) -> None:
    with (
        scripted(greet, authority.context) as port,
        pytest.raises(TlsRefused, match=authority.sha256),
    ):
        Transport.connect(secure(port))


def test_a_certificate_of_a_given_authority_is_accepted(authority: Authority) -> None:
    with (
        scripted(greet, authority.context) as port,
        Transport.connect(secure(port, ca_file=authority.ca_file)) as transport,
    ):
        assert transport.encrypted
        assert transport.certificate_sha256() == authority.sha256
        assert transport.receive() == b"hello"


def test_a_pinned_certificate_is_accepted_under_any_name(authority: Authority) -> None:
    pinned = authority.sha256.upper()
    with (
        scripted(greet, authority.context) as port,
        Transport.connect(secure(port, pinned=pinned, host="127.0.0.1")) as transport,
    ):
        assert transport.receive() == b"hello"


def test_another_certificate_than_the_pinned_one_is_refused(authority: Authority) -> None:
    with (
        scripted(greet, authority.context) as port,
        pytest.raises(TlsRefused, match="not the pinned one"),
    ):
        Transport.connect(secure(port, pinned="ab" * 32, ca_file=authority.ca_file))


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    with (
        scripted(greet, authority.context) as port,
        pytest.raises(TlsRefused, match=r"127\.0\.0\.1"),
    ):
        Transport.connect(secure(port, ca_file=authority.ca_file, host="127.0.0.1"))


def test_an_authority_file_that_cannot_be_read(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    for name in ("absent.pem", "bad.pem"):
        with scripted(greet, authority.context) as port, pytest.raises(TlsRefused, match=name):
            Transport.connect(secure(port, ca_file=str(tmp_path / name)))


def test_a_server_without_tls_on_a_tls_port_is_told_so() -> None:
    def plain(peer: socket.socket) -> None:
        peer.sendall(b"* OK IMAP ready, in the clear\r\n")
        until_closed(peer)

    with scripted(plain) as port, pytest.raises(TlsRefused, match="kind of encryption"):
        Transport.connect(secure(port))


def test_a_peer_that_hangs_up_in_the_handshake() -> None:
    with scripted(lambda peer: None) as port, pytest.raises(ConnectFailed):
        Transport.connect(secure(port))


def test_a_handshake_that_stalls_times_out() -> None:
    with scripted(until_closed_quietly) as port, pytest.raises(TimedOut, match="handshake"):
        Transport.connect(replace(secure(port), connect_timeout=0.3))


def starttls(port: int, authority: Authority) -> Endpoint:
    return replace(secure(port, ca_file=authority.ca_file), security=Security.STARTTLS)


def test_starttls_upgrades(authority: Authority) -> None:
    def upgrade(peer: socket.socket) -> None:
        peer.sendall(b"OK\r\n")
        with authority.context.wrap_socket(peer, server_side=True) as wrapped:
            wrapped.sendall(b"secret")
            until_closed(wrapped)

    with scripted(upgrade) as port, Transport.connect(starttls(port, authority)) as transport:
        assert not transport.encrypted
        assert transport.receive(4) == b"OK\r\n"
        transport.start_tls()
        assert transport.encrypted
        assert transport.receive() == b"secret"


@pytest.mark.parametrize("where", ["already read", "still in the socket"])
def test_what_came_before_the_handshake_is_refused(authority: Authority, where: str) -> None:
    def inject(peer: socket.socket) -> None:
        peer.sendall(b"OK\r\n* injected\r\n")
        until_closed(peer)

    with scripted(inject) as port, Transport.connect(starttls(port, authority)) as transport:
        if where == "already read":
            received = transport.receive()
            while not received.endswith(b"injected\r\n"):
                received += transport.receive()
            unread = received[4:]
        else:
            assert transport.receive(4) == b"OK\r\n"
            unread = b""
        with pytest.raises(TlsRefused, match="tampering"):
            transport.start_tls(unread)
        assert not transport.encrypted


def test_deflate_both_ways_and_big_answers_in_bounded_pieces() -> None:
    packer = zlib.compressobj(wbits=-15)

    def deflating(peer: socket.socket) -> None:
        unpacker = zlib.decompressobj(wbits=-15)
        said = b""
        while not said.endswith(b"\n"):
            said += unpacker.decompress(peer.recv(100))
        peer.sendall(packer.compress(said * 1_000_000) + packer.flush(zlib.Z_SYNC_FLUSH))
        until_closed(peer)

    with scripted(deflating) as port, Transport.connect(clear(port)) as transport:
        transport.patience.logged_in()
        transport.start_deflate()
        transport.send(b"hola\n")
        total = 0
        while total < 5_000_000:
            piece = transport.receive(100_000)
            assert 0 < len(piece) <= 100_000
            total += len(piece)
        assert total == 5_000_000
        assert transport.bytes_in < 100_000
        assert transport.receive_if_any(0) is None


@pytest.mark.parametrize("octets", [b"\xff\xff\xff nonsense", zlib.compress(b"x", wbits=-15)])
def test_compressed_nonsense_and_an_ended_stream(octets: bytes) -> None:
    def send(peer: socket.socket) -> None:
        peer.sendall(octets)
        until_closed(peer)

    with scripted(send) as port, Transport.connect(clear(port)) as transport:
        transport.start_deflate()
        with pytest.raises(ConnectFailed, match="makes no sense"):
            until_failure(transport)


def until_failure(transport: Transport) -> None:
    for _ in range(2):
        transport.receive()


def test_compressed_data_that_came_with_the_answer_is_not_lost() -> None:
    packed = zlib.compress(b"early", wbits=-15)
    with scripted(until_closed_quietly) as port, Transport.connect(clear(port)) as transport:
        transport.start_deflate(packed)
        assert transport.receive() == b"early"


@pytest.mark.parametrize("encrypted", [False, True])
def test_another_thread_may_end_a_wait_at_once(authority: Authority, encrypted: bool) -> None:
    context = authority.context if encrypted else None
    with scripted(until_closed, context) as port:
        endpoint = secure(port, ca_file=authority.ca_file) if encrypted else clear(port)
        with Transport.connect(endpoint) as transport:
            threading.Timer(0.2, transport.abort).start()
            began = time.monotonic()
            with pytest.raises(ConnectFailed):
                transport.receive()
            assert time.monotonic() - began < endpoint.read_timeout / 2
            transport.abort()  # safe where nothing is left to end
