"""`buzon up` as a process: first start, signals, the lock, and a letter's way to its agent."""

import ctypes
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from buzon.demo.server import MailServer, Mailstore
from tests.lease.real_database import RealDatabase, no_database

OPENING = "tests.config.opening"


@pytest.fixture
def place() -> Iterator[RealDatabase]:
    made = no_database()
    yield made
    made.remove()


class Up:
    """`buzon up` in a process of its own; `lines` is what it has said so far."""

    def __init__(self, place: RealDatabase, *words: str) -> None:
        self.process = place.start(OPENING, "up", *words)
        self.lines: list[str] = []

    def __enter__(self) -> "Up":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=10)

    def says(self, words: str) -> str:
        """Read on until a line has these words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without {words!r}: {self.lines}, {self._errors()}")

    def ends(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        out, self.errors = self.process.communicate(timeout=25)
        self.lines += out.splitlines()
        return self.process.returncode

    def _errors(self) -> str:
        return self.process.stderr.read() if self.process.stderr else ""


def ask(place: RealDatabase, *arguments: object) -> Any:
    out = place.run(OPENING, *arguments)
    return json.loads(out) if out else None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_from_nothing_and_stops_at_a_signal(
    place: RealDatabase, number: signal.Signals
) -> None:
    with Up(place, "ana@shop.example") as first:
        password = first.says("password").split()[2]
        first.says("Ctrl-C stops")
        started = time.monotonic()
        assert first.ends(number) == 0
        assert time.monotonic() - started < 10
        assert password not in first.errors
    assert ask(place, "signs_in", "ana@shop.example", password) is True
    with Up(place) as second:
        second.says("Ctrl-C stops")
        assert second.ends(number) == 0
        assert not any("password" in line or "code=" in line for line in second.lines)


def test_it_serves_the_pages_and_says_where_the_administrator_is_made(place: RealDatabase) -> None:
    with Up(place) as first:
        address = first.says("/setup?code=").strip("│ \n")
        assert "no incoming mailbox yet (the pages add one)" in first.says("Ctrl-C stops")
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.status == 200
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert first.ends(signal.SIGTERM) == 0
    with Up(place) as second:  # nobody has used it: it is the same
        assert second.says("/setup?code=").rpartition("code=")[2] in address + " │\n"
        assert second.ends(signal.SIGTERM) == 0


def test_a_port_that_is_taken_is_refused_before_anything_is_made(place: RealDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place.environ["BUZON_LISTEN"] = f"127.0.0.1:{taken.getsockname()[1]}"
        process = place.start(OPENING, "up")
        out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "BUZON_LISTEN" in error
    assert not os.path.exists(os.path.join(place.environ["BUZON_DATA_DIR"], "keys"))


def test_other_machines_are_served_under_a_known_name_alone(place: RealDatabase) -> None:
    place.environ["BUZON_LISTEN"] = "0.0.0.0:0"
    process = place.start(OPENING, "up")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "BUZON_PUBLIC_URL" in error


def test_a_signal_that_the_system_gives_to_another_thread_stops_it(place: RealDatabase) -> None:
    """Python hears it in the main thread, which the system need not wake for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Up(place) as up:
        up.says("Ctrl-C stops")
        pid = up.process.pid
        time.sleep(0.5)  # until the main thread waits
        other = next(int(one) for one in os.listdir(f"/proc/{pid}/task") if int(one) != pid)
        libc.tgkill(pid, other, signal.SIGTERM)
        up.says("Stopping")
        out, _ = up.process.communicate(timeout=25)
        assert "Stopped" in out
        assert up.process.returncode == 0


def test_a_second_one_on_the_same_folder_is_refused(place: RealDatabase) -> None:
    with Up(place) as first:
        first.says("Ctrl-C stops")
        second = place.start(OPENING, "up")
        out, error = second.communicate(timeout=60)
        assert (second.returncode, out) == (2, "")
        assert f"already running on {place.environ['BUZON_DATA_DIR']} " in error
        assert f"(process {first.process.pid})" in error
        assert ask(place, "only_open") is None  # other commands go on meanwhile


def test_after_a_kill_it_starts_again_at_once(place: RealDatabase) -> None:
    with Up(place) as killed:
        killed.says("Ctrl-C stops")
        killed.process.kill()
        killed.process.wait(10)
    with Up(place) as again:
        again.says("Ctrl-C stops")
        assert again.ends(signal.SIGTERM) == 0


def test_it_goes_on_when_nobody_reads_what_it_says(place: RealDatabase) -> None:
    process = place.start(OPENING, "up")
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C stops" in line:
            break
    process.stdout.close()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.wait(25)
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("BUZON_SMTP_URL", "smtp://127.0.0.1:25")],
)
def test_a_wrong_mail_setting_is_refused_before_anything_is_made(
    place: RealDatabase, name: str, value: str
) -> None:
    place.environ[name] = value
    process = place.start(OPENING, "up")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert name in error
    assert not os.path.exists(place.environ["BUZON_DATA_DIR"])


LETTER = (
    b"From: Eva <eva@example.com>\r\nTo: info@shop.example\r\nSubject: Hello\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@example.com>\r\n\r\nHello.\r\n"
)


def test_mail_that_arrives_is_collected_on_and_on_and_told(place: RealDatabase) -> None:
    store = Mailstore()
    inbox = store.add_login("info@shop.example", "the-secret").folder()
    inbox.deliver(LETTER % 1)
    with MailServer(store) as server:
        ask(place, "first")
        ask(place, "hold_a_secret", server.port)
        with Up(place) as up:
            assert "1 filed" in up.says("info: ")
            inbox.deliver(LETTER % 2)
            assert "1 filed" in up.says("info: ")
            kinds = _until_told(place)
            assert up.ends(signal.SIGTERM) == 0
            assert "the-secret" not in up.errors
            assert "eva@example.com" not in up.errors
    assert "customer_created" in kinds


def _until_told(place: RealDatabase) -> list[str]:
    """An agentless customer: the administrator is told that it was left unassigned."""
    deadline = time.monotonic() + 20
    while (seen := ask(place, "told"))["notifications"] == 0:
        assert time.monotonic() < deadline, seen
    kinds: list[str] = seen["events"]
    return kinds


def test_an_error_is_told_once_and_the_recovery_too(place: RealDatabase) -> None:
    store = Mailstore()
    store.add_login("info@shop.example", "the-secret")
    ask(place, "first")
    with MailServer(store) as server:
        port = server.port
    ask(place, "hold_a_secret", port)
    with Up(place) as up:
        assert "info: " in up.says("info: ")
        with MailServer(store, port=port):
            assert "works again" in up.says("info: ")
            up.ends(signal.SIGTERM)
