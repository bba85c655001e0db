"""Logging in, certificates and leaving: the suite against a real Dovecot and against our server."""

import dataclasses
import hashlib

import pytest

from buzon.wire.endpoint import Credentials, Security
from buzon.wire.errors import AuthRejected, ConnectFailed, NotPermitted, TlsRefused
from buzon.wire.imap.session import ImapSession
from tests.wire.imap.servers import Place, fetched, mail, opened, wanted


class TestLoggingIn:
    def test_a_login_in_every_kind_of_encryption(self, place: Place) -> None:
        with opened(place) as session:
            assert session.has("imap4rev1")
            assert session.has("UIDPLUS")
            assert not session.has("STARTTLS")
            assert not session.is_gmail
            assert session.server_id["name"]
            assert session.bytes_in > 0

    def test_a_wrong_secret_is_refused(self, place: Place) -> None:
        wrong = dataclasses.replace(place.credentials(), secret="wrong")
        with pytest.raises(AuthRejected, match="check the user name") as refused:
            ImapSession.open(place.endpoint(), wrong)
        assert refused.value.answer
        assert "wrong" not in str(refused.value)

    @pytest.mark.parametrize("field", ["username", "secret"])
    def test_control_characters_are_refused(self, clear_place: Place, field: str) -> None:
        bad = dataclasses.replace(clear_place.credentials(), **{field: "a\r\nb NOOP"})
        with pytest.raises(NotPermitted, match="control character"):
            ImapSession.open(clear_place.endpoint(), bad)

    def test_a_login_that_is_not_ascii(self, clear_place: Place) -> None:
        other = Credentials(username="niño@tienda.example", secret="contraseña ñ")
        with pytest.raises(AuthRejected):
            ImapSession.open(clear_place.endpoint(), other)

    def test_oauth_where_it_is_not_offered(self, clear_place: Place) -> None:
        token = dataclasses.replace(clear_place.credentials(), mechanism="oauth2")
        with pytest.raises(NotPermitted, match="OAuth"):
            ImapSession.open(clear_place.endpoint(), token)

    def test_compression(self, place: Place) -> None:
        octets = b"Subject: repetition\r\n\r\n" + b"All the same.\r\n" * 20_000
        place.deliver(octets)
        with opened(place, compress=True) as session:
            session.examine("INBOX")
            assert [one.octets for one in fetched(session)] == [octets]
            assert session.bytes_in < len(octets) / 10


class TestCertificates:
    def test_a_self_signed_one_is_refused_with_its_fingerprint(self, tls_place: Place) -> None:
        with pytest.raises(TlsRefused, match=tls_place.pin()):
            ImapSession.open(tls_place.endpoint(ca_file=""), tls_place.credentials())

    def test_the_pinned_one_is_accepted(self, tls_place: Place) -> None:
        endpoint = tls_place.endpoint(ca_file="", pinned_sha256=tls_place.pin())
        with ImapSession.open(endpoint, tls_place.credentials()) as session:
            assert session.examine("INBOX").exists == 0

    def test_another_than_the_pinned_one_is_refused(self, tls_place: Place) -> None:
        endpoint = tls_place.endpoint(pinned_sha256=hashlib.sha256(b"another").hexdigest())
        with pytest.raises(TlsRefused, match="not the pinned one"):
            ImapSession.open(endpoint, tls_place.credentials())

    def test_tls_on_a_clear_port_is_refused(self, clear_place: Place) -> None:
        endpoint = dataclasses.replace(clear_place.endpoint(), security=Security.TLS)
        with pytest.raises((TlsRefused, ConnectFailed)):
            ImapSession.open(endpoint, clear_place.credentials())


class TestLeaving:
    def test_closing_is_always_safe(self, clear_place: Place) -> None:
        session = opened(clear_place)
        session.logout()
        session.logout()
        session.close()
        with pytest.raises(ConnectFailed):
            session.noop()

    def test_leaving_in_the_middle_of_a_stream(self, clear_place: Place) -> None:
        for number in range(1, 101):
            clear_place.deliver(mail(number))
        with opened(clear_place) as session:
            session.examine("INBOX")
            next(session.messages(wanted(session)))
