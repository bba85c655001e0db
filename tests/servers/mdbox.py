"""Deliver and read where the mail does not lie in files of its own: through Python's imaplib."""

from __future__ import annotations

import imaplib
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers.dovecot import Dovecot

FLAGS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "T": "\\Deleted", "D": "\\Draft"}


def append(
    server: Dovecot, login: str, octets: bytes, folder: str, when: datetime, letters: str
) -> None:
    """APPEND one message; imaplib turns bare LF into CRLF, as Dovecot would when it is fetched."""
    with _login(server, login) as client:
        flags = " ".join(FLAGS[letter] for letter in letters)
        status, answer = client.append(_quoted(folder), flags, when.astimezone(), octets)
        if status != "OK":
            raise RuntimeError(f"Dovecot refused the message: {answer}")


def messages(server: Dovecot, login: str, folder: str) -> list[bytes]:
    """Every message's octets by UID."""
    with _login(server, login) as client:
        client.select(_quoted(folder), readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[])")
        return [item[1] for item in answer if isinstance(item, tuple)]


def _login(server: Dovecot, login: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4(server.host, server.port("imap", "none"))
    secret = server.credentials(login).secret
    client.authenticate("PLAIN", lambda _: f"\0{login}\0{secret}".encode())
    return client


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
