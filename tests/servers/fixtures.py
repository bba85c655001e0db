"""Fixtures of the real servers. One Dovecot for each test process: each takes its own ports."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.servers.dovecot import Dovecot

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A Maildir Dovecot, shared by the tests of this process: add a login of your own."""
    with Dovecot() as server:
        yield server


@pytest.fixture
def fresh_login(dovecot: Dovecot) -> Callable[..., str]:
    """Makes a login on `dovecot`; its secret is "secret" unless given."""

    def make(secret: str = "secret") -> str:
        name = f"ana{next(_numbers)}@tienda.example"
        dovecot.add_login(name, secret)
        return name

    return make


@pytest.fixture
def login(fresh_login: Callable[..., str]) -> str:
    """A fresh login on `dovecot`, with the secret "secret"."""
    return fresh_login()
