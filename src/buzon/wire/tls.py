"""TLS for mail: verified against the authorities, or against the one certificate we pinned."""

import functools
import hashlib
import hmac
import os
import socket
import ssl
from typing import Any

from buzon.wire.endpoint import Endpoint
from buzon.wire.errors import ConnectFailed, TimedOut, TlsRefused


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
            f"The file of certificate authorities {endpoint.ca_file} cannot be read."
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
            f"{endpoint.host} did not finish the TLS handshake in time; check the port and the "
            "encryption, or try later."
        ) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:  # which of them: Python's version
        raise _hung_up(endpoint) from error
    except ssl.SSLError as error:
        raise TlsRefused(
            f"No TLS with {endpoint.host}:{endpoint.port} ({_reason(error)}); "
            "check the port and the kind of encryption."
        ) from error
    except OSError as error:
        raise _hung_up(endpoint) from error


def _hung_up(endpoint: Endpoint) -> ConnectFailed:
    return ConnectFailed(
        f"{endpoint.host} hung up during the TLS handshake; check the port and the encryption, "
        "or try later."
    )


def _check_pin(wrapped: ssl.SSLSocket, endpoint: Endpoint) -> None:
    if not endpoint.pinned_sha256:
        return
    seen = fingerprint(wrapped)
    pinned = endpoint.pinned_sha256.lower().replace(":", "")
    if not hmac.compare_digest(seen.encode(), pinned.encode()):
        raise TlsRefused(
            f"The certificate of {endpoint.host} is not the pinned one: "
            f"its SHA-256 is {seen}, pinned is {pinned}."
        )


def _untrusted(
    wrapped: ssl.SSLSocket, endpoint: Endpoint, error: ssl.SSLCertVerificationError
) -> TlsRefused:
    seen = _refused_fingerprint(wrapped)
    told = f" Its SHA-256 is {seen}; pin it only if the server's owner confirms it." if seen else ""
    return TlsRefused(
        f"The certificate of {endpoint.host} is not trusted: {error.verify_message}.{told}"
    )


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
