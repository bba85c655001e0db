"""Servers that repeat what they were sent: their answer is shown, the secret never."""

import socket
from collections.abc import Callable

import pytest

from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.errors import MailError
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from tests.wire.scripted import line_from, scripted

SECRETS = ["hunter2", 'with "quotes" and \\', "ñandú y más", "a-token-of-2000-octets." * 90]


def repeats(greeting: bytes, offers: bytes, done: bytes) -> Callable[[socket.socket], None]:
    """Answers what it knows, and repeats every other line in its refusal."""

    def script(peer: socket.socket) -> None:
        peer.sendall(greeting)
        while line := line_from(peer):
            tag, _, command = line.strip().partition(b" ")
            if b"CAPA" in line.upper():
                peer.sendall(offers + done.replace(b"TAG", tag))
            elif line.startswith(b"USER"):
                peer.sendall(b"+OK\r\n")
            elif line.rstrip().endswith(b"+}"):
                peer.sendall(tag + b" BAD unknown: " + command + line_from(peer))
            elif greeting.startswith(b"*"):
                peer.sendall(tag + b" BAD unknown: " + command + b"\r\n")
            else:
                peer.sendall(b"-ERR unknown: " + line)

    return script


def imap(offered: bytes) -> Callable[[socket.socket], None]:
    offers = b"* CAPABILITY IMAP4rev1 " + offered + b"\r\n"
    return repeats(b"* OK hello\r\n", offers, b"TAG OK done\r\n")


POP3 = repeats(b"+OK hello\r\n", b"+OK\r\nUSER\r\n", b".\r\n")


def refusal(session: type[ImapSession | Pop3Session], port: int, login: Credentials) -> MailError:
    place = Endpoint(
        host="127.0.0.1", port=port, allow_private=True, security=Security.NONE, read_timeout=2
    )
    with pytest.raises(MailError) as refused:
        session.open(place, login)
    return refused.value


@pytest.mark.parametrize("secret", SECRETS, ids=["plain", "quoted", "not ascii", "long"])
@pytest.mark.parametrize("offered", [b"LITERAL+", b"AUTH=PLAIN SASL-IR", b"AUTH=XOAUTH2 SASL-IR"])
def test_an_imap_server_that_repeats_the_login(offered: bytes, secret: str) -> None:
    mechanism = "oauth2" if b"OAUTH" in offered else "password"
    with scripted(imap(offered)) as port:
        error = refusal(
            ImapSession, port, Credentials(username="ana", secret=secret, mechanism=mechanism)
        )
    check(error, secret)


@pytest.mark.parametrize("secret", SECRETS[:3], ids=["plain", "quoted", "not ascii"])
def test_a_pop3_server_that_repeats_the_login(secret: str) -> None:
    with scripted(POP3) as port:
        error = refusal(Pop3Session, port, Credentials(username="ana", secret=secret))
    check(error, secret)


def check(error: MailError, secret: str) -> None:
    assert "unknown" in error.answer, "the rest of what it said is shown"
    assert "***" in error.answer
    for shown in (str(error), repr(error)):
        assert secret[:7] not in shown
        assert all(len(word) < 50 for word in shown.split()), "nothing that is in base64"
