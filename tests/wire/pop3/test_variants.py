"""POP3 servers that lack something or say something odd: what Dovecot cannot be set to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from buzon.demo.server import MailFolder, MailServer, Mailstore, Options, Pop3Connection
from buzon.wire.endpoint import Credentials, Limits, Security
from buzon.wire.errors import (
    AuthRejected,
    Gone,
    MailError,
    Malformed,
    NotPermitted,
    ServerBusy,
    Throttled,
    TlsRefused,
    TooLarge,
)
from buzon.wire.pop3 import Pop3Session
from tests.servers.dovecot import Dovecot
from tests.wire.pop3.servers import ANA, at, letter, retrieved

Serve = Callable[..., MailServer]


@pytest.fixture
def store() -> Mailstore:
    store = Mailstore()
    store.add_login(ANA.username, ANA.secret)
    return store


@pytest.fixture
def inbox(store: Mailstore) -> MailFolder:
    inbox = store.logins[ANA.username].folder()
    for number in range(3):
        inbox.deliver(letter(number))
    return inbox


@pytest.fixture
def serve(store: Mailstore) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(connection: type[Pop3Connection] = Pop3Connection, **options: Any) -> MailServer:
            class Server(MailServer):
                pop3_connection = connection

            server = Server(store, protocol="pop3", options=Options(**options))
            return stack.enter_context(server)

        yield start


def opened(server: MailServer, limits: Limits | None = None) -> Pop3Session:
    return Pop3Session.open(at(server.port), ANA, limits)


# -- what a server may lack


def test_without_uidl_nothing_has_a_name(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(uidl=False)) as session:
        listing = session.listing()
        assert not session.has_uidl
        assert [each.uidl for each in listing] == [None] * 3
        assert retrieved(session) == [letter(0), letter(1), letter(2)]


def test_without_top_headers_are_not_to_be_had(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(top=False)) as session:
        listing = session.listing()
        assert not session.has_top
        with pytest.raises(NotPermitted, match="no TOP"):
            list(session.headers([1, 2]))
        assert len(list(session.messages(listing))) == 3, "the session goes on"


def test_without_capa_everything_is_found_by_trying(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(capa=False, auth=())) as session:
        assert session.capabilities == {}
        listing = session.listing()
        assert session.has_uidl
        session.try_top(2)
        assert session.has_top
        assert all(each.uidl for each in listing)
        assert [top.number for top in session.headers([1, 2, 3])] == [1, 2, 3]
        assert retrieved(session) == [letter(0), letter(1), letter(2)]
        session.delete([1, 2, 3])
        session.quit()
    assert inbox.messages == []


def test_without_capa_top_and_uidl_may_be_missing_too(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(capa=False, top=False, uidl=False)) as session:
        session.listing()
        assert not session.has_uidl
        session.try_top(1)
        assert not session.has_top
        assert len(session.listing()) == 3, "the session goes on"


def test_without_pipelining_each_command_waits(inbox: MailFolder, serve: Serve) -> None:
    """This server throws away whatever is typed ahead."""
    with opened(serve(pipelining=False)) as session:
        assert not session.has("PIPELINING")
        assert len(list(session.headers([1, 2, 3]))) == 3
        assert retrieved(session) == [letter(0), letter(1), letter(2)]
        session.delete([1, 3])
        session.quit()
    assert [message.octets for message in inbox.messages] == [letter(1)]


class Modest(Pop3Connection):
    """Knows more than CAPA says."""

    def capabilities(self) -> list[str]:
        return ["USER"]


class Boastful(Pop3Connection):
    """CAPA says more than it knows."""

    def capabilities(self) -> list[str]:
        return ["USER", "TOP", "UIDL"]


def test_top_and_uidl_work_though_capa_is_silent(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(Modest)) as session:
        offered = session.has_top
        assert all(each.uidl for each in session.listing())
        session.try_top(1)
        assert (offered, session.has_top) == (False, True)
        assert session.has_uidl


def test_top_and_uidl_fail_though_capa_offers_them(inbox: MailFolder, serve: Serve) -> None:
    with opened(serve(Boastful, top=False, uidl=False)) as session:
        assert session.has_top
        session.listing()
        assert not session.has_uidl
        with pytest.raises(NotPermitted, match="no TOP"):
            list(session.headers([1, 2, 3]))
        assert not session.has_top


def test_headers_of_messages_that_are_gone(inbox: MailFolder, serve: Serve) -> None:
    """A refused TOP may mean the message or the command: LIST tells them apart."""
    with opened(serve()) as session:
        session.listing()
        session.delete([1, 3])
        tops = list(session.headers([1, 3, 2, 3, 1]))
        assert [top.number for top in tops] == [1, 3, 2, 3, 1]
        assert [type(top.error) for top in tops] == [Gone, Gone, type(None), Gone, Gone]
        assert session.has_top


def test_a_header_without_measure_is_too_large(inbox: MailFolder, serve: Serve) -> None:
    inbox.deliver(b"X: " + b"y" * 5000 + b"\r\n\r\n")
    with opened(serve(), Limits(spool_above=1000)) as session:
        tops = list(session.headers([1, 4, 2]))
    assert [type(top.error) for top in tops] == [type(None), TooLarge, type(None)]
    assert tops[1].octets == b""


# -- what a server may say


def test_doubled_and_hostile_uidls_are_none(
    inbox: MailFolder, store: Mailstore, serve: Serve
) -> None:
    for number in range(3, 6):
        inbox.deliver(letter(number))
    named = {1: b"same", 2: b"good", 3: b"same", 4: b"evil\x00\x1b[2J", 5: b"x" * 300, 6: b"a b"}
    store.logins[ANA.username].pop3_uidl = lambda message: named[message.uid]
    with opened(serve()) as session:
        uidls = [each.uidl for each in session.listing()]
        assert uidls == [None, "good", None, None, None, None]
        assert session.has_uidl


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("[IN-USE]", ServerBusy),
        ("[LOGIN-DELAY]", Throttled),
        ("[SYS/TEMP]", ServerBusy),
        ("[SYS/PERM]", NotPermitted),
        ("[AUTH]", AuthRejected),
        ("", AuthRejected),
    ],
)
@pytest.mark.parametrize("auth", [("PLAIN",), ()])
def test_codes_of_a_refused_login(
    inbox: MailFolder, serve: Serve, code: str, kind: type[MailError], auth: tuple[str, ...]
) -> None:
    server = serve(auth_reply=f"-ERR {code} not you", auth=auth)
    with pytest.raises(MailError, match="not you") as caught:
        opened(server)
    assert type(caught.value) is kind


def test_another_session_holds_the_mailbox(inbox: MailFolder, serve: Serve) -> None:
    server = serve()
    with opened(server) as session:
        with pytest.raises(ServerBusy, match="Another program"):
            opened(server)
        session.quit()


# -- logging in


def test_user_and_pass_where_there_is_no_plain(
    inbox: MailFolder, store: Mailstore, serve: Serve
) -> None:
    with opened(serve(auth=("LOGIN",))) as session:
        assert len(session.listing()) == 3
    assert [command.name for command in store.commands][:4] == ["CAPA", "USER", "PASS", "CAPA"]


def test_a_login_that_we_do_not_know_is_said(inbox: MailFolder, serve: Serve) -> None:
    with pytest.raises(NotPermitted, match="LOGIN"):
        opened(serve(auth=("LOGIN",), login_command=False))


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_granted_access(inbox: MailFolder, serve: Serve, mechanism: str) -> None:
    server = serve(auth=("PLAIN", mechanism), oauth_token="token")
    granted = Credentials(username=ANA.username, secret="token", mechanism="oauth2")
    with Pop3Session.open(at(server.port), granted) as session:
        assert len(session.listing()) == 3
        session.quit()
    expired = Credentials(username=ANA.username, secret="expired", mechanism="oauth2")
    with pytest.raises(AuthRejected, match="status"):
        Pop3Session.open(at(server.port), expired)


def test_granted_access_without_capa(inbox: MailFolder, serve: Serve) -> None:
    server = serve(capa=False, auth=("XOAUTH2",), oauth_token="token")
    granted = Credentials(username=ANA.username, secret="token", mechanism="oauth2")
    with Pop3Session.open(at(server.port), granted) as session:
        assert len(session.listing()) == 3


def test_after_starttls_capa_is_asked_anew(inbox: MailFolder, store: Mailstore) -> None:
    """This server offers a login only then; what it said in the clear is forgotten."""
    with MailServer(store, protocol="pop3", security="starttls") as server:
        trusted = server.certificate_path
        endpoint = at(server.port, security=Security.STARTTLS, ca_file=trusted)
        with Pop3Session.open(endpoint, ANA) as session:
            assert not session.has("STLS")
    asked = [command.name for command in store.commands]
    assert asked == ["CAPA", "STLS", "CAPA", "AUTH", "CAPA"]


def test_granted_access_where_it_is_not_offered(inbox: MailFolder, serve: Serve) -> None:
    granted = Credentials(username=ANA.username, secret="token", mechanism="oauth2")
    with pytest.raises(NotPermitted, match="OAuth 2"):
        Pop3Session.open(at(serve().port), granted)


def test_no_secret_in_the_clear_where_dovecot_wants_encryption(dovecot: Dovecot) -> None:
    endpoint = dovecot.endpoint("pop3", "none", strict=True)
    with pytest.raises(AuthRejected, match="non-secure"):
        Pop3Session.open(endpoint, ANA)


def test_a_first_line_of_one_dot_is_not_taken_for_an_empty_message(
    dovecot: Dovecot, login: str
) -> None:
    """Dovecot 2.3 sends it as it is, which ends the message before it began."""
    dovecot.deliver(login, b".\r\nSubject: x\r\n\r\nbody\r\n")
    dovecot.deliver(login, letter(1))
    endpoint = dovecot.endpoint("pop3", "none")
    with Pop3Session.open(endpoint, dovecot.credentials(login)) as session:
        messages = session.messages(session.listing())
        assert isinstance(next(messages).error, Malformed)
        with pytest.raises(ServerBusy):
            next(messages)


def test_a_self_signed_dovecot_is_refused_unless_pinned(
    dovecot: Dovecot, login: str, security: Security
) -> None:
    if security is Security.NONE:
        endpoint = dovecot.endpoint("pop3", security, self_signed=True)
    else:
        with pytest.raises(TlsRefused, match=dovecot.self_signed_sha256):
            Pop3Session.open(
                dovecot.endpoint("pop3", security, self_signed=True), dovecot.credentials(login)
            )
        pin = dovecot.self_signed_sha256
        endpoint = dovecot.endpoint("pop3", security, self_signed=True, pinned_sha256=pin)
    with Pop3Session.open(endpoint, dovecot.credentials(login)) as session:
        assert session.listing() == []


def test_more_messages_than_we_list(inbox: MailFolder, serve: Serve) -> None:
    with (
        opened(serve(), Limits(list_items=2)) as session,
        pytest.raises(NotPermitted, match="over 2 messages"),
    ):
        session.listing()
