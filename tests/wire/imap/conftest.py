"""The place that the suite runs at: each server, in each kind of encryption."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from buzon.demo.server import MailServer, Mailstore
from buzon.wire.endpoint import Security
from tests.servers.dovecot import Dovecot
from tests.wire.imap.servers import Ours, Place, Real

KINDS = ("dovecot", "ours")
PLACES = [(kind, security) for kind in KINDS for security in Security]
Serve = Callable[[str, Security], AbstractContextManager[Place]]


@pytest.fixture(params=PLACES, ids=[f"{kind}-{security}" for kind, security in PLACES])
def place(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Place]:
    """A server with an empty INBOX and a login of its own."""
    with serve(*request.param) as found:
        yield found


@pytest.fixture(params=KINDS)
def clear_place(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Place]:
    """The same without encryption only: for what has nothing to do with it, and takes time."""
    with serve(request.param, Security.NONE) as found:
        yield found


@pytest.fixture(params=KINDS)
def tls_place(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Place]:
    """The same over TLS only."""
    with serve(request.param, Security.TLS) as found:
        yield found


@pytest.fixture
def serve(dovecot: Dovecot, fresh_login: Callable[[], str]) -> Serve:
    """Gives a place by the kind of its server and its encryption."""

    @contextlib.contextmanager
    def serving(kind: str, security: Security) -> Iterator[Place]:
        if kind == "dovecot":
            yield Real(dovecot, fresh_login(), security)
            return
        with MailServer(Mailstore(), protocol="imap", security=security.value) as server:
            yield Ours(server)

    return serving
