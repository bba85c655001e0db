"""A message of 200 MB: not downloaded until a person asks, then byte for byte; memory is bounded.

The demonstration server keeps one copy of it, in memory; what is measured is the command's process.
"""

import base64
import hashlib
import os
from pathlib import Path

import pytest

from buzon.demo.server import Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import LOGIN, Shop, measured

MB = 1_000_000
SIZES = {"200 MB": 200 * MB, "60 MB": 60 * MB}  # the limit is 50 MiB
# Measured: 70 MB without it; with it 1,000 (POP3) to 1,200 (IMAP), because the whole is held a few
# times over: the octets, their compressed copy, the database's statement, and its reading.
MOST_LEFT = 160 * MB
MOST_FETCHED = 2_000 * MB


def with_attachment(size: int) -> bytes:
    """A letter with an attachment, which repeats itself too far apart to be compressed well."""
    head = (
        b"From: Eva <eva@cliente.example>\r\nTo: ana@tienda.example\r\nSubject: Planos\r\n"
        b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <big@cliente.example>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\nAdjunto.\r\n"
        b"--x\r\nContent-Type: application/zip; name=planos.zip\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=planos.zip\r\n\r\n"
    )
    block = base64.encodebytes(os.urandom(3 * MB)).replace(b"\n", b"\r\n")
    tail = b"--x--\r\n"
    blocks = (size - len(head) - len(tail)) // len(block) + 1
    return head + block * blocks + tail


@pytest.mark.parametrize(
    ("size", "protocol", "create"),
    [
        ("200 MB", "imap", True),
        ("200 MB", "pop3", False),
        ("60 MB", "imap", False),
        ("60 MB", "pop3", True),
    ],
)
def test_a_big_message(
    shop: Shop, mail: Mailstore, serve: Serve, tmp_path: Path,
    size: str, protocol: str, create: bool,
) -> None:  # fmt: skip
    big = with_attachment(SIZES[size])
    box = mail.logins[LOGIN].folder()
    for octets in (letter(1), big, letter(2)):
        box.deliver(octets)
    shop.env["BUZON_READ_TIMEOUT_SECONDS"] = "50"
    if not create:
        shop.do("customer", "add", "eva@cliente.example")
    shop.account("a", serve(protocol), "--delete-downloaded", *["--create-customer"] * create)
    first = measured("collect", "a", "--once", "--json", env=shop.env, folder=tmp_path)
    (totals,) = first.ran.json()
    assert (totals["oversized"], totals["filed"]) == (1, 2 * create)
    assert totals["bytes"] < MB
    assert first.most < MOST_LEFT
    assert big in [message.octets for message in box.messages]
    (row,) = shop("ledger", "a", "--outcome", "oversized", "--jsonl").lines()
    assert (row["size"], row["sha256"]) == (len(big), "")
    is_fetched(shop, row["id"], big, tmp_path)
    assert big not in [message.octets for message in box.messages]


def is_fetched(shop: Shop, number: int, big: bytes, folder: Path) -> None:
    """Because a person asks, whole, and only then removed from the server."""
    shop.do("fetch", number)
    collected = measured("collect", "a", "--once", "--json", env=shop.env, folder=folder)
    (totals,) = collected.ran.json()
    assert (totals["filed"], totals["settled"]) == (1, 1)
    assert collected.most < MOST_FETCHED
    digest = hashlib.sha256(big).hexdigest()
    raw = shop("raw", digest)
    assert raw.status == 0
    assert hashlib.sha256(raw.out).hexdigest() == digest
