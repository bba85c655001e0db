"""The command as a process on an installation of its own, and honest mail servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from buzon.demo.server import MailLogin, MailServer, Mailstore, Options
from tests.bad_input.shop import LOGIN, SECRET, Shop
from tests.config.conftest import Installation, _made, fresh, installed

__all__ = ["_made", "fresh", "installed"]  # fixtures of theirs, used here

Serve = Callable[..., MailServer]


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with the right password."""
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    return file


@pytest.fixture
def shop(installed: Installation, password: Path) -> Shop:
    """The organization "My shop" with the store Norte, and short time limits."""
    installed.env["BUZON_CONNECT_TIMEOUT_SECONDS"] = "2"
    installed.env["BUZON_READ_TIMEOUT_SECONDS"] = "2"
    return Shop(installed, password)


@pytest.fixture
def mail() -> Mailstore:
    """A mail server's memory, and the ledger of what clients did to it."""
    store = Mailstore()
    store.add_login(LOGIN, SECRET)
    return store


@pytest.fixture
def box(mail: Mailstore) -> MailLogin:
    """Three letters of three unknown senders."""
    box = mail.logins[LOGIN]
    for number in range(3):
        box.folder().deliver(letter(number))
    return box


@pytest.fixture
def serve(mail: Mailstore) -> Iterator[Serve]:
    """Starts servers of that mail."""
    with ExitStack() as stack:

        def start(protocol: Any = "imap", security: Any = "none", **options: Any) -> MailServer:
            server = MailServer(
                mail, protocol=protocol, security=security, options=Options(**options)
            )
            return stack.enter_context(server)

        yield start


def letter(number: int, *, body: bytes = b"Hola.\r\n") -> bytes:
    """A letter by an unknown sender."""
    return (
        f"From: Eva <eva{number}@cliente.example>\r\nTo: {LOGIN}\r\nSubject: {number}\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:{number % 60:02} +0000\r\n"
        f"Message-ID: <{number}@cliente.example>\r\n\r\n"
    ).encode() + body
