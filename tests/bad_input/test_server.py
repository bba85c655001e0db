"""Wrong hosts, ports, encryption and strangers: a sentence for each, and then the right values.

All wrong accounts of a protocol are collected by one command: none of them holds up another.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from buzon.demo.server import MailServer, Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import SECRET, Shop
from tests.wire.scripted import scripted, until_closed

PROTOCOLS = ("imap", "pop3")
DEEDS = (
    "fetched-body", "stored", "expunged", "moved", "retrieved", "marked-deleted", "deleted",
)  # fmt: skip
Fields = dict[str, Any]


def account(name: str, server: MailServer, **wrong: Any) -> Fields:
    """The fields of one that would work there, but for what is wrong."""
    right = {
        "name": name,
        "host": server.host,
        "port": server.port,
        "protocol": server.protocol,
        "security": server.security,
        "pinned_sha256": server.certificate_sha256,
        "username": name,
        "secret": SECRET,
        "create_customer": True,
    }
    return right | wrong


def fill(mail: Mailstore, logins: list[str]) -> None:
    """Three letters for each: over POP3 one login cannot be used by two at once."""
    for name in logins:
        box = mail.add_login(name, SECRET)
        for number in range(3):
            box.folder().deliver(letter(number))


def impatient(shop: Shop) -> None:
    """Servers here answer at once, or never."""
    shop.env["BUZON_READ_TIMEOUT_SECONDS"] = shop.env["BUZON_CONNECT_TIMEOUT_SECONDS"] = "1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


# What each of them is told. The name says what the account asks for, and what is there.
TOLD = {
    "imap": {
        "host": "The server's name nowhere.invalid was not found; check how it is written.",
        "port": "(Connection refused); check the server's name and the port.",
        "tls on clear": "check the port and the kind of encryption.",
        "tls on starttls": "check the port and the kind of encryption.",
        "clear on tls": "did not answer within 1 seconds",
        "starttls on tls": "did not answer within 1 seconds",
        "starttls on clear": "does not offer STARTTLS on this port; try TLS on port 993.",
        "password": "check the user name and the secret.",
    },
    "pop3": {
        "host": "The server's name nowhere.invalid was not found; check how it is written.",
        "port": "(Connection refused); check the server's name and the port.",
        "tls on clear": "check the port and the kind of encryption.",
        "tls on starttls": "check the port and the kind of encryption.",
        "clear on tls": "did not answer within 1 seconds",
        "starttls on tls": "did not answer within 1 seconds",
        "starttls on clear": "offers no STARTTLS; nothing secret was sent.",
        "password": "check the login and the password.",
    },
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_wrong_value_is_told_and_then_the_right_one_works(
    shop: Shop, mail: Mailstore, serve: Serve, protocol: str
) -> None:
    impatient(shop)
    tls, starttls, clear = (serve(protocol, how) for how in ("tls", "starttls", "none"))
    right = {
        "host": account("host", clear),
        "port": account("port", clear),
        "tls on clear": account("tls on clear", clear),
        "tls on starttls": account("tls on starttls", starttls),
        "clear on tls": account("clear on tls", tls),
        "starttls on tls": account("starttls on tls", tls),
        "starttls on clear": account("starttls on clear", clear),
        "password": account("password", clear),
    }
    wrong: dict[str, Fields] = {
        "host": {"host": "nowhere.invalid"},
        "port": {"port": free_port()},
        "tls on clear": {"security": "tls", "pinned_sha256": "ab" * 32},
        "tls on starttls": {"security": "tls"},
        "clear on tls": {"security": "none"},
        "starttls on tls": {"security": "starttls"},
        "starttls on clear": {"security": "starttls", "pinned_sha256": "ab" * 32},
        "password": {"secret": "guess"},
    }
    fill(mail, list(right))
    shop.accounts(right[name] | wrong[name] for name in right)
    told = shop.fail()
    assert list(told) == sorted(right)
    for name, sentence in told.items():
        assert TOLD[protocol][name] in sentence
        assert "guess" not in sentence
    assert not mail.deeds(*DEEDS)
    shop.accounts(right.values())
    all_is_well(shop, list(right))


def all_is_well(shop: Shop, names: list[str]) -> None:
    """Each of them collects the three letters."""
    totals = shop("collect", "--once", "--json").json()
    assert {each["account"]: (each["filed"], each["error"]) for each in totals} == dict.fromkeys(
        names, (3, "")
    )


def silence(peer: socket.socket) -> None:
    """Says nothing until the client hangs up."""
    until_closed(peer)


def http(peer: socket.socket) -> None:
    """A web server answers anything with a page."""
    peer.settimeout(0.5)
    with suppress(TimeoutError):
        peer.recv(1000)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def noise(peer: socket.socket) -> None:
    """All octets there are, without an end of the line."""
    peer.sendall(bytes(sorted(set(range(256)) - {10})) * 20)
    until_closed(peer)


def hangs_up(peer: socket.socket) -> None:
    """At once."""


STRANGERS = (silence, http, noise, hangs_up)
SECURITIES = ("none", "starttls", "tls")


@pytest.fixture
def strangers() -> Iterator[dict[Callable[[socket.socket], None], int]]:
    """Servers that are none of mail's; their ports."""
    with ExitStack() as stack:
        yield {behave: stack.enter_context(scripted(behave)) for behave in STRANGERS}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_that_says_nothing_or_is_no_mail_server(
    shop: Shop, mail: Mailstore, serve: Serve, protocol: str,
    strangers: dict[Callable[[socket.socket], None], int],
) -> None:  # fmt: skip
    impatient(shop)
    shop.env["BUZON_MAX_ACCOUNTS"] = "12"
    server = serve(protocol)
    pairs = [(behave, how) for behave in STRANGERS for how in SECURITIES]
    names = [f"{behave.__name__} {how}" for behave, how in pairs]
    fill(mail, names)
    shop.accounts(
        account(name, server, port=strangers[behave], security=how)
        for name, (behave, how) in zip(names, pairs, strict=True)
    )
    told = shop.fail()
    assert sorted(told) == sorted(names)
    for name, sentence in told.items():
        assert "check" in sentence or "try" in sentence, (name, sentence)
    shop.accounts(account(name, server) for name in names)
    all_is_well(shop, names)
