"""Certificates, cuts, restarts, and servers made to misbehave by subclassing."""

import hashlib
import imaplib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from buzon.demo.server import Authority, ImapConnection, MailServer, self_signed
from tests.demo.conftest import letter, trusting


def shown(server: MailServer, context: ssl.SSLContext, name: str = "127.0.0.1") -> bytes:
    """The certificate that a client gets to see, as DER."""
    with (
        socket.create_connection((server.host, server.port), timeout=10) as bare,
        context.wrap_socket(bare, server_hostname=name) as encrypted,
    ):
        encrypted.recv(1)
        return encrypted.getpeercert(binary_form=True) or b""


def test_a_self_signed_certificate_is_trusted_by_its_file_alone(serve):
    server = serve("imap", "tls")
    pem = Path(server.certificate_path).read_text()
    assert shown(server, trusting(server)) == ssl.PEM_cert_to_DER_cert(pem)
    shown(server, trusting(server), "localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        shown(server, ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mail\.example"):
        shown(server, trusting(server), "mail.example")


def test_the_fingerprint_is_that_of_the_certificate(serve):
    server = serve("pop3", "starttls")
    der = ssl.PEM_cert_to_DER_cert(Path(server.certificate_path).read_text())
    assert server.certificate_sha256 == hashlib.sha256(der).hexdigest()
    assert serve("pop3").certificate_sha256 == ""
    assert serve("pop3").certificate_path == ""


def test_an_authority_signs(store, box, tmp_path):
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.path)
    with MailServer(store, security="tls", certificate=authority.issue()) as server:
        shown(server, context)
    other = authority.issue(names=("mail.example",))
    with (
        MailServer(store, security="tls", certificate=other) as server,
        pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"),
    ):
        shown(server, context)
    assert other.key_path.stat().st_mode & 0o777 == 0o600


def test_an_expired_certificate(store, tmp_path):
    expired = self_signed(tmp_path, not_after=datetime.now(UTC) - timedelta(days=1))
    with (
        MailServer(store, security="tls", certificate=expired) as server,
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        shown(server, trusting(server))


def test_tls_1_1_is_refused(serve):
    server = serve("imap", "tls")
    context = trusting(server)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shown(server, context)


@pytest.mark.parametrize("security", ["tls", "none"])
def test_stopping_does_not_wait_for_silent_clients(store, security):
    with MailServer(store, security=security) as server:
        silent = [socket.create_connection((server.host, server.port)) for _ in range(3)]
        greeted = socket.create_connection((server.host, server.port), timeout=10)
        if security == "none":
            greeted.recv(100)
        began = datetime.now(UTC)
    assert datetime.now(UTC) - began < timedelta(seconds=3)
    for client in [*silent, greeted]:
        client.close()


@pytest.mark.parametrize("security", ["tls", "none"])
def test_a_server_starts_again_on_its_port(store, box, imap, security):
    server = MailServer(store, security=security)
    with server:
        port = server.port
        imap(server).select()
    with server:
        assert server.port == port
        assert imap(server).select() == ("OK", [b"0"])


def test_cutting_every_connection(serve, imap):
    server = serve("imap")
    client = imap(server)
    server.drop_connections()
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        client.noop()
    imap(server).noop()


def test_a_server_that_misbehaves(store, box, imap):
    """The two places to take hold of: every octet written, and every command."""

    class Cutting(ImapConnection):
        def write(self, data):
            super().write(data.replace(b"Subject", b"Object!"))

        def dispatch(self, tag, name, arguments):
            if name == "UID SEARCH":
                self.hang_up("Enough.")
            super().dispatch(tag, name, arguments)

    class CuttingServer(MailServer):
        imap_connection = Cutting

    box.folder().deliver(letter())
    with CuttingServer(store) as server:
        client = imap(server)
        client.select()
        assert b"Object!: Hola" in client.uid("fetch", "1", "(BODY.PEEK[])")[1][0][1]
        with pytest.raises(imaplib.IMAP4.abort):
            client.uid("search", "ALL")
