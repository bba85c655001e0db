"""The place that the suite runs at: each server, in each kind of encryption."""

from collections.abc import Callable, Iterator

import pytest

from buzon.demo.server import MailServer, Mailstore
from buzon.wire.endpoint import Security
from tests.servers.dovecot import Dovecot
from tests.wire.imap.servers import Ours, Place, Real

PLACES = [(kind, security) for kind in ("dovecot", "ours") for security in Security]


@pytest.fixture(params=PLACES, ids=[f"{kind}-{security}" for kind, security in PLACES])
def place(
    request: pytest.FixtureRequest, dovecot: Dovecot, fresh_login: Callable[[], str]
) -> Iterator[Place]:
    """A server with an empty INBOX and a login of its own."""
    kind, security = request.param
    if kind == "dovecot":
        yield Real(dovecot, fresh_login(), security)
        return
    with MailServer(Mailstore(), protocol="imap", security=security.value) as server:
        yield Ours(server)


@pytest.fixture(params=["dovecot", "ours"])
def clear_place(
    request: pytest.FixtureRequest, dovecot: Dovecot, fresh_login: Callable[[], str]
) -> Iterator[Place]:
    """The same without encryption only: for what has nothing to do with it, and takes time."""
    if request.param == "dovecot":
        yield Real(dovecot, fresh_login(), Security.NONE)
        return
    with MailServer(Mailstore(), protocol="imap", security="none") as server:
        yield Ours(server)


@pytest.fixture(params=["dovecot", "ours"])
def tls_place(
    request: pytest.FixtureRequest, dovecot: Dovecot, fresh_login: Callable[[], str]
) -> Iterator[Place]:
    """The same over TLS only."""
    if request.param == "dovecot":
        yield Real(dovecot, fresh_login(), Security.TLS)
        return
    with MailServer(Mailstore(), protocol="imap", security="tls") as server:
        yield Ours(server)
