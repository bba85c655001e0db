"""Servers that lack something, or log in otherwise: our own server, set so."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from buzon.demo.server import MailServer, Mailstore, Options
from buzon.wire.endpoint import Credentials, Security
from buzon.wire.errors import AuthRejected, NotPermitted, ServerBusy, Throttled, TlsRefused
from buzon.wire.imap.session import ImapSession
from tests.wire.imap.servers import Ours, mail, opened

TOKEN = Credentials(username="ana@tienda.example", secret="t0ken", mechanism="oauth2")


@contextlib.contextmanager
def server_of(*, security: str = "none", **options: object) -> Iterator[Ours]:
    with MailServer(
        Mailstore(),
        protocol="imap",
        security=security,  # type: ignore[arg-type]
        options=Options(**options),  # type: ignore[arg-type]
    ) as server:
        yield Ours(server)


class TestWithout:
    def test_uidplus(self) -> None:
        with server_of(uidplus=False) as place:
            place.deliver(mail(1))
            with opened(place) as session:
                session.select("INBOX")
                session.mark_deleted([1])
                with pytest.raises(NotPermitted, match="UIDPLUS"):
                    session.expunge([1])
            assert place.octets() == [mail(1)]
            assert place.flags() == [{"\\Deleted"}]

    def test_move(self) -> None:
        with server_of(move=False) as place:
            place.add_folder("Papelera")
            place.deliver(mail(1))
            with opened(place) as session:
                session.select("INBOX")
                with pytest.raises(NotPermitted, match="MOVE"):
                    session.move([1], "Papelera")
            assert place.octets() == [mail(1)]

    def test_uidnext(self) -> None:
        with server_of(uidnext=False) as place, opened(place) as session:
            assert session.examine("INBOX").uidnext is None
            assert session.next_uid("INBOX") is None

    def test_condstore(self) -> None:
        with server_of(condstore=False) as place, opened(place) as session:
            assert session.examine("INBOX").highest_modseq is None
            with pytest.raises(NotPermitted, match="CONDSTORE"):
                session.changed_since(1)

    def test_idle(self) -> None:
        with server_of(idle=False) as place, opened(place) as session:
            session.examine("INBOX")
            with pytest.raises(NotPermitted, match="IDLE"):
                session.idle(1)

    def test_compress(self) -> None:
        with server_of(compress=False) as place, opened(place, compress=True) as session:
            assert session.examine("INBOX").exists == 0

    def test_id(self) -> None:
        with server_of(identify=False) as place, opened(place) as session:
            assert session.server_id == {}

    @pytest.mark.parametrize("esearch", [True, False])
    def test_esearch(self, esearch: bool) -> None:
        with server_of(esearch=esearch) as place:
            for number in range(1, 8):
                place.deliver(mail(number))
            place.remove(mail(3))
            place.remove(mail(7))
            with opened(place) as session:
                session.examine("INBOX")
                assert session.uids().tolist() == [1, 2, 4, 5, 6]
                assert session.uids(3, 5).tolist() == [4, 5]
                assert session.uids(7).tolist() == []

    @pytest.mark.parametrize("verb", ["select", "examine"])
    def test_unselect(self, verb: str) -> None:
        with server_of(unselect=False) as place:
            place.deliver(mail(1))
            with opened(place) as session:
                session.select("INBOX")
                session.mark_deleted([1])
                getattr(session, verb)("INBOX")
                session.unselect()
                assert session.selected is None
            assert place.octets() == [mail(1)]
            names = [command.name for command in place.server.store.commands]
            assert "CLOSE" not in names
            # Opened read-only instead: leaving that removes nothing.
            assert names[-2:] == ["EXAMINE", "LOGOUT"]

    def test_special_use(self) -> None:
        with server_of(special_use=False) as place:
            place.add_folder("Enviados", "\\Sent")
            with opened(place) as session:
                assert {folder.special_use for folder in session.folders()} == {None}

    @pytest.mark.parametrize("announce", [True, False])
    @pytest.mark.parametrize("security", ["none", "starttls", "tls"])
    def test_announced_capabilities(self, announce: bool, security: str) -> None:
        with (
            server_of(announce=announce, security=security) as place,
            opened(place) as session,
        ):
            assert session.has("UIDPLUS")


class TestNames:
    @pytest.mark.parametrize("utf8", [True, False])
    @pytest.mark.parametrize("literal_plus", [True, False])
    def test_folders_with_and_without_utf8(self, utf8: bool, literal_plus: bool) -> None:
        with server_of(utf8_accept=utf8, literal_plus=literal_plus) as place:
            for name in ('Añejo & "más" \\', "日本語"):
                place.add_folder(name)
                place.deliver(mail(1), name)
            with opened(place) as session:
                assert session.utf8 is utf8
                names = {folder.name for folder in session.folders()}
                assert {'Añejo & "más" \\', "日本語"} <= names
                for name in ('Añejo & "más" \\', "日本語"):
                    assert session.examine(name).exists == 1
            with opened(place) as session:
                assert session.examine("日本語").exists == 1

    def test_gmail(self) -> None:
        with server_of(gmail=True) as place, opened(place) as session:
            assert session.is_gmail


SECRETS = ["secret", 'with "quotes" and \\', "contraseña ñ", " blanks "]


class TestPasswords:
    @pytest.mark.parametrize("secret", SECRETS)
    @pytest.mark.parametrize("sasl_ir", [True, False])
    def test_authenticate_plain(self, secret: str, sasl_ir: bool) -> None:
        with server_of(sasl_ir=sasl_ir, login_command=False) as place:
            self.log_in(place, secret)

    @pytest.mark.parametrize("secret", SECRETS)
    @pytest.mark.parametrize("literal_plus", [True, False])
    def test_the_login_command(self, secret: str, literal_plus: bool) -> None:
        with server_of(auth=(), literal_plus=literal_plus) as place:
            self.log_in(place, secret)

    def log_in(self, place: Ours, secret: str) -> None:
        place.server.store.add_login("niña@tienda.example", secret)
        right = Credentials(username="niña@tienda.example", secret=secret)
        with ImapSession.open(place.endpoint(), right) as session:
            assert session.examine("INBOX").exists == 0
        with pytest.raises(AuthRejected):
            ImapSession.open(place.endpoint(), replace(right, secret=secret + "x"))

    def test_no_way_to_log_in(self) -> None:
        with server_of(auth=(), login_command=False) as place:
            with pytest.raises((NotPermitted, AuthRejected, ServerBusy)):
                opened(place)
            assert place.server.store.deeds("logged-in") == []

    def test_a_password_is_not_sent_where_logging_in_is_disabled_in_the_clear(self) -> None:
        with server_of(security="starttls") as place:
            endpoint = place.endpoint(security=Security.NONE)
            with pytest.raises((NotPermitted, AuthRejected)):
                ImapSession.open(endpoint, place.credentials())
            assert place.server.store.deeds("logged-in") == []


class TestOAuth:
    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    @pytest.mark.parametrize("sasl_ir", [True, False])
    def test_the_right_token(self, mechanism: str, sasl_ir: bool) -> None:
        with (
            server_of(auth=(mechanism,), oauth_token="t0ken", sasl_ir=sasl_ir) as place,
            ImapSession.open(place.endpoint(), TOKEN) as session,
        ):
            assert session.examine("INBOX").exists == 0

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    @pytest.mark.parametrize("sasl_ir", [True, False])
    def test_a_wrong_token_is_refused_with_what_the_server_says(
        self, mechanism: str, sasl_ir: bool
    ) -> None:
        with server_of(auth=(mechanism,), oauth_token="another", sasl_ir=sasl_ir) as place:
            with pytest.raises(AuthRejected, match="status") as refused:
                ImapSession.open(place.endpoint(), TOKEN)
            assert "t0ken" not in str(refused.value)


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("[AUTHENTICATIONFAILED]", AuthRejected),
            ("[AUTHORIZATIONFAILED]", AuthRejected),
            ("[EXPIRED]", AuthRejected),
            ("[PRIVACYREQUIRED]", AuthRejected),
            ("[NOPERM]", AuthRejected),
            ("[UNAVAILABLE]", ServerBusy),
            ("[INUSE]", ServerBusy),
            ("[CONTACTADMIN]", ServerBusy),
            ("[SERVERBUG]", ServerBusy),
            ("[LIMIT]", Throttled),
            ("[OVERQUOTA]", Throttled),
            ("[THROTTLED]", Throttled),
        ],
    )
    def test_codes(self, code: str, kind: type[Exception]) -> None:
        with server_of(login_code=code) as place:
            with pytest.raises(kind) as refused:
                opened(place)
            assert type(refused.value) is kind

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            ("NO LOGIN failed.", AuthRejected),
            ("NO [ALERT] Application-specific password required", AuthRejected),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", Throttled),
            ("NO Maximum number of connections from user+IP exceeded", Throttled),
            ("NO Account exceeded command or bandwidth limits.", Throttled),
            ("NO Temporary authentication failure.", ServerBusy),
            ("NO Server unavailable, try again later", ServerBusy),
            ("BAD Command argument error", ServerBusy),
            ("* BYE Too many connections", Throttled),
            ("* BYE Shutting down", ServerBusy),
        ],
    )
    def test_words(self, reply: str, kind: type[Exception]) -> None:
        with server_of(auth_reply=reply) as place:
            with pytest.raises(kind, match="The server said") as refused:
                opened(place)
            assert type(refused.value) is kind

    def test_a_refused_login_may_work_the_next_time(self) -> None:
        with server_of(refuse_logins=1) as place:
            with pytest.raises(AuthRejected):
                opened(place)
            with opened(place) as session:
                assert session.examine("INBOX").exists == 0


class TestPreauth:
    @pytest.mark.parametrize("security", ["none", "tls"])
    def test_a_server_that_knows_us_already(self, security: str) -> None:
        with server_of(preauth=True, security=security) as place, opened(place) as session:
            assert session.examine("INBOX").exists == 0

    def test_preauth_where_starttls_was_asked_for_is_refused(self) -> None:
        with (
            server_of(preauth=True, security="starttls") as place,
            pytest.raises(TlsRefused, match="before TLS"),
        ):
            opened(place)
