"""`buzon up` at work: a letter is filed, handed out and told in seconds; it stops, and goes on."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys import cast
from tests.journeys.shop import Shop
from tests.servers.dovecot import Dovecot

SECONDS = 30.0  # far more than it takes, also on a machine that does other things
NOTIFIED = "select count(*) from notify_notification where kind = 'message_received'"
RUNNING = "is running on"


@pytest.mark.timeout(200)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_up_collects_stops_and_goes_on(
    protocol: str,
    shop: Shop,
    dovecot: Dovecot,
    fresh_login: Callable[..., str],
    tmp_path: Path,
) -> None:
    """R11, R14: two notifications seconds after the mail arrived; a restart loses nothing."""
    login = fresh_login()
    _add_account(shop, protocol, dovecot, login)
    with _up(shop, tmp_path / "first.txt") as first:
        dovecot.deliver(login, _letter(1, "nueva@correo.example"))
        _await(shop, NOTIFIED, 1)
        _compare(shop, dovecot, login, letters=1)
        _is_refused(shop, first)
        _stop(first, tmp_path / "first.txt")
    dovecot.deliver(login, _letter(2, "nueva@correo.example"))
    with _up(shop, tmp_path / "second.txt") as second:
        _await(shop, NOTIFIED, 2)
        _compare(shop, dovecot, login, letters=2)
        _stop(second, tmp_path / "second.txt")
    said = (tmp_path / "second.txt").read_text()
    assert "Traceback" not in said
    assert "password" not in said, "it was told at the first start, once"


def _add_account(shop: Shop, protocol: str, dovecot: Dovecot, login: str) -> None:
    port = str(dovecot.port(protocol, "none"))
    shop.run(
        "account", "add", "pedidos", "--host", dovecot.host, "--port", port, "--security", "none",
        "--protocol", protocol, "--username", login, "--password-file", "-", "--poll-seconds", "1",
        "--create-customer", "--group", cast.GROUP, "--store", cast.CENTRO, "--delete-downloaded",
        given="secret\n",
    )  # fmt: skip


def _letter(number: int, sender: str) -> bytes:
    return (
        f"From: {sender}\r\nTo: {cast.OWN_ADDRESS}\r\nSubject: Lámpara {number}\r\n"
        f"Message-ID: <up.{number}@correo.example>\r\n\r\n¿Queda alguna?\r\n"
    ).encode()


@contextmanager
def _up(shop: Shop, output: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Started, and past its start; whatever happens, no process stays behind."""
    process = shop.start("up", output=output)
    try:
        deadline = time.monotonic() + SECONDS
        while RUNNING not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _await(shop: Shop, query: str, number: int) -> None:
    deadline = time.monotonic() + SECONDS
    with shop.watching() as read:
        while read(query)[0][0] < number:
            assert time.monotonic() < deadline, f"{query}: still not {number}"
            time.sleep(0.05)


def _compare(shop: Shop, dovecot: Dovecot, login: str, *, letters: int) -> None:
    """While it runs, the other commands read the same installation."""
    rows = shop.jsonl("ledger")
    assert [row["outcome"] for row in rows] == ["filed"] * letters
    (customer,) = {row["customer"] for row in rows}
    (agent,) = {row["agent"] for row in rows}
    assert agent in {a.name for a in cast.AGENTS if a.present and a.status == "free"}
    told = [n for n in shop.json("notification", "list") if n["customer"] == customer]
    assert sorted(n["kind"] for n in told) == ["customer_assigned", *["message_received"] * letters]
    assert {n["agent"] for n in told} == {agent}
    # Settled after it was told, so it may still be under way.
    deadline = time.monotonic() + SECONDS
    while dovecot.messages(login):
        assert time.monotonic() < deadline, "it stays on the server"
        time.sleep(0.05)


def _is_refused(shop: Shop, running: "subprocess.Popen[bytes]") -> None:
    second = shop.try_to("up")
    assert second.returncode == 2
    assert len(second.stderr.strip().splitlines()) == 1, second.stderr
    assert "already running" in second.stderr
    assert str(running.pid) in second.stderr
    assert second.stdout == ""


def _stop(process: "subprocess.Popen[bytes]", output: Path) -> None:
    """SIGTERM, as a service manager stops it."""
    process.send_signal(signal.SIGTERM)
    try:
        assert process.wait(timeout=SECONDS) == 0, output.read_text()
    except subprocess.TimeoutExpired:
        pytest.fail(f"it does not stop: {output.read_text()}")


@pytest.mark.timeout(200)
def test_up_is_killed_and_goes_on(
    shop: Shop, dovecot: Dovecot, fresh_login: Callable[..., str], tmp_path: Path
) -> None:
    """The lock and the leases of a killed process hold nobody up."""
    login = fresh_login()
    _add_account(shop, "imap", dovecot, login)
    with _up(shop, tmp_path / "first.txt") as first:
        dovecot.deliver(login, _letter(1, "nueva@correo.example"))
        shop.kill_when("select count(*) from intake_arrival", first)
    dovecot.deliver(login, _letter(2, "nueva@correo.example"))
    with _up(shop, tmp_path / "second.txt") as second:
        _await(shop, NOTIFIED, 2)
        _compare(shop, dovecot, login, letters=2)
        _stop(second, tmp_path / "second.txt")
    shop.run("doctor")  # which fails where anything is unsound
