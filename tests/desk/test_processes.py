"""Several collectors at once: real processes, each with connections of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.database import DATABASE
from tests.lease.real_database import RealDatabase, real_database

pytestmark = pytest.mark.timeout(240)  # the machine may be busy
WORKERS = "tests.desk.workers"
PROCESSES = 4 if DATABASE == "postgresql" else 2


@pytest.fixture
def database() -> Iterator[RealDatabase]:
    made = real_database()
    yield made
    made.remove()


def _all_at_once(database: RealDatabase, commands: list[tuple[object, ...]]) -> list[Any]:
    processes = [database.start(WORKERS, *command) for command in commands]
    for process in processes:
        assert process.stdout
        process.stdout.readline()  # it is ready
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    answers = []
    for process in processes:
        out, error = process.communicate(timeout=220)
        assert process.returncode == 0, error
        answers.append(json.loads(out))
    return answers


def test_r10_processes_handing_out_2000_customers_at_once_share_them_exactly(
    database: RealDatabase,
) -> None:
    database.run(WORKERS, "prepare", 7, 2, 2000)
    _all_at_once(database, [("hand_out_most", part, PROCESSES) for part in range(PROCESSES)])
    found = json.loads(database.run(WORKERS, "shares"))
    assert found == {
        "shares": [285, 285, 286, 286, 286, 286, 286],
        "statuses": ["free"],
        "turns": list(range(1, 2001)),
        "customers": 2000,
        "agree": True,
        "group_turn": 2000,
        "last_turns_agree": True,
        "events": 2000,
    }


def test_r8_processes_that_meet_the_same_new_sender_make_one_customer(
    database: RealDatabase,
) -> None:
    database.run(WORKERS, "prepare", 3, 0, 0)
    answers = _all_at_once(database, [("meet", 60)] * PROCESSES)
    for what in ("made", "stored"):
        for same in zip(*(answer[what] for answer in answers), strict=True):
            assert len({key for key, _ in same}) == 1
            assert sum(new for _, new in same) == 1
    assert json.loads(database.run(WORKERS, "count_addresses")) == [60, 60, 60]
    assert json.loads(database.run(WORKERS, "shares"))["shares"] == [20, 20, 20]


def test_r8_processes_that_meet_the_same_new_senders_in_batches_make_one_customer_of_each(
    database: RealDatabase,
) -> None:
    database.run(WORKERS, "prepare", 3, 0, 0)
    parts = range(PROCESSES)
    answers = _all_at_once(database, [("meet_in_batches", 210, part) for part in parts])
    for same in zip(*(answer["met"] for answer in answers), strict=True):
        assert len({(address, key) for address, (key, _) in same}) == 1
        assert sum(new for _, (_, new) in same) == 1
    assert json.loads(database.run(WORKERS, "count_addresses")) == [210, 210, 210]
    assert json.loads(database.run(WORKERS, "shares"))["shares"] == [70, 70, 70]


def test_letters_of_a_thread_filed_by_several_processes_are_one_conversation(
    database: RealDatabase,
) -> None:
    database.run(WORKERS, "prepare", 0, 0, 0)
    _all_at_once(database, [("converse", 40, 7, part, PROCESSES) for part in range(PROCESSES)])
    assert json.loads(database.run(WORKERS, "conversations")) == {
        "conversations": 40,
        "messages": 280,
        "threads": [1] * 40,
    }


def test_names_in_two_spellings_at_once_are_given_once(database: RealDatabase) -> None:
    database.run(WORKERS, "prepare", 0, 0, 0)
    answers = _all_at_once(database, [("name_things", part) for part in range(PROCESSES)])
    for answered in zip(*answers, strict=True):
        assert sum(" " not in one for one in answered) == 1, answered
        refusals = [one for one in answered if " " in one]
        assert all(one.startswith("name: There is already ") for one in refusals), answered
    assert json.loads(database.run(WORKERS, "names")) == {
        "store": [12, 12],
        "group": [13, 13],
        "agent": [12, 12],
        "organization": [13, 13],
    }
