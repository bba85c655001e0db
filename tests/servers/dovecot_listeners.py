"""Where the tests' Dovecot listens: each protocol on each of its addresses, clear and over TLS."""

import contextlib
import socket
import time
from dataclasses import dataclass

from buzon.wire.endpoint import Security
from tests.servers.dovecot_conf import ADDRESSES, PLAIN, SELF_SIGNED, STRICT


@dataclass(frozen=True, slots=True)
class Listener:
    """One address and port, for example Listener("imap", Security.TLS, "127.0.0.1", 4711)."""

    protocol: str
    security: Security
    address: str
    port: int


def free_listeners() -> list[Listener]:
    """All of them on ports that nobody else holds now."""
    listeners = []
    with contextlib.ExitStack() as held:
        for protocol in ("imap", "pop3"):
            for address in ADDRESSES:
                for security in (Security.NONE, Security.TLS):
                    probe = held.enter_context(socket.socket())
                    probe.bind((address, 0))
                    port = probe.getsockname()[1]
                    listeners.append(Listener(protocol, security, address, port))
    return listeners


def accepts(listener: Listener) -> bool:
    """Whether it accepts, and in the clear also greets; waits 10 ms at most when refused."""
    try:
        with socket.create_connection((listener.address, listener.port), timeout=5) as stream:
            return listener.security == Security.TLS or stream.recv(1) in (b"*", b"+")
    except ConnectionRefusedError:
        time.sleep(0.01)
        return False


def address_of(*, strict: bool, self_signed: bool) -> str:
    """Dovecot tells its listeners apart by it."""
    if strict:
        return STRICT
    return SELF_SIGNED if self_signed else PLAIN
