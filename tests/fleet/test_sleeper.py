"""A process that is stopped in the middle of a transaction holds nobody up for long, and when it
wakes it goes on: with a connection of its own anew, and what others have done meanwhile stays.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from buzon.demo.server import MailFolder, MailServer, Mailstore
from tests.chaos.processes import is_stopped
from tests.database import DATABASE
from tests.intake.scene import LOGIN
from tests.lease.real_database import RealDatabase, real_database

pytestmark = [
    pytest.mark.skipif(
        DATABASE != "postgresql", reason="who holds SQLite's lock is on this very machine"
    ),
    pytest.mark.timeout(120),
]
IDLE = 1  # seconds, instead of half a minute


@pytest.fixture
def database() -> Iterator[RealDatabase]:
    made = real_database(
        BUZON_KEYS="tests:" + "A" * 43 + "=", BUZON_LEASE_SECONDS=2, BUZON_POLL_SECONDS=1
    )
    url = made.environ["BUZON_DATABASE_URL"]
    option = f"-c%20idle_in_transaction_session_timeout%3D{IDLE}s"
    made.environ["BUZON_DATABASE_URL"] = f"{url}?options={option}"
    yield made
    made.remove()


@pytest.mark.parametrize("moment", ["custody", "process", "tell"])
def test_who_sleeps_in_a_transaction_holds_nobody_up_and_goes_on_when_woken(
    database: RealDatabase, moment: str
) -> None:
    store = Mailstore()
    box = store.add_login(LOGIN, "secret").folder()
    deliver(box, 3)
    with MailServer(store) as server:
        database.run("tests.intake.workers", "prepare", "imap", server.port)
        sleeper = database.start("tests.fleet.sleeper", moment)
        try:
            until(lambda: is_stopped(sleeper.pid))
            time.sleep(IDLE + 1)  # until the server has ended its session, and its lease is over
            database.run("tests.intake.workers", "collect", 0, "never")
            assert counted(database) == {"letters": 3, "raw": 3, "settled": 3}
            os.kill(sleeper.pid, signal.SIGCONT)
            deliver(box, 2, first=3)
            until(lambda: counted(database) == {"letters": 5, "raw": 5, "settled": 5})
        finally:
            os.kill(sleeper.pid, signal.SIGCONT)
            _, log = sleeper.communicate("", timeout=60)
    assert sleeper.returncode == 0, log
    lines = [json.loads(line) for line in log.splitlines()]
    troubles = [line for line in lines if line["level"] not in ("info", "debug")]
    # One line for each run that slept in a transaction of its own, without a traceback.
    assert troubles, log
    for trouble in troubles:
        assert "exception" not in trouble
        assert trouble["event"] in ("run failed", "lease lost"), trouble
        if trouble["event"] == "run failed":
            # Linux may have thrown the server's last words away with the connection.
            words = ("idle-in-transaction timeout", "server closed the connection", "reset by peer")
            assert any(one in trouble["told"] for one in words), trouble
    assert box.messages == []


def deliver(box: MailFolder, count: int, *, first: int = 0) -> None:
    for number in range(first, first + count):
        head = f"From: {number}@customer.example\r\nMessage-ID: <{number}@mail.example>\r\n"
        box.deliver(f"{head}\r\nHola\r\n".encode())


def counted(database: RealDatabase) -> dict[str, int]:
    found = json.loads(database.run("tests.intake.workers", "count"))
    return {
        "letters": sum(found["letters"].values()),
        "raw": found["raw"],
        "settled": found["settled"],
    }


def until(true: Callable[[], bool], *, seconds: float = 40) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"not within {seconds} seconds"
        time.sleep(0.05)
