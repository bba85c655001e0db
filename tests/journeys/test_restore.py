"""A restored backup of an hour ago: the hour is collected again, each letter once.

letters 1 to 3 ─▶ backup, while `buzon up` runs ─▶ letters 4 to 6 ─▶ restore ─▶ collect
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys import cast
from tests.journeys.shop import Shop
from tests.journeys.test_up import _await, _stop, _up
from tests.servers.dovecot import Dovecot

FILED = "select count(*) from intake_arrival where outcome = 'filed'"
SENDERS = ("nueva@correo.example", "otra@correo.example", cast.KNOWN_SENDERS[0].folded)
WAYS = {
    "left": ("--after", "leave"),
    "deleted after days": ("--after", "delete", "--delete-after-days", "3"),
    "deleted at once": ("--after", "delete"),
}


def letter(number: int) -> bytes:
    return (
        f"From: {SENDERS[number % 3]}\r\nTo: {cast.OWN_ADDRESS}\r\nSubject: Lámpara {number}\r\n"
        f"Message-ID: <restore.{number}@correo.example>\r\n\r\n¿Queda alguna? {number}\r\n"
    ).encode()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("way", WAYS)
def test_the_lost_hour_is_collected_again(
    protocol: str,
    way: str,
    shop: Shop,
    dovecot: Dovecot,
    fresh_login: Callable[..., str],
    tmp_path: Path,
) -> None:
    login, backup = fresh_login(), str(tmp_path / "backup")
    add_account(shop, protocol, dovecot, login, WAYS[way])
    with _up(shop, tmp_path / "up.txt") as running:
        for number in (1, 2, 3):
            dovecot.deliver(login, letter(number))
        await_filed(shop, 3, way)
        shop.run("backup", backup)
        for number in (4, 5, 6):
            dovecot.deliver(login, letter(number))
        await_filed(shop, 6, way)
        assert "already running" in shop.try_to("restore", backup, "--replace").stderr
        _stop(running, tmp_path / "up.txt")
    # Where messages are deleted at once, nobody has those of the lost hour any more.
    expected = range(1, 4) if way == "deleted at once" else range(1, 7)
    shop.run("restore", backup, "--replace")
    assert subjects(shop) == Counter(map(subject, (1, 2, 3)))
    (totals,) = json.loads(shop.run("collect", "--once", "--json"))
    assert (totals["filed"], totals["failed"], totals["error"]) == (len(expected) - 3, 0, "")
    compare(shop, expected)
    on_server = [] if way == "deleted at once" else [letter(number) for number in expected]
    assert sorted(dovecot.messages(login)) == sorted(on_server)
    (totals,) = json.loads(shop.run("collect", "--once", "--json"))
    assert (totals["filed"], totals["failed"], totals["error"]) == (0, 0, "")
    compare(shop, expected)


def add_account(
    shop: Shop, protocol: str, dovecot: Dovecot, login: str, after: tuple[str, ...]
) -> None:
    port = str(dovecot.port(protocol, "none"))
    shop.run(
        "account", "add", "pedidos", "--host", dovecot.host, "--port", port, "--security", "none",
        "--protocol", protocol, "--username", login, "--password-file", "-", "--poll-seconds", "1",
        "--create-customer", "--group", cast.GROUP, "--store", cast.CENTRO, *after,
        given="secret\n",
    )  # fmt: skip


def await_filed(shop: Shop, number: int, way: str) -> None:
    _await(shop, FILED, number)
    if way == "deleted at once":
        settled = "select count(*) from intake_arrival where settled_at is not null"
        _await(shop, settled, number)


def compare(shop: Shop, expected: range) -> None:
    """One of each: letter, octets, row of the ledger, customer, notification of the letter."""
    assert subjects(shop) == Counter(map(subject, expected))
    rows = shop.jsonl("ledger")
    assert [row["outcome"] for row in rows] == ["filed"] * len(expected)
    assert sorted(shop.raws([row["sha256"] for row in rows])) == sorted(map(letter, expected))
    customers = Counter(
        address for (address,) in shop.rows("select folded from desk_customeraddress")
    )
    assert [customers[sender] for sender in SENDERS] == [1, 1, 1]
    told = [n for n in shop.json("notification", "list") if n["kind"] == "message_received"]
    assert Counter(n["message"] for n in told) == Counter({row["message"]: 1 for row in rows})
    assert {row["message"] for row in rows} == {
        number for (number,) in shop.rows("select id from desk_message")
    }


def subjects(shop: Shop) -> Counter[str]:
    return Counter(one for (one,) in shop.rows("select subject from desk_message"))


def subject(number: int) -> str:
    return f"Lámpara {number}"
