"""Certificates for servers on this machine: self-signed, or from an authority of our own."""

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
VALID_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate and its key, as PEM files; `sha256` is lower-case hex of the DER."""

    path: Path
    key_path: Path
    sha256: str

    def context(self) -> ssl.SSLContext:
        """For a server that shows this certificate; TLS 1.2 and later."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.path, self.key_path)
        return context


def self_signed(
    folder: Path,
    *,
    names: tuple[str, ...] = LOCAL_NAMES,
    not_after: datetime | None = None,
) -> ServerCertificate:
    """A certificate for these names and addresses, signed with its own key.

    `not_after` is an aware datetime, 30 days from now by default; one in the past makes an expired
    certificate. The PEM file serves as a client's file of authorities.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _certificate(names, key, not_after).issuer_name(_name(names[0]))
    return _written(folder, "server", builder.sign(key, hashes.SHA256()), key)


class Authority:
    """A certificate authority; `path` is its certificate, for clients to trust."""

    def __init__(self, folder: Path, *, name: str = "Buzon demonstration authority") -> None:
        self._folder = folder
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        usage = _usage(signs_certificates=True)
        certificate = (
            _dated(self._key, self._name, None)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, *, names: tuple[str, ...] = LOCAL_NAMES, not_after: datetime | None = None
    ) -> ServerCertificate:
        """A certificate for these names and addresses, signed by this authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _certificate(names, key, not_after).issuer_name(self._name)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return _written(self._folder, "issued", certificate, key)


def _certificate(
    names: tuple[str, ...], key: ec.EllipticCurvePrivateKey, not_after: datetime | None
) -> x509.CertificateBuilder:
    server_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _dated(key, _name(names[0]), not_after)
        .add_extension(x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server_use, critical=False)
    )


def _dated(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, not_after: datetime | None
) -> x509.CertificateBuilder:
    until = not_after or datetime.now(UTC) + VALID_FOR
    own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), until) - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(own_id, critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _written(
    folder: Path, stem: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ServerCertificate:
    sha256 = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    path, key_path = folder / f"{stem}-{sha256[:8]}.pem", folder / f"{stem}-{sha256[:8]}.key"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.touch(mode=0o600)
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ServerCertificate(path=path, key_path=key_path, sha256=sha256)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
