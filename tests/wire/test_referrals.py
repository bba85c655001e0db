"""Referrals: RFC 2221 and RFC 2193 would have us take the secret to a server that is named."""

import socket
from collections.abc import Iterator

import pytest

from buzon.wire.errors import AuthRejected, NotPermitted, Permanent, TlsRefused
from tests.wire.authority import Authority
from tests.wire.upgrading import IMAP, Upgrading, as_imap, upgrading


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        yield listener
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    ("part", "command", "answer", "kind"),
    [
        ("before", b"STARTTLS", b"TAG NO [REFERRAL URL] go there\r\n", TlsRefused),
        ("after", b"AUTHENTICATE", b"TAG NO [REFERRAL URL] go there\r\n", AuthRejected),
        ("after", b"AUTHENTICATE", b"* BYE [REFERRAL URL] go there\r\n", NotPermitted),
        ("after", b"SELECT", b"TAG NO [REFERRAL URL] it is there\r\n", NotPermitted),
        ("after", b"LIST", b"TAG NO [REFERRAL URL] it is there\r\n", NotPermitted),
    ],
)
def test_none_is_followed(
    authority: Authority,
    elsewhere: socket.socket,
    part: str,
    command: bytes,
    answer: bytes,
    kind: type[Permanent],
) -> None:
    url = b"imap://ana;AUTH=*@127.0.0.1:%d/INBOX" % elsewhere.getsockname()[1]
    replies = {command: answer.replace(b"URL", url)}
    with upgrading(IMAP, authority, **{part: replies}) as server:
        with pytest.raises(kind) as caught:
            use(server)
        assert url.decode() in caught.value.answer


def test_one_with_the_login_s_ok_is_passed_over(
    authority: Authority, elsewhere: socket.socket
) -> None:
    url = b"imap://127.0.0.1:%d/" % elsewhere.getsockname()[1]
    after = {b"AUTHENTICATE": b"TAG OK [REFERRAL " + url + b"] in, but better there\r\n"}
    with upgrading(IMAP, authority, after=after) as server:
        use(server)


def test_folders_elsewhere_are_not_asked_for(
    authority: Authority, elsewhere: socket.socket
) -> None:
    after = {b"AUTHENTICATE": b"TAG OK [CAPABILITY IMAP4rev1 MAILBOX-REFERRALS] in\r\n"}
    with upgrading(IMAP, authority, after=after) as server:
        use(server)
        assert not any(b"RLIST" in line or b"RLSUB" in line for line in server.heard_in_tls)


def use(server: Upgrading) -> None:
    with as_imap(server) as session:
        session.folders()
        session.select("INBOX")
