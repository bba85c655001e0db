"""Servers that stall, lie, inject, hang up, or write as no other does: octet by octet."""

import time
from collections.abc import Callable

import pytest

from buzon.wire.endpoint import Limits, Security
from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    FolderMissing,
    MailError,
    NotPermitted,
    ServerBusy,
    Throttled,
    TimedOut,
    TlsRefused,
)
from buzon.wire.imap.session import ImapSession
from buzon.wire.imap.values import Wanted
from tests.wire.imap.odd_server import ANA, OddServer, odd_server, odd_session, trickling_session

CUT = OddServer.CUT
STARTTLS_GREETING = b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n"


class TestStartTls:
    @pytest.mark.parametrize(
        "injected",
        [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", b"b2 OK injected\r\n", b"* 1 EX", b"x"],
    )
    def test_what_is_injected_before_the_handshake_is_refused(self, injected: bytes) -> None:
        replies = {b"STARTTLS": b"TAG OK begin\r\n" + injected}
        with odd_server(replies, greeting=STARTTLS_GREETING) as server:
            with pytest.raises(TlsRefused, match="tampering"):
                ImapSession.open(server.endpoint(security=Security.STARTTLS), ANA)
            self.check_no_secret(server)

    @pytest.mark.parametrize(
        ("greeting", "reply", "sentence"),
        [
            (b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", b"", "before TLS"),
            (b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", b"", "does not offer STARTTLS"),
            (STARTTLS_GREETING, b"TAG NO not today\r\n", "refused STARTTLS"),
            (STARTTLS_GREETING, b"TAG BAD what\r\n", "refused STARTTLS"),
        ],
    )
    def test_never_a_fall_back_to_clear_text(
        self, greeting: bytes, reply: bytes, sentence: str
    ) -> None:
        with odd_server({b"STARTTLS": reply}, greeting=greeting) as server:
            with pytest.raises(TlsRefused, match=sentence):
                ImapSession.open(server.endpoint(security=Security.STARTTLS), ANA)
            self.check_no_secret(server)

    def check_no_secret(self, server: OddServer) -> None:
        said = b"".join(server.heard)
        assert b"LOGIN" not in said
        assert b"AUTHENTICATE" not in said


class TestGreeting:
    @pytest.mark.parametrize(
        "greeting", [b"+OK POP3 ready\r\n", b"220 mail ESMTP\r\n", b"* 3 EXISTS\r\n"]
    )
    def test_another_protocol(self, greeting: bytes) -> None:
        with (
            odd_server(greeting=greeting) as server,
            pytest.raises(ConnectFailed, match="does not speak IMAP"),
        ):
            server.session()

    @pytest.mark.parametrize(
        ("text", "kind"), [(b"Too many connections", Throttled), (b"Come later", ServerBusy)]
    )
    def test_bye(self, text: bytes, kind: type[MailError]) -> None:
        with (
            odd_server(greeting=b"* BYE " + text + b"\r\n") as server,
            pytest.raises(kind),
        ):
            server.session()

    def test_login_disabled(self) -> None:
        greeting = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n"
        with odd_server(greeting=greeting) as server:
            with pytest.raises(NotPermitted, match="does not accept a password"):
                server.session()
            assert server.heard == []

    def test_a_server_that_asks_for_ever_while_logging_in(self) -> None:
        with odd_server({b"AUTHENTICATE": b"+ \r\n" * 1000}) as server:
            with pytest.raises(TimedOut):
                server.session(read_timeout=0.5)
            assert len(server.heard) < 10


class TestDeadlines:
    def test_a_silent_greeting(self) -> None:
        with odd_server(greeting=b"") as server:
            check_times_out(lambda: server.session(read_timeout=0.4))

    def test_a_command_that_is_never_answered(self) -> None:
        with odd_session({b"UID FETCH": b"* 1 FETCH (UID 1"}, read_timeout=0.4) as session:
            check_times_out(session.listing)
            with pytest.raises(ConnectFailed):
                session.noop()

    def test_a_stall_in_the_middle_of_a_literal(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[] {100}\r\nonly this"
        with odd_session({b"UID FETCH": reply}, read_timeout=0.4) as session:
            check_times_out(lambda: list(session.messages([Wanted(1, 100)])))

    def test_a_literal_that_trickles_in(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[] {100}\r\n" + b"x" * 90
        with trickling_session(reply, seconds=0.05) as session:
            check_times_out(lambda: list(session.messages([Wanted(1, 100)])))

    @pytest.mark.parametrize(
        ("command", "call"),
        [
            (b"UID STORE", lambda session: session.mark_deleted([1])),
            (b"UID EXPUNGE", lambda session: session.expunge([1])),
            (b"UID MOVE", lambda session: session.move([1], "Trash")),
        ],
    )
    def test_a_change_that_the_server_spreads_over_time(
        self, command: bytes, call: Callable[[ImapSession], None]
    ) -> None:
        """Each answer is in time, their whole is not: the lease would run out meanwhile."""
        line = b"* 1 EXPUNGE\r\n"
        with trickling_session(
            line * 200, seconds=0.05, at_once=len(line), command=command
        ) as session:
            check_times_out(lambda: call(session))

    def test_an_idle_that_is_never_confirmed(self) -> None:
        with odd_session({b"IDLE": b""}, read_timeout=0.4) as session:
            check_times_out(lambda: session.idle(30))

    def test_an_idle_that_is_never_ended(self) -> None:
        with odd_session({b"IDLE": b"+ idling\r\n"}, read_timeout=0.4) as session:
            check_times_out(lambda: session.idle(0.1))


def check_times_out(call: Callable[[], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut):
        call()
    assert 0.2 < time.monotonic() - begun < 4


class TestHangingUp:
    def test_in_the_middle_of_a_literal(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[] {100}\r\nonly this" + CUT
        with (
            odd_session({b"UID FETCH": reply}) as session,
            pytest.raises(ConnectFailed, match="cut"),
        ):
            list(session.messages([Wanted(1, 100)]))

    def test_in_the_middle_of_a_big_message(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[]<0> {1000}\r\nonly this" + CUT
        limits = Limits(spool_above=10, slice=1000)
        with (
            odd_session({b"UID FETCH": reply}, limits=limits) as session,
            pytest.raises(ConnectFailed, match="cut"),
        ):
            list(session.messages([Wanted(1, 5000)]))

    def test_in_idle(self) -> None:
        with (
            odd_session({b"IDLE": b"+ idling\r\n" + CUT}) as session,
            pytest.raises(ConnectFailed, match="cut"),
        ):
            session.idle(30)

    @pytest.mark.parametrize("text", [b"Shutting down", b"Idle for too long, come back later"])
    def test_bye_at_any_time(self, text: bytes) -> None:
        with odd_session({b"NOOP": b"* BYE " + text + b"\r\n"}) as session:
            with pytest.raises(ServerBusy, match="The server said"):
                session.noop()
            with pytest.raises(ConnectFailed):
                session.noop()

    def test_logging_out_hides_nothing_but_its_own_failure(self) -> None:
        with odd_session({b"LOGOUT": CUT}) as session:
            session.logout()


class TestFolders:
    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (b"TAG NO [NONEXISTENT] no\r\n", FolderMissing),
            (b"TAG NO [TRYCREATE] no\r\n", FolderMissing),
            (b"TAG NO Mailbox doesn't exist: x\r\n", FolderMissing),
            (b"TAG NO [NOPERM] no\r\n", NotPermitted),
            (b"TAG NO Permission denied\r\n", NotPermitted),
            (b"TAG NO hm\r\n", ServerBusy),
            (b"TAG BAD User is authenticated but not connected.\r\n", ServerBusy),
            (b"TAG NO [OVERQUOTA] slower\r\n", Throttled),
            (b"* 1 EXISTS\r\nTAG OK no numbers\r\n", NotPermitted),
            (b"* OK [UIDVALIDITY 9]\r\n* NO [UIDNOTSTICKY]\r\nTAG OK\r\n", NotPermitted),
        ],
    )
    def test_that_cannot_be_opened(self, reply: bytes, kind: type[MailError]) -> None:
        with odd_session({b'EXAMINE "x"': reply}) as session:
            with pytest.raises(kind) as refused:
                session.examine("x")
            assert type(refused.value) is kind
            assert session.selected is None

    def test_read_only_against_our_wish(self) -> None:
        reply = b"* OK [UIDVALIDITY 9]\r\nTAG OK [READ-ONLY] so be it\r\n"
        with odd_session({b"SELECT": reply}) as session:
            assert session.selected is not None
            assert session.selected.read_only
            with pytest.raises(NotPermitted, match="read-only"):
                session.mark_seen([1])

    def test_lists_in_every_writing(self) -> None:
        reply = (
            b'* LIST (\\HasChildren \\noselect) "/" Level\r\n'
            b'* LIST (\\SENT) "." {7}\r\na"b\\c d\r\n'
            b"* LIST () NIL inbox\r\n"
            b'* LIST () "/" INBOX\r\n'
            b'* LIST () "/" "Espa\xc3\xb1a"\r\n'
            b'* LIST () "/" "Sp\xe4m"\r\n'
            b"* LIST what is this\r\n"
            b"TAG OK\r\n"
        )
        with odd_session({b"LIST": reply}) as session:
            found = {one.name: one for one in session.folders()}
        assert list(found) == ["Level", 'a"b\\c d', "INBOX", "España", "Späm"]
        assert not found["Level"].selectable
        assert found['a"b\\c d'].special_use == "\\Sent"
        assert (found["INBOX"].delimiter, found["Level"].delimiter) == ("", "/")

    def test_a_name_is_given_back_as_the_server_wrote_it(self) -> None:
        replies = {
            b"LIST": b'* LIST () "/" "Sp\xe4m"\r\nTAG OK\r\n',
            b"EXAMINE {4}": b"+ go on\r\n",
        }
        with odd_server(replies) as server:
            session = server.session(read_timeout=0.4)
            session.folders()
            with pytest.raises(TimedOut):
                session.examine("Späm")
            assert server.heard[-1] == b"Sp\xe4m\r\n"

    def test_a_server_that_refuses_our_literal(self) -> None:
        replies = {
            b"LIST": b'* LIST () "/" "Sp\xe4m"\r\nTAG OK\r\n',
            b"EXAMINE {4}": b"TAG NO [NONEXISTENT] no\r\n",
        }
        with odd_session(replies) as session:
            session.folders()
            with pytest.raises(FolderMissing):
                session.examine("Späm")
            assert session.noop() is not None


class TestFloods:
    def test_a_line_without_end(self) -> None:
        reply = b"* OK " + b"x" * 5000
        with (
            odd_session({b"NOOP": reply}, limits=Limits(line=1000)) as session,
            pytest.raises(ConnectFailed, match="longer than we accept"),
        ):
            session.noop()

    def test_a_list_without_end(self) -> None:
        reply = b'* LIST () "/" x\r\n' * 200 + b"TAG OK\r\n"
        with (
            odd_session({b"LIST": reply}, limits=Limits(list_items=100)) as session,
            pytest.raises(ConnectFailed, match="longer list"),
        ):
            session.folders()

    def test_a_literal_that_nobody_could_hold(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n"
        with (
            odd_session({b"UID FETCH": reply}) as session,
            pytest.raises(ConnectFailed, match="99999999999 octets"),
        ):
            list(session.messages([Wanted(1, 9)]))


class TestIdle:
    def test_a_server_that_refuses_it(self) -> None:
        with odd_session({b"IDLE": b"TAG NO not now\r\n"}) as session:
            with pytest.raises(ServerBusy):
                session.idle(5)
            assert session.noop() is not None

    def test_a_server_that_ends_it_itself(self) -> None:
        with odd_session({b"IDLE": b"+ idling\r\nTAG OK enough\r\n"}) as session:
            assert not session.idle(3)
            assert not session.noop()


def test_oauth_challenges_are_shown() -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\r\n"
    # {"status":"400"}
    replies = {b"AUTHENTICATE": b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n", b"": b"b1 NO failed\r\n"}
    with odd_server(replies, greeting=greeting) as server:
        token = ANA.__class__(username="ana", secret="t0ken", mechanism="oauth2")
        with pytest.raises(AuthRejected, match="status 400"):
            ImapSession.open(server.endpoint(), token)
        assert server.heard[-1] == b"\r\n"
