"""A mailbox of large letters: whatever it holds in all, memory is bounded by one of them.

The whole gigabyte is `python -m bench.full large`; here are six letters of it. The mail server is a
process of its own, and what is measured is the collecting command's.
"""

import hashlib
from pathlib import Path

import pytest

from buzon.demo.server import Mailstore
from tests.bad_input.conftest import Serve, letter
from tests.bad_input.shop import LOGIN, Shop, measured
from tests.servers.large import MB, large

SIZE = 40 * MB
LETTERS = 6


def idle(shop: Shop, mail: Mailstore, serve: Serve, protocol: str, folder: Path) -> int:
    """Octets that the command takes for one small letter."""
    mail.logins[LOGIN].folder().deliver(letter(1))
    shop.account("small", serve(protocol), "--create-customer")
    collected = measured("collect", "small", "--once", "--json", env=shop.env, folder=folder)
    assert collected.ran.json()[0]["filed"] == 1
    return collected.most


@pytest.mark.parametrize(("protocol", "after"), [("imap", "delete"), ("pop3", "leave")])
def test_memory_is_bounded_by_one_message(
    shop: Shop, mail: Mailstore, serve: Serve, tmp_path: Path, protocol: str, after: str
) -> None:
    shop.env["BUZON_READ_TIMEOUT_SECONDS"] = "30"
    before = idle(shop, mail, serve, protocol, tmp_path)
    with large(protocol, letters=LETTERS, size=SIZE) as server:
        shop.do(
            "account", "add", "large", "--host", "127.0.0.1", "--port", server.port,
            "--username", LOGIN, "--password-file", shop.password, "--protocol", protocol,
            "--security", "none", "--create-customer", "--after", after,
        )  # fmt: skip
        done = measured("collect", "large", "--once", "--json", env=shop.env, folder=tmp_path)
        (totals,) = done.ran.json()
        assert (totals["filed"], totals["error"]) == (LETTERS, "")
        assert server.left() == (0 if after == "delete" else LETTERS)
    assert done.most - before < 4 * SIZE
    raw = shop("raw", server.digests[0])
    assert hashlib.sha256(raw.out).hexdigest() == server.digests[0]
    with shop.database() as run:
        kept = {
            name for (name,) in run("SELECT sha256 FROM intake_rawmessage WHERE size > 1000000")
        }
    assert kept == set(server.digests)
