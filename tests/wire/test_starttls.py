"""What somebody on the way may try while a connection goes over to TLS, and gets nothing of.

The attacks are those of "Why TLS Is Better Without STARTTLS" (Poddebniak and others, USENIX
Security 2021), against the sessions of both protocols.
"""

import base64
import socket
import ssl
import time

import pytest

from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    MailError,
    NotPermitted,
    ServerBusy,
    TimedOut,
    TlsRefused,
)
from tests.wire.authority import Authority
from tests.wire.upgrading import ANA, IMAP, POP3, SECRETS, Protocol, as_imap, as_pop3, upgrading

PLAIN = base64.b64encode(b"\0ana\0s3cr3t-p4ss")


@pytest.fixture(params=[IMAP, POP3], ids=["imap", "pop3"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    found: Protocol = request.param
    return found


def test_an_honest_server(protocol: Protocol, authority: Authority) -> None:
    with upgrading(protocol, authority) as server:
        with server.open() as session:
            session.noop()
        assert server.heard_in_clear[-1].rstrip().endswith(protocol.upgrade)
        assert b"s3cr3t" in b"".join(server.heard_in_tls) or PLAIN in b"".join(server.heard_in_tls)


class TestInjection:
    """Answers that come before the handshake, to be believed as if they had come under TLS."""

    IMAP_LINES = (
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        b"b2 OK injected\r\nb3 OK injected\r\n",
        b'* LIST () "/" Injected\r\n',
        b"* 1 FETCH (UID 1 BODY[] {100}\r\nFrom: ",
        b"* 1 EX",
        b"\r\n",
        b"x",
    )
    POP3_LINES = (b"+OK\r\nSASL PLAIN\r\n.\r\n", b"+OK injected\r\n", b"-ERR x", b"\r\n", b"x")
    CASES = (
        *((IMAP, octets) for octets in IMAP_LINES),
        *((POP3, octets) for octets in POP3_LINES),
    )

    @pytest.mark.parametrize(("protocol", "octets"), CASES)
    def test_in_one_packet_with_the_answer(
        self, protocol: Protocol, authority: Authority, octets: bytes
    ) -> None:
        before = {protocol.upgrade: protocol.begin + octets}
        with (
            upgrading(protocol, authority, before=before) as server,
            pytest.raises(TlsRefused, match="tampering"),
        ):
            server.open()
        assert server.heard_in_tls == []

    @pytest.mark.parametrize("pause", [0, 0.02])
    @pytest.mark.parametrize(("protocol", "octets"), CASES)
    def test_in_packets_of_their_own(
        self, protocol: Protocol, authority: Authority, octets: bytes, pause: float
    ) -> None:
        """Whatever is not noticed before it is taken for the handshake, which then fails."""

        def inject(peer: socket.socket) -> None:
            for at in range(0, len(octets), 16):
                time.sleep(pause)
                peer.sendall(octets[at : at + 16])

        with (
            upgrading(protocol, authority, meanwhile=inject) as server,
            pytest.raises((TlsRefused, ConnectFailed, TimedOut)),
        ):
            server.open()
        assert server.heard_in_tls == []

    def test_in_one_packet_with_the_greeting(self, authority: Authority) -> None:
        """The tags of our commands can be guessed."""
        greeting = IMAP.greeting + b"b1 OK begin\r\nb2 OK [CAPABILITY AUTH=PLAIN]\r\nb3 OK in\r\n"
        with (
            upgrading(IMAP, authority, greeting=greeting) as server,
            pytest.raises(TlsRefused, match="tampering"),
        ):
            server.open()

    def test_an_early_answer_to_starttls_is_followed_by_the_honest_one(
        self, authority: Authority
    ) -> None:
        greeting = IMAP.greeting + b"b1 OK begin\r\n"
        with (
            upgrading(IMAP, authority, greeting=greeting) as server,
            pytest.raises((TlsRefused, ConnectFailed)),
        ):
            server.open()
        assert server.heard_in_tls == []

    def test_pop3_in_one_packet_with_the_greeting(self, authority: Authority) -> None:
        with (
            upgrading(POP3, authority, greeting=b"+OK ready\r\n+OK injected\r\n") as server,
            pytest.raises(ServerBusy, match="without being asked"),
        ):
            server.open()

    def test_pop3_behind_the_capabilities(self, authority: Authority) -> None:
        before = {b"CAPA": POP3.before[b"CAPA"] + b"+OK begin\r\n"}
        with (
            upgrading(POP3, authority, before=before) as server,
            pytest.raises((ServerBusy, TlsRefused, ConnectFailed)),
        ):
            server.open()
        assert server.heard_in_tls == []


class TestStripping:
    """STARTTLS that is not to be had: never a fall-back to clear text."""

    @pytest.mark.parametrize(
        ("protocol", "greeting", "answer", "kind"),
        [
            (IMAP, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", b"", TlsRefused),
            (IMAP, b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", b"", TlsRefused),
            (IMAP, b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", b"", TlsRefused),
            (IMAP, IMAP.greeting, b"TAG NO not today\r\n", TlsRefused),
            (IMAP, IMAP.greeting, b"TAG BAD unknown\r\n", TlsRefused),
            (IMAP, IMAP.greeting, b"TAG NO [UNAVAILABLE] later\r\n", TlsRefused),
            (IMAP, IMAP.greeting, b"TAG PREAUTH welcome\r\n", TlsRefused),
            (IMAP, IMAP.greeting, b"* OK begin\r\n", TimedOut),
            (IMAP, IMAP.greeting, b"* PREAUTH welcome\r\n", TimedOut),
            (IMAP, IMAP.greeting, b"b99 OK begin\r\n", TimedOut),
            (IMAP, IMAP.greeting, b"+ begin\r\n", TimedOut),
            (IMAP, IMAP.greeting, b"\x16\x03\x01\x00\x05 hello\r\n", TimedOut),
            (IMAP, IMAP.greeting, b"* BYE come again\r\n", ServerBusy),
            (POP3, POP3.greeting, b"-ERR unknown\r\n", TlsRefused),
            (POP3, POP3.greeting, b"-ERR\r\n", TlsRefused),
            (POP3, POP3.greeting, b"-ERR [SYS/TEMP] later\r\n", TlsRefused),
            (POP3, POP3.greeting, b"-ERR [IN-USE] locked\r\n", TlsRefused),
            (POP3, POP3.greeting, b"-ERR [AUTH] no\r\n", TlsRefused),
            (POP3, POP3.greeting, b"+ begin\r\n", ServerBusy),
            (POP3, POP3.greeting, b"OK begin\r\n", ServerBusy),
            (POP3, POP3.greeting, b"\x16\x03\x01\x00\x05 hello\r\n", ServerBusy),
        ],
    )
    def test_refused(
        self,
        protocol: Protocol,
        authority: Authority,
        greeting: bytes,
        answer: bytes,
        kind: type[MailError],
    ) -> None:
        before = {protocol.upgrade: answer}
        with upgrading(protocol, authority, greeting=greeting, before=before) as server:
            with pytest.raises(kind) as caught:
                server.open()
            assert type(caught.value) is kind
        verbs = {line.split()[1 if protocol is IMAP else 0] for line in server.heard_in_clear}
        assert verbs <= {b"CAPABILITY", b"CAPA", protocol.upgrade}

    @pytest.mark.parametrize("capa", [b"-ERR unknown\r\n", b"+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"])
    def test_pop3_asks_even_where_it_is_not_offered(
        self, authority: Authority, capa: bytes
    ) -> None:
        with upgrading(POP3, authority, before={b"CAPA": capa}) as server, server.open() as session:
            session.noop()

    def test_a_certificate_of_somebody_else(self, protocol: Protocol, authority: Authority) -> None:
        with (
            upgrading(protocol, authority) as server,
            pytest.raises(TlsRefused, match=authority.sha256),
        ):
            server.open(ca_file="")
        assert server.heard_in_tls == []

    def test_tls_that_ends_in_the_middle(self, protocol: Protocol, authority: Authority) -> None:
        """A close_notify, and on it goes in the clear: the connection is at its end."""

        def back_to_clear_text(wrapped: ssl.SSLSocket) -> None:
            clear = wrapped.unwrap()
            clear.sendall(b"b2 OK\r\n+OK\r\n")
            server.heard_in_clear.append(clear.recv(1000))

        with upgrading(protocol, authority, in_tls=back_to_clear_text) as server:
            with pytest.raises((ConnectFailed, TimedOut)):
                server.open()
            assert server.heard_in_tls == []


class TestPreauth:
    def test_under_tls_it_does_not_stand_for_a_login(self, authority: Authority) -> None:
        """It is no greeting then: nobody is logged in by it."""
        after = {
            b"CAPABILITY": b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n" + IMAP.after[b"CAPABILITY"]
        }
        with upgrading(IMAP, authority, after=after) as server, server.open() as session:
            session.noop()
            assert PLAIN in b"".join(server.heard_in_tls)

    def test_before_the_answer_to_starttls(self, authority: Authority) -> None:
        before = {b"STARTTLS": b"* PREAUTH hi\r\nTAG OK begin\r\n"}
        with upgrading(IMAP, authority, before=before) as server, server.open() as session:
            session.noop()
            assert PLAIN in b"".join(server.heard_in_tls)


class TestForgotten:
    """What was said in the clear, in its right place, is not known any more under TLS."""

    def test_capabilities_that_only_the_clear_part_had(self, authority: Authority) -> None:
        greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN ID IDLE MOVE] hi\r\n"
        after = {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n",
            b"LOGIN": b"TAG OK in\r\n",
        }
        with upgrading(IMAP, authority, greeting=greeting, after=after) as server:
            with as_imap(server) as session:
                assert session.capabilities == {"IMAP4REV1"}
            verbs = [line.split()[1] for line in server.heard_in_tls]
            assert verbs == [b"CAPABILITY", b"LOGIN", b"CAPABILITY", b"LOGOUT"]

    def test_a_ban_on_logins_that_only_the_clear_part_had(self, authority: Authority) -> None:
        greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n"
        with upgrading(IMAP, authority, greeting=greeting) as server, server.open() as session:
            session.noop()

    def test_a_ban_on_logins_that_only_tls_has(self, authority: Authority) -> None:
        after = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK\r\n"}
        with (
            upgrading(IMAP, authority, after=after) as server,
            pytest.raises(NotPermitted, match="does not accept a password"),
        ):
            server.open()

    def test_pop3_ways_to_log_in_that_only_the_clear_part_had(self, authority: Authority) -> None:
        with upgrading(POP3, authority) as server:
            with as_pop3(server) as session:
                assert "SASL" not in session.capabilities
                assert "STLS" not in session.capabilities
            verbs = [line.split()[0] for line in server.heard_in_tls]
            assert verbs == [b"CAPA", b"USER", b"PASS", b"CAPA"]

    def test_folders_and_messages_that_nobody_asked_for(self, authority: Authority) -> None:
        forged = (
            b"* 99 EXISTS\r\n* 3 EXPUNGE\r\n"
            b'* LIST () "/" Forged\r\n'
            b"* 1 FETCH (UID 1 BODY[] {6}\r\nforged)\r\n"
            b"* SEARCH 1 2 3\r\n* OK [UIDVALIDITY 1]\r\n* BAD x\r\n"
        )
        before = {b"STARTTLS": forged + b"TAG OK begin\r\n"}
        with upgrading(IMAP, authority, before=before) as server, as_imap(server) as session:
            assert session.exists == 0
            assert not session.noop()
            assert [folder.name for folder in session.folders()] == ["INBOX"]
            opened = session.select("INBOX")
            assert (opened.exists, opened.uidvalidity) == (2, 9)

    def test_folders_and_messages_before_the_login_under_tls(self, authority: Authority) -> None:
        forged = b'* 99 EXISTS\r\n* LIST () "/" Forged\r\n* SEARCH 7\r\n'
        after = {b"AUTHENTICATE": forged + IMAP.after[b"AUTHENTICATE"]}
        with upgrading(IMAP, authority, after=after) as server, as_imap(server) as session:
            assert [folder.name for folder in session.folders()] == ["INBOX"]
            assert session.select("INBOX").exists == 2


class TestWhatIsShown:
    """Words of somebody on the way must neither command the terminal nor pass for ours."""

    NASTY = "Call\x1b[2J +1 900 \u202etxet\x07 \x00now\x9b".encode()

    @pytest.mark.parametrize(
        ("protocol", "answer"),
        [
            (IMAP, b"TAG NO [ALERT] " + NASTY + b"\r\n"),
            (IMAP, b"* BYE [ALERT] " + NASTY + b"\r\n"),
            (POP3, b"-ERR " + NASTY + b"\r\n"),
            (IMAP, b"TAG NO [ALERT] " + NASTY * 500 + b"\r\n"),
            (POP3, b"-ERR " + NASTY * 500 + b"\r\n"),
        ],
    )
    def test_answers_are_cleaned_and_cut_and_said_to_be_the_server_s(
        self, protocol: Protocol, authority: Authority, answer: bytes
    ) -> None:
        with (
            upgrading(protocol, authority, before={protocol.upgrade: answer}) as server,
            pytest.raises(MailError) as caught,
        ):
            server.open()
        told = str(caught.value)
        assert told.isprintable()
        assert len(caught.value.answer) <= 500
        assert " The server said: " in told
        assert "Call" not in told.partition(" The server said: ")[0]

    def test_alerts_of_the_clear_part_are_shown_by_nothing_later(
        self, authority: Authority
    ) -> None:
        greeting = b"* OK [ALERT] Your password has expired, see http://x.example\r\n"
        after = {b"AUTHENTICATE": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"}
        with (
            upgrading(IMAP, authority, greeting=greeting, after=after) as server,
            pytest.raises(AuthRejected) as caught,
        ):
            server.open()
        assert "x.example" not in str(caught.value)


def test_the_secret_that_the_checks_look_for_is_the_one_that_is_sent() -> None:
    """Else they would find nothing, whatever was sent."""
    assert any(secret in PLAIN for secret in SECRETS)
    assert ANA.secret.encode().startswith(SECRETS[0])
    assert base64.b64encode(ANA.secret.encode()).startswith(SECRETS[2])
