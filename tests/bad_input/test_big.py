"""A message of 200 MB: not downloaded until a person asks, then byte for byte; memory is bounded.

The demonstration server keeps one copy of it, in memory; what is measured is the command's process.
"""

import hashlib
from pathlib import Path

import pytest

from buzon.demo.server import Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import LOGIN, Shop, measured
from tests.servers.large import MB, with_attachment

SIZES = {"200 MB": 200 * MB, "60 MB": 60 * MB}  # the limit is 50 MiB
# Measured: 70 MB without it, 600 with it: it is taken into custody in pieces, and read whole.
MOST_LEFT = 160 * MB
MOST_FETCHED = 4  # times its size, above a collection without it


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
    is_fetched(shop, row["id"], big, tmp_path, before=first.most)
    assert big not in [message.octets for message in box.messages]


def is_fetched(shop: Shop, number: int, big: bytes, folder: Path, *, before: int) -> None:
    """Because a person asks, whole, and only then removed from the server."""
    shop.do("fetch", number)
    collected = measured("collect", "a", "--once", "--json", env=shop.env, folder=folder)
    (totals,) = collected.ran.json()
    assert (totals["filed"], totals["settled"]) == (1, 1)
    assert collected.most - before < MOST_FETCHED * len(big)
    digest = hashlib.sha256(big).hexdigest()
    raw = shop("raw", digest)
    assert raw.status == 0
    assert hashlib.sha256(raw.out).hexdigest() == digest
