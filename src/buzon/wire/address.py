"""From a host name to a connected socket, never to an address that we may not visit.

Whatever a name is written like ("2130706433", "0x7f.1", "127.1", "localhost"), it is not judged by
its letters: the system resolves it, and each address that comes of it is judged.
"""

import socket
import time
from typing import Any

from buzon.wire.argument import SERVER, encoded
from buzon.wire.endpoint import Endpoint
from buzon.wire.errors import ConnectFailed, MailError, NotPermitted, TimedOut
from buzon.wire.public_address import is_public

# (family, type, protocol, canonical name, socket address) as getaddrinfo gives it.
_Found = tuple[Any, Any, int, str, Any]


def connected(endpoint: Endpoint) -> socket.socket:
    """A TCP socket to the first address of `endpoint.host` that answers.

    All tries together last `connect_timeout` seconds at most (the name's resolution has the
    system resolver's own deadline). The name is resolved once, and the very address that was
    checked is the one connected to, so that a name that changes its mind in between leads
    nowhere. Raises ConnectFailed, TimedOut, NotPermitted (all addresses are inside where
    `allow_private` is off).
    """
    found = _allowed(_resolved(endpoint), endpoint)
    deadline = time.monotonic() + endpoint.connect_timeout
    failure: MailError = ConnectFailed("The name {host} has no address.", host=endpoint.host)
    for position, one in enumerate(found):
        share = (deadline - time.monotonic()) / (len(found) - position)
        try:
            return _dialled(one, max(share, 0.001))
        except OSError as error:
            failure = _told(error, endpoint)
    raise failure


def _resolved(endpoint: Endpoint) -> list[_Found]:
    encoded(endpoint.host, SERVER)
    if not endpoint.host or not 0 < endpoint.port < 65536:
        raise ConnectFailed("The server needs a name and a port from 1 to 65535.")
    try:
        return socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConnectFailed(
            "The server's name {host} was not found; check how it is written.",
            host=endpoint.host,
        ) from error


def _allowed(found: list[_Found], endpoint: Endpoint) -> list[_Found]:
    if endpoint.allow_private:
        return found
    # Inner addresses among public ones are passed over: names with one for the house's own
    # network and one for the world are common, and what is not connected to does no harm.
    public = [one for one in found if is_public(one[4][0])]
    if found and not public:
        raise NotPermitted(
            "The server {host} is on a private network, which this installation does not "
            "connect to unless BUZON_ALLOW_PRIVATE_HOSTS=yes is set.",
            host=endpoint.host,
        )
    return public


def _dialled(one: _Found, seconds: float) -> socket.socket:
    family, kind, protocol, _, address = one
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(seconds)
        sock.connect(address)
        # Small pipelined commands must not wait for each other (Nagle), and a peer that vanished
        # without a word must be noticed while we wait in IDLE.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _told(error: OSError, endpoint: Endpoint) -> MailError:
    if isinstance(error, TimeoutError):
        return TimedOut(
            "{host}:{port} did not accept a connection within {seconds} seconds; check the "
            "server's name and the port, or try later.",
            host=endpoint.host,
            port=endpoint.port,
            seconds=f"{endpoint.connect_timeout:g}",
        )
    return ConnectFailed(
        "Could not connect to {host}:{port} ({why}); check the server's name and the port.",
        host=endpoint.host,
        port=endpoint.port,
        why=error.strerror or str(error),
    )
