"""Leases between real processes, on a database that they share."""

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lease.real_database import RealDatabase, real_database

WORKERS = "tests.lease.workers"


@pytest.fixture
def shared() -> Iterator[RealDatabase]:
    database = real_database()
    yield database
    database.remove()


@pytest.fixture
def impatient() -> Iterator[RealDatabase]:
    """Leases that last half a second."""
    database = real_database(BUZON_LEASE_SECONDS=0.5)
    yield database
    database.remove()


def ask(database: RealDatabase, *arguments: object) -> Any:
    out = database.run(WORKERS, *arguments)
    return json.loads(out) if out else None


def test_of_four_processes_exactly_one_wins_each_epoch(shared: RealDatabase) -> None:
    ask(shared, "prepare", 2)
    racers = [shared.start(WORKERS, "race", 3) for _ in range(4)]
    time.sleep(1)
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    results = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 4, results
    won = [tuple(one) for out, _ in results for one in json.loads(out)]
    assert len(won) == len(set(won)) > 50
    rows = ask(shared, "look")
    assert sum(row["lease_epoch"] for row in rows) == len(won)
    assert sum(row["attempts"] for row in rows) == len(won)


def test_a_paused_worker_that_wakes_up_writes_nothing(impatient: RealDatabase) -> None:
    ask(impatient, "prepare", 1)
    sleeper = impatient.start(WORKERS, "hold")
    assert sleeper.stdout is not None
    assert json.loads(sleeper.stdout.readline()) == 1
    os.kill(sleeper.pid, signal.SIGSTOP)
    time.sleep(0.7)
    assert ask(impatient, "take_and_write") == 2
    os.kill(sleeper.pid, signal.SIGCONT)
    out, error = sleeper.communicate("go on\n", timeout=30)
    assert json.loads(out) == "lost", error
    assert ask(impatient, "look")[0]["attempts"] == 1


def test_a_paused_worker_keeps_its_lease_while_it_lasts(shared: RealDatabase) -> None:
    ask(shared, "prepare", 1)
    sleeper = shared.start(WORKERS, "hold")
    assert sleeper.stdout is not None
    sleeper.stdout.readline()
    os.kill(sleeper.pid, signal.SIGSTOP)
    assert ask(shared, "try_to_claim") is False
    os.kill(sleeper.pid, signal.SIGCONT)
    assert json.loads(sleeper.communicate("go on\n", timeout=30)[0]) == "written"


def test_what_a_killed_process_of_this_machine_held_is_free_at_once(shared: RealDatabase) -> None:
    ask(shared, "prepare", 1)
    victim = shared.start(WORKERS, "hold")
    assert victim.stdout is not None
    victim.stdout.readline()
    assert ask(shared, "try_to_claim") is False
    os.kill(victim.pid, signal.SIGKILL)
    # Not reaped yet: a process without a parent that waits is dead all the same.
    deadline = time.monotonic() + 10
    while not (freed := ask(shared, "try_to_claim")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert freed
    victim.communicate(timeout=10)


def test_nobody_claims_between_a_fence_and_its_commit(impatient: RealDatabase) -> None:
    ask(impatient, "prepare", 1)
    assert ask(impatient, "fence_against_claim") is True
