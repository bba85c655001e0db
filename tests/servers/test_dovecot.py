"""Our Dovecot, seen through Python's own clients: what the other tests build on."""

import imaplib
import poplib
import socket
import ssl
import time
from datetime import UTC, datetime

import pytest

from tests.servers import dovecot as module
from tests.servers.dovecot import Dovecot, DovecotUnavailable
from tests.servers.modified_utf7 import encode_folder

LETTER = b"From: ana@tienda.example\r\nSubject: a\xf1ejo\r\n\r\n.dot\r\n..\r\n\r\nno end"


def imap(dovecot: Dovecot, login: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4(dovecot.host, dovecot.port("imap", "none"))
    client.login(login, dovecot.credentials(login).secret)
    return client


def fetched(client: imaplib.IMAP4, folder: str, what: str = "BODY.PEEK[]") -> list[bytes]:
    client.select(folder, readonly=True)
    return [item[1] for item in client.fetch("1:*", f"({what})")[1] if isinstance(item, tuple)]


@pytest.mark.parametrize("octets", [LETTER, b"", LETTER + b"\r\n", b"\r\n\r\n", b"x" * 70_000])
def test_what_is_delivered_is_fetched_octet_for_octet(
    dovecot: Dovecot, login: str, octets: bytes
) -> None:
    dovecot.deliver(login, octets)
    with imap(dovecot, login) as client:
        assert fetched(client, "INBOX") == [octets]
    assert dovecot.messages(login) == [octets]


def test_flags_and_internal_date_are_seen(dovecot: Dovecot, login: str) -> None:
    when = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    dovecot.deliver(login, LETTER, internal_date=when, flags="S")
    with imap(dovecot, login) as client:
        client.select("INBOX", readonly=True)
        answer = client.fetch("1", "(FLAGS INTERNALDATE)")[1][0]
    assert isinstance(answer, bytes)
    assert b"\\Seen" in answer
    local = imaplib.Internaldate2tuple(answer)
    assert local is not None
    assert time.mktime(local) == when.timestamp()
    assert dovecot.flags(login) == ["S"]


def test_uids_are_given_in_the_order_of_delivery(dovecot: Dovecot, login: str) -> None:
    letters = [LETTER + b"%d" % n for n in range(30)]
    for letter in letters:
        dovecot.deliver(login, letter)
    with imap(dovecot, login) as client:
        assert fetched(client, "INBOX") == letters
    assert dovecot.messages(login) == letters


def test_expunged_mail_is_gone_from_the_oracle(dovecot: Dovecot, login: str) -> None:
    for letter in (b"one", b"two", b"three"):
        dovecot.deliver(login, letter)
    with imap(dovecot, login) as client:
        client.select("INBOX")
        client.store("2", "+FLAGS.SILENT", "\\Deleted")
        client.expunge()
    assert dovecot.messages(login) == [b"one", b"three"]
    dovecot.remove(login, b"one")
    assert dovecot.messages(login) == [b"three"]


def test_folders_with_any_name_and_special_use(dovecot: Dovecot, login: str) -> None:
    dovecot.add_folder(login, "Año & café")
    dovecot.add_folder(login, "Enviados", special_use="\\Sent")
    dovecot.add_folder(login, "Basura", special_use="\\Trash")
    dovecot.deliver(login, LETTER, "Año & café")
    with imap(dovecot, login) as client:
        listed = b"\n".join(line for line in client.list()[1] if isinstance(line, bytes))
        assert b"\\Sent) " in listed
        assert b"\\Trash) " in listed
        assert fetched(client, f'"{encode_folder("Año & café")}"') == [LETTER]
    assert dovecot.messages(login, "Año & café") == [LETTER]


@pytest.mark.parametrize(
    ("readable", "encoded"),
    [("INBOX", "INBOX"), ("a&b", "a&-b"), ("Añ&é", "A&APE-&-&AOk-"), ("台北", "&U,BTFw-")],
)
def test_folder_names_on_disk(readable: str, encoded: str) -> None:
    assert encode_folder(readable) == encoded


@pytest.mark.parametrize(
    ("name", "secret"), [("ñandú", "ñ:é"), ("a b", 'q"\\'), ("o/p%u@x", "%u {x}")]
)
def test_logins_and_secrets_may_hold_any_character(
    dovecot: Dovecot, name: str, secret: str
) -> None:
    dovecot.add_login(name, secret)
    client = imaplib.IMAP4(dovecot.host, dovecot.port("imap", "none"))
    with client:
        client.authenticate("PLAIN", lambda _: f"\0{name}\0{secret}".encode())
        assert client.select("INBOX")[0] == "OK"


def test_the_strict_listener_wants_encryption_first(dovecot: Dovecot, login: str) -> None:
    port = dovecot.port("imap", "none", strict=True)
    context = ssl.create_default_context(cafile=dovecot.ca_file)
    with imaplib.IMAP4("127.0.0.2", port) as client:
        assert "LOGINDISABLED" in client.capabilities
        client.starttls(context)
        client.login(login, "secret")


def test_pop3_by_tls_with_the_authority(dovecot: Dovecot, login: str) -> None:
    context = ssl.create_default_context(cafile=dovecot.ca_file)
    client = poplib.POP3_SSL("localhost", dovecot.port("pop3", "tls"), context=context, timeout=10)
    client.user(login)
    client.pass_("secret")
    assert client.stat() == (0, 0)
    client.quit()


def test_the_self_signed_certificate_is_not_trusted(dovecot: Dovecot) -> None:
    context = ssl.create_default_context(cafile=dovecot.ca_file)
    port = dovecot.port("pop3", "tls", self_signed=True)
    with (
        socket.create_connection(("127.0.0.3", port), timeout=10) as stream,
        pytest.raises(ssl.SSLCertVerificationError, match="self-signed"),
    ):
        context.wrap_socket(stream, server_hostname="127.0.0.3")


def test_mdbox_holds_the_same_octets() -> None:
    with Dovecot(storage="mdbox") as server:
        server.add_login("ana", "secret")
        server.add_folder("ana", "Año")
        server.deliver("ana", LETTER, "Año", flags="S")
        assert server.messages("ana", "Año") == [LETTER]


def test_settings_win_and_stopping_leaves_nothing() -> None:
    with Dovecot(settings={"imap_capability": "IMAP4rev1 IDLE"}) as server:
        root = server.root
        server.add_login("ana", "secret")
        with imap(server, "ana") as client:
            assert set(client.capability()[1]) == {b"IMAP4rev1 IDLE"}
    assert not root.exists()
    with pytest.raises(OSError):  # refused, or reset by a child that is just going
        imaplib.IMAP4(server.host, server.port("imap", "none"), timeout=5)


def test_a_missing_dovecot_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DOVECOT", "/nowhere/dovecot")
    with pytest.raises(DovecotUnavailable, match="apt-get install"), Dovecot():
        pass


def test_a_wrong_setting_is_told_with_dovecots_own_words() -> None:
    with (
        pytest.raises(DovecotUnavailable, match="no_such_setting"),
        Dovecot(settings={"no_such_setting": "1"}),
    ):
        pass
