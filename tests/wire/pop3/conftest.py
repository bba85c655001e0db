"""The place that the suite runs at: each server, in each kind of encryption."""

from collections.abc import Callable, Iterator

import pytest

from buzon.demo.server import MailServer, Mailstore
from buzon.wire.endpoint import Security
from tests.servers.dovecot import Dovecot
from tests.wire.pop3.servers import SECRET, AtDovecot, AtOurs, Place


@pytest.fixture(params=["none", "starttls", "tls"])
def security(request: pytest.FixtureRequest) -> Security:
    return Security(request.param)


@pytest.fixture(params=["dovecot", "ours"])
def place(
    request: pytest.FixtureRequest, security: Security, fresh_login: Callable[..., str]
) -> Iterator[Place]:
    if request.param == "dovecot":
        dovecot: Dovecot = request.getfixturevalue("dovecot")
        yield AtDovecot(dovecot, fresh_login(SECRET), security)
        return
    with MailServer(Mailstore(), protocol="pop3", security=security.value) as server:
        yield AtOurs(server, "ana@tienda.example", security)
