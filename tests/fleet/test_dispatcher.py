"""The embedded dispatcher, with real rows, leases and threads: each scene in its own process."""

from collections.abc import Iterator

import pytest

from tests.database import DATABASE
from tests.lease.real_database import RealDatabase, real_database

SCENES = [
    "what_is_due_is_done_once_and_the_rest_follows_at_once",
    "events_are_told_and_copied_within_seconds",
    "words_that_wait_are_indexed_within_seconds",
    "one_server_gets_only_so_many_collections_at_a_time",
    "a_servers_own_limit_holds_across_processes",
    "who_was_quicker_at_the_last_place_keeps_it",
    "servers_that_stall_do_not_hold_up_the_healthy",
    "a_run_that_raises_is_put_off_and_the_others_go_on",
    "a_failure_waits_longer_each_time",
    "suspended_inactive_and_stopped_are_left_alone",
    "stopping_ends_the_runs_between_batches_and_claims_nothing_more",
    "a_run_that_hangs_loses_its_lease_when_we_stop",
    "what_a_killed_process_held_is_taken_up_at_the_start",
    "two_dispatchers_share_the_work_and_never_a_row",
]


@pytest.fixture
def database() -> Iterator[RealDatabase]:
    made = real_database()
    yield made
    made.remove()


@pytest.mark.parametrize("scene", SCENES)
def test_scene(database: RealDatabase, scene: str) -> None:
    assert "played" in database.run("tests.fleet.scenes", scene)


@pytest.mark.skipif(DATABASE != "postgresql", reason="SQLite has no connections to cut")
def test_broken_connections_are_made_anew(database: RealDatabase) -> None:
    out = database.run("tests.fleet.scenes", "broken_connections_are_made_anew")
    assert "played" in out
