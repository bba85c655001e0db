"""Hosts that point inside: every range, every way of writing, and names that change their mind."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.wire.address import connected
from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.errors import ConnectFailed, NotPermitted
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from buzon.wire.public_address import is_public

SETTING = "BUZON_ALLOW_PRIVATE_HOSTS=yes"
PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "223.255.255.255")
INSIDE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.0.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.255", "100.100.100.200", "168.63.129.16"),
    *("192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
)
WAYS_TO_WRITE = (
    *("127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "017700000001", "0x7f.1", "0x7f000001"),
    *("0x7F.0.0.0x1", "2130706433", "0", "localhost", "localhost.", "127.0.0.1.", "①②⑦.⓪.⓪.①"),
    *("127。0。0。1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1"),
    *("::", "64:ff9b::7f00:1", "2002:7f00:1::", "[::1]", "fe80::1%lo"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("2606:4700::1111", True),
        ("2a00:1450:4003::1", True),
        ("2001:200::1", True),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("fd20:ce::254", False),
        ("ff02::1", False),
        ("100::1", False),
        ("2001:db8::1", False),
        ("2001:10::1", False),
        ("3fff::1", False),
        ("4000::1", False),
        ("5f00::1", False),
        ("64:ff9b:1::808:808", False),
    ],
)
def test_ipv6(address: str, public: bool) -> None:
    assert is_public(address) is public


CARRIERS: dict[str, Callable[[int], int]] = {
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "nat64": lambda v4: 0x64FF9B << 96 | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
}
NEVER: dict[str, Callable[[int], int]] = {
    "compatible": lambda v4: v4,
    "translated": lambda v4: 0xFFFF << 48 | v4,
    "teredo server": lambda v4: 0x20010000 << 96 | v4 << 64 | 0xF7F7F7F7,
    "teredo client": lambda v4: 0x20010000 << 96 | 0x08080808 << 64 | v4 ^ 0xFFFFFFFF,
}


@pytest.mark.parametrize("address", PUBLIC + INSIDE)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_ipv6_address_is_what_the_one_inside_is(carrier: str, address: str) -> None:
    number = CARRIERS[carrier](int(ipaddress.IPv4Address(address)))
    assert is_public(str(ipaddress.IPv6Address(number))) is is_public(address)


@pytest.mark.parametrize("address", PUBLIC + INSIDE)
@pytest.mark.parametrize("carrier", NEVER)
def test_what_is_in_no_use_is_never_visited(carrier: str, address: str) -> None:
    number = NEVER[carrier](int(ipaddress.IPv4Address(address)))
    assert not is_public(str(ipaddress.IPv6Address(number)))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_python_calls_inside_is_never_public(ip: Any) -> None:
    carried = any(
        ip in ipaddress.ip_network(net) for net in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")
    )
    assert not (is_public(str(ip)) and ip.is_private and not carried)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Someone inside; nobody may come."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        yield inside


def outside_only(port: int, host: str = "mail.example") -> Endpoint:
    return Endpoint(
        host=host, port=port, security=Security.NONE, allow_private=False, connect_timeout=1
    )


def nobody_came(listener: socket.socket) -> bool:
    listener.settimeout(0.05)
    with pytest.raises(TimeoutError):
        listener.accept()
    return True


@pytest.mark.parametrize("host", WAYS_TO_WRITE)
def test_no_way_to_write_it_leads_inside(listener: socket.socket, host: str) -> None:
    # What the system's resolver does not know is not found; what it knows is inside.
    with pytest.raises((NotPermitted, ConnectFailed), match=r"BUZON_ALLOW_PRIVATE_HOSTS|not found"):
        connected(outside_only(listener.getsockname()[1], host))
    assert nobody_came(listener)


@pytest.mark.parametrize("open_session", [ImapSession.open, Pop3Session.open])
def test_a_session_is_refused_with_what_to_do(
    listener: socket.socket, open_session: Callable[..., object]
) -> None:
    endpoint = outside_only(listener.getsockname()[1], "127.0.0.1")
    with pytest.raises(NotPermitted, match=SETTING):
        open_session(endpoint, Credentials(username="ana", secret="s3cr3t"))
    assert nobody_came(listener)


def test_where_it_is_allowed_it_is_visited(listener: socket.socket) -> None:
    endpoint = replace(outside_only(listener.getsockname()[1], "127.1"), allow_private=True)
    with connected(endpoint):
        listener.settimeout(2)
        listener.accept()[0].close()


class Resolver:
    """Answers with one list of addresses after the other, as a name server that lies may."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        self.asked += 1
        return [_entry(address, port) for address in self.answers[self.asked - 1]]


def _entry(address: str, port: int) -> tuple[Any, ...]:
    kind, tcp = socket.SOCK_STREAM, socket.IPPROTO_TCP
    if ":" in address:
        return (socket.AF_INET6, kind, tcp, "", (address, port, 0, 0))
    return (socket.AF_INET, kind, tcp, "", (address, port))


class Dialled(list[Any]):
    """The addresses that were connected to; no packet leaves."""

    def instead_of_connect(self, sock: object, address: Any) -> None:
        self.append(address[0])
        raise OSError("unreachable")


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> Dialled:
    seen = Dialled()

    class Watched(socket.socket):
        def connect(self, address: Any) -> None:
            seen.instead_of_connect(self, address)

    monkeypatch.setattr("buzon.wire.address.socket.socket", Watched)
    return seen


def test_a_name_that_changes_its_mind_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, dialled: Dialled
) -> None:
    resolver = Resolver(["8.8.8.8"], ["127.0.0.1"], ["127.0.0.1"])
    monkeypatch.setattr("buzon.wire.address.socket.getaddrinfo", resolver)
    with pytest.raises(ConnectFailed, match="unreachable"):
        connected(outside_only(993))
    assert dialled == ["8.8.8.8"]
    assert resolver.asked == 1


def test_each_session_judges_what_the_name_says_then(
    monkeypatch: pytest.MonkeyPatch, dialled: Dialled
) -> None:
    resolver = Resolver(["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr("buzon.wire.address.socket.getaddrinfo", resolver)
    with pytest.raises(ConnectFailed):
        connected(outside_only(993))
    with pytest.raises(NotPermitted, match=SETTING):
        connected(outside_only(993))
    assert dialled == ["8.8.8.8"]


def test_inner_addresses_among_public_ones_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, dialled: Dialled
) -> None:
    resolver = Resolver(["127.0.0.1", "8.8.8.8", "::1", "fd00:ec2::254", "2606:4700::1111"])
    monkeypatch.setattr("buzon.wire.address.socket.getaddrinfo", resolver)
    with pytest.raises(ConnectFailed):
        connected(outside_only(993))
    assert dialled == ["8.8.8.8", "2606:4700::1111"]


def test_one_inner_address_alone_is_refused_however_often_it_is_named(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    resolver = Resolver(["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"])
    monkeypatch.setattr("buzon.wire.address.socket.getaddrinfo", resolver)
    with pytest.raises(NotPermitted, match=SETTING):
        connected(outside_only(listener.getsockname()[1]))
    assert nobody_came(listener)
