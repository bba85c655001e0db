"""TLS for mail: verified against the authorities, or against the one certificate we pinned."""

import functools
import hashlib
import hmac
import os
import socket
import ssl
from typing import Any

from buzon.wire.endpoint import Endpoint
from buzon.wire.errors import ConnectFailed, TimedOut, TlsRefused, template


def secured(sock: socket.socket, endpoint: Endpoint) -> ssl.SSLSocket:
    """`sock` after a handshake, at least TLS 1.2, with the certificate accepted.

    Raises TlsRefused with the fingerprint that was seen, so that an administrator can compare
    and pin it; TimedOut; ConnectFailed when the peer hung up.
    """
    context = _context(endpoint)
    sock.settimeout(endpoint.connect_timeout)
    wrapped = context.wrap_socket(
        sock, server_hostname=endpoint.host.rstrip("."), do_handshake_on_connect=False
    )
    try:
        _handshake(wrapped, endpoint)
        _check_pin(wrapped, endpoint)
    except BaseException:
        wrapped.close()  # the socket we were given is detached by now
        raise
    return wrapped


def fingerprint(wrapped: ssl.SSLSocket) -> str:
    """Lower-case hex SHA-256 of the peer's certificate (DER)."""
    return hashlib.sha256(wrapped.getpeercert(binary_form=True) or b"").hexdigest()


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    if endpoint.pinned_sha256:
        return _pinning_context()
    if not endpoint.ca_file:
        return _verifying_context("", 0)
    try:
        return _verifying_context(endpoint.ca_file, os.stat(endpoint.ca_file).st_mtime_ns)
    except (OSError, ssl.SSLError) as error:
        raise TlsRefused(
            "The file of certificate authorities {file} cannot be read.", file=endpoint.ca_file
        ) from error


# Loading the system's authorities costs some 15 ms: done once per file and change of it.
@functools.lru_cache(maxsize=16)
def _verifying_context(ca_file: str, changed: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


@functools.lru_cache(maxsize=1)
def _pinning_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # _check_pin decides, before anything secret is sent
    return context


def _handshake(wrapped: ssl.SSLSocket, endpoint: Endpoint) -> None:
    try:
        wrapped.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(wrapped, endpoint, error) from error
    except TimeoutError as error:
        raise TimedOut(
            "{host} did not finish the TLS handshake in time; check the port and the "
            "encryption, or try later.",
            host=endpoint.host,
        ) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # which of them: Python's version
        raise _hung_up(endpoint) from error
    except ssl.SSLError as error:
        raise TlsRefused(
            "No TLS with {host}:{port} ({why}); check the port and the kind of encryption.",
            host=endpoint.host,
            port=endpoint.port,
            why=_reason(error),
        ) from error
    except OSError as error:
        raise _hung_up(endpoint) from error


def _hung_up(endpoint: Endpoint) -> ConnectFailed:
    return ConnectFailed(
        "{host} hung up during the TLS handshake; check the port and the encryption, or try later.",
        host=endpoint.host,
    )


def _check_pin(wrapped: ssl.SSLSocket, endpoint: Endpoint) -> None:
    if not endpoint.pinned_sha256:
        return
    seen = fingerprint(wrapped)
    pinned = endpoint.pinned_sha256.lower().replace(":", "")
    if not hmac.compare_digest(seen.encode(), pinned.encode()):
        raise TlsRefused(
            "The certificate of {host} is not the pinned one: "
            "its SHA-256 is {seen}, pinned is {pinned}.",
            host=endpoint.host,
            seen=seen,
            pinned=pinned,
        )


def _untrusted(
    wrapped: ssl.SSLSocket, endpoint: Endpoint, error: ssl.SSLCertVerificationError
) -> TlsRefused:
    seen, why = _refused_fingerprint(wrapped), _distrust(error)
    if not seen:
        return TlsRefused(
            "The certificate of {host} is not trusted: {why}.",
            host=endpoint.host,
            why=why,
        )
    return TlsRefused(
        "The certificate of {host} is not trusted: {why}. Its SHA-256 is {seen}; pin it only if "
        "the server's owner confirms it.",
        host=endpoint.host,
        why=why,
        seen=seen,
    )


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    # OpenSSL: X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH; Python puts the
    # name into the message, where we have it already.
    if error.verify_code in (62, 64):
        return template("it is for another server name")
    return str(error.verify_message)


def _refused_fingerprint(wrapped: ssl.SSLSocket) -> str:
    """The fingerprint of a certificate that failed, or "" where Python does not show it.

    `getpeercert` speaks only after a finished handshake. The chain is public from Python 3.13 on
    (a list of DER) and sits on the inner object before (a list of certificate objects).
    """
    holder: Any = wrapped if hasattr(wrapped, "get_unverified_chain") else None
    holder = holder or getattr(wrapped, "_sslobj", None)
    if not hasattr(holder, "get_unverified_chain"):
        return ""
    chain = holder.get_unverified_chain()
    if not chain:
        return ""
    leaf = chain[0]
    der = leaf if isinstance(leaf, bytes) else ssl.PEM_cert_to_DER_cert(leaf.public_bytes())
    return hashlib.sha256(der).hexdigest()


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "handshake failed").replace("_", " ").lower()
