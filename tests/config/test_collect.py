"""`buzon collect --once` as a process, against servers that speak the protocol."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from buzon.demo.server import MailServer, Mailstore
from tests.config.commands import ROOT, Ran
from tests.config.conftest import Installation
from tests.servers.faults import FaultServer, Plan

LOGIN = "ana@tienda.example"
KEYS = [
    "account", "listed", "outside", "filed", "skipped", "ignored", "oversized", "failed",
    "settled", "bytes", "seconds", "error",
]  # fmt: skip
Add = Callable[..., None]


def letter(number: int, *, sender: str = "eva@x.example") -> bytes:
    return (
        f"From: <{sender}>\r\nTo: {LOGIN}\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{number}.{sender}>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nHola\r\n"
    ).encode()


@pytest.fixture
def mail() -> Mailstore:
    store = Mailstore()
    store.add_login(LOGIN, "s3cret ñ12")
    return store


@pytest.fixture
def server(mail: Mailstore) -> Iterator[MailServer]:
    with MailServer(mail, protocol="imap", security="tls") as server:
        yield server


@pytest.fixture
def add(installed: Installation, server: MailServer, password: Path) -> Add:
    """Adds a collection account on the server."""

    def account(name: str, *flags: object) -> None:
        ran = installed(
            "account", "add", name, "--host", server.host, "--port", server.port,
            "--username", LOGIN, "--password-file", password,
            "--pin", server.certificate_sha256, *flags,
        )  # fmt: skip
        assert ran.status == 0, ran.error

    return account


def deliver(mail: Mailstore, number: int, **letters: Any) -> None:
    for one in range(number):
        mail.logins[LOGIN].folder().deliver(letter(one, **letters))


def totals(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran.out)
    assert all(list(each) == KEYS for each in found)
    return found


def test_r8_r10_r11_mail_becomes_customers_agents_and_notifications(
    installed: Installation, mail: Mailstore, add: Add
) -> None:
    """The whole way, with nothing running beside it; and the second time adds nothing."""
    installed("group", "add", "Ventas")
    installed("agent", "add", "Luis", "--email", "luis@shop.example", "--group", "Ventas")
    add("sales", "--create-customer", "--group", "Ventas", "--history", "notify")
    deliver(mail, 3)
    first = installed("collect", "--once", "--json")
    assert (first.status, first.error) == (0, "")
    (told,) = totals(first)
    assert told["bytes"] > 0
    assert told["seconds"] > 0
    counts = {key: told[key] for key in KEYS[:9]}
    assert counts == {
        "account": "sales", "listed": 3, "outside": 0, "filed": 3, "skipped": 0, "ignored": 0,
        "oversized": 0, "failed": 0, "settled": 0,
    }  # fmt: skip
    notified = installed("notification", "list", "--json").json()
    assert {each["agent"] for each in notified} == {"Luis"}
    assert "customer_assigned" in {each["kind"] for each in notified}
    (second,) = totals(installed("collect", "sales", "--once", "--json"))
    assert (second["listed"], second["filed"], second["error"]) == (3, 0, "")
    assert installed("notification", "list", "--json").json() == notified
    line = installed("ledger", "--jsonl").lines()[0]
    octets = installed("raw", line["sha256"]).out
    assert octets in {message.octets for message in mail.logins[LOGIN].folder().messages}


def test_one_account_that_fails_does_not_hold_up_the_other(
    installed: Installation, mail: Mailstore, add: Add, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    add("bad", "--password-file", wrong)
    add("good", "--create-customer")
    deliver(mail, 2)
    ran = installed("collect", "--once", "--json")
    assert ran.status == 1
    bad, good = totals(ran)
    assert (bad["account"], good["account"], good["filed"]) == ("bad", "good", 2)
    assert bad["error"]
    assert ran.error.rstrip("\n").splitlines() == [f"bad: {bad['error']}"]
    # A person asked, so it waits for no back-off: the corrected password is tried now.
    installed("account", "set", "bad", "--password-file", tmp_path / "password")
    assert installed("collect", "bad", "--once", "--json").status == 0


def test_a_preview_says_what_would_come(installed: Installation, mail: Mailstore, add: Add) -> None:
    box = mail.add_login("other@tienda.example", "s3cret ñ12").folder()
    for number in range(3):
        box.deliver(letter(number, sender=f"a{number}@x.example"))
    installed("group", "add", "Ventas")
    installed("agent", "add", "Bea", "--email", "bea@tienda.example", "--group", "Ventas")
    add(
        "shop", "--username", "other@tienda.example", "--inactive", "--create-customer",
        "--group", "Ventas", "--history-to-whole-group",
    )  # fmt: skip
    told = installed("account", "preview", "shop", "--json").json()
    assert told["shares"] == [{"agent": "Bea", "now": 3, "whole_group": 3}]
    names = ("messages", "looked_at", "senders", "known", "creates", "downloads", "is_sample")
    assert [told[name] for name in names] == [3, 3, 3, 0, 3, 3, False]
    assert told["takes_seconds"] >= 0
    assert told["octets"] > 0
    ran = installed("account", "preview", "shop")
    assert "3, of whom 0 are customers" in ran.text
    assert "headers" in ran.error
    assert installed("ledger", "--jsonl").lines() == []


def test_for_people_lines_and_a_table(installed: Installation, mail: Mailstore, add: Add) -> None:
    add("sales", "--create-customer")
    deliver(mail, 2)
    ran = installed("collect", "--once")
    assert ran.status == 0
    headings, row = ran.text.splitlines()
    assert headings.split() == ["account", "listed", "filed", "failed", "received", "seconds"]
    assert row.split()[:4] == ["sales", "2", "2", "0"]
    assert ran.error.splitlines()[0] == "sales: connecting, 0 B"
    assert all(line.startswith("sales: ") for line in ran.error.splitlines())


def test_on_a_terminal_there_are_bars(installed: Installation, mail: Mailstore, add: Add) -> None:
    add("sales", "--create-customer")
    deliver(mail, 30)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "buzon.config.command", "collect", "--once"],
        env=installed.env | {"TERM": "xterm"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = _all_of(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"sales" in out
    assert "sales: " in shown
    assert "━" in shown
    assert shown.rstrip().endswith(("\x1b[?25h", "\r\n")) or "\x1b[?25h" in shown  # the cursor


def _all_of(terminal: int) -> str:
    octets = b""
    with contextlib.suppress(OSError):  # EIO: the other end was closed
        while piece := os.read(terminal, 65_536):
            octets += piece
    os.close(terminal)
    return octets.decode()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_signal_stops_it_between_two_batches(
    installed: Installation, mail: Mailstore, add: Add, number: signal.Signals, status: int
) -> None:
    """What was collected stays, nothing is half done, and the next run does the rest."""
    add("sales", "--create-customer")
    deliver(mail, 1500)
    process = installed.start("collect", "--once")
    assert process.stderr is not None
    while b"history" not in (line := process.stderr.readline()):
        assert line, "it ended before it began"
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"Traceback" not in error
    assert out.splitlines()[1].startswith(b"sales")
    begun = int(out.splitlines()[1].split()[2].replace(b",", b""))
    assert begun < 1500
    assert b"Stopped before the end" in error
    (rest,) = totals(installed("collect", "--once", "--json"))
    assert rest["error"] == ""
    ledger = installed("ledger", "--jsonl").lines()
    assert len(ledger) == len({line["uid"] for line in ledger}) == 1500
    assert {line["outcome"] for line in ledger} == {"filed"}


HOLD = """
import sys, time, django; django.setup()
from buzon.intake.models import Duty
from buzon.lease import claim
lease = claim(Duty.objects.get(kind="collect"))
print("held", flush=True)
sys.stdin.readline()
lease.release(due_at=None)
"""


@pytest.fixture
def holder(installed: Installation) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Another worker, which holds the account until it is told to let go."""
    holders: list[subprocess.Popen[str]] = []

    def hold() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            env=installed.env | {"DJANGO_SETTINGS_MODULE": "buzon.config.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        holders.append(process)
        return process

    yield hold
    for process in holders:
        process.communicate("go\n" if process.poll() is None else None, timeout=30)


def test_it_waits_for_another_worker(
    installed: Installation, mail: Mailstore, add: Add, holder: Callable[..., Any]
) -> None:
    add("sales", "--create-customer")
    deliver(mail, 1)
    other = holder()
    process = installed.start("collect", "--once")
    assert process.stderr is not None
    assert process.stderr.readline() == b"sales: waiting for the worker that collects it\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[1].split()[:3] == [b"sales", b"1", b"1"]


def test_it_does_not_wait_for_ever(
    installed: Installation, add: Add, holder: Callable[..., Any]
) -> None:
    add("sales")
    holder()
    shortened = (
        "import sys; from buzon.config.command import main, parsed\n"
        "parsed(['collect', '--once'])\n"
        "import buzon.config.command.collect as collect\n"
        "collect.LONGEST_WAIT = 0.3\n"
        "assert main(['collect', '--once', '--json']) == 1\n"
    )
    began = time.monotonic()
    (told,) = json.loads(installed.python(shortened))
    assert "Another worker" in told["error"]
    assert time.monotonic() - began < 20


def test_what_is_wrong_with_the_arguments(installed: Installation, add: Add) -> None:
    assert "no active collection account" in installed("collect", "--once").sentence()
    add("sales", "--inactive")
    assert "no active collection account" in installed("collect", "--once").sentence()
    assert "'nobody'" in installed("collect", "sales", "nobody", "--once").sentence()
    # Named, an inactive account is collected all the same: a person asked.
    assert installed("collect", "sales", "sales", "--once", "--json").status == 0


def test_check_asks_the_server(
    installed: Installation, mail: Mailstore, add: Add, tmp_path: Path
) -> None:
    add("sales")
    deliver(mail, 4)
    steps = installed("account", "check", "sales", "--json").json()
    keys = {"name", "ok", "detail", "remedy", "field", "pin"}
    assert [set(step) for step in steps] == [keys] * len(steps)
    assert all(step["ok"] for step in steps)
    installed("account", "set", "sales", "--folder", "Ventas")
    ran = installed("account", "check", "sales")
    assert ran.status == 1
    assert "FAILED  folder: There is no folder Ventas." in ran.text
    assert "The folders of this login are: INBOX. (--folder)" in ran.text


IMPATIENT = """
import sys
from buzon.wire import waits
waits.SLOW = 1.0
from buzon.config.command import main
sys.exit(main(["collect", "--once"]))
"""


def test_i7_a_server_that_keeps_it_waiting_is_named_meanwhile(
    installed: Installation, mail: Mailstore, password: Path
) -> None:
    """On the terminal, and in the account's state, while the run is still under way."""
    with FaultServer(mail, plan=Plan(stall_at=0), protocol="imap") as silent:
        flags = ("--security", "none", "--username", LOGIN, "--password-file", password)
        installed("account", "add", "sales", "--host", silent.host, "--port", silent.port, *flags)
        process = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT],
            env=installed.env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            told = b""
            while b"keeps us waiting" not in told:
                line = process.stderr.readline()
                assert line, told
                told += line
            _until_state(installed, "behind")
            assert process.poll() is None
        finally:
            process.kill()
            process.communicate()
    assert b"sales: 127.0.0.1 keeps us waiting for its answer." in told


