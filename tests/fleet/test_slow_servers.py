"""Servers that drip, stall or have a slow line take no places from the others (I6)."""

from collections.abc import Iterator

import pytest

from buzon.fleet.dispatcher import Embedded
from buzon.intake.runs import collect_once, process_once
from tests.lease.real_database import RealDatabase, real_database

SCENES = [
    "those_that_keep_us_waiting_do_not_delay_the_healthy",
    "meanwhile_their_accounts_say_what_is_the_matter",
    "a_slow_line_brings_its_letter_in_one_run_beside_the_others",
    "there_are_never_more_runs_than_stated",
    "stopping_waits_for_those_that_wait_and_takes_the_leases_of_the_rest",
]


@pytest.fixture
def database() -> Iterator[RealDatabase]:
    made = real_database(BUZON_KEYS="tests:" + "A" * 43 + "=")
    yield made
    made.remove()


@pytest.mark.parametrize("scene", SCENES)
def test_scene(database: RealDatabase, scene: str) -> None:
    # A run that is given up at the end may still log beside it.
    assert "played" in database.run("tests.fleet.slow_servers", scene)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 16, 200])
def test_runs_and_database_connections_are_bounded(workers: int) -> None:
    """What docs/operate.md tells the operator of PostgreSQL."""
    made = Embedded(collect=collect_once, process=process_once, workers=workers)
    assert made.most_runs <= 5 * workers + 6