def _until_state(installed: Installation, state: str) -> None:
    ends = time.monotonic() + 20
    while (seen := installed("account", "show", "sales", "--json").json())["state"] != state:
        assert time.monotonic() < ends, seen["state"]
        time.sleep(0.2)


def test_a_server_gets_only_as_many_collections_at_a_time_as_it_may(
    installed: Installation, mail: Mailstore, add: Add, server: MailServer
) -> None:
    deliver(mail, 3)
    for number in range(3):
        add(f"account {number}")
    limits = f"{server.host} connections=1"
    ran = installed("collect", "--once", "--json", BUZON_HOST_LIMITS=limits)
    assert [each["error"] for each in totals(ran)] == ["", "", ""]
    names = [command.name for command in mail.commands if command.name in ("EXAMINE", "LOGOUT")]
    assert names == ["EXAMINE", "LOGOUT"] * 3


@pytest.mark.parametrize(
    "limits", ["mail.example day=2", "mail.example", "mail.example connections=0"]
)
def test_limits_of_servers_that_make_no_sense_are_refused(
    installed: Installation, limits: str
) -> None:
    told = installed("collect", "--once", BUZON_HOST_LIMITS=limits).sentence()
    assert told.startswith("BUZON_HOST_LIMITS must be names with limits, such as ")
    assert told.endswith(f", not '{limits}'.")
