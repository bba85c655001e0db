"""The demonstration on a real database, with the real dispatcher: each scene in its own process."""

from collections.abc import Iterator

import pytest

from tests.lease.real_database import RealDatabase, real_database

SCENES = [
    "within_a_minute_there_is_something_of_everything",
    "agents_are_in_all_four_statuses_and_the_artificial_ones_stay_present",
    "who_is_told_may_sign_in",
    "it_begins_anew_and_touches_no_other_organization",
    "the_administrators_address_of_another_is_refused",
    "an_installation_without_private_hosts_is_refused",
    "nothing_is_left_of_it_when_it_stops",
]


@pytest.fixture
def database() -> Iterator[RealDatabase]:
    made = real_database()
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        made.environ.pop(name, None)
    made.environ["BUZON_KEYS"] = "tests:" + "A" * 43 + "="
    yield made
    made.remove()


@pytest.mark.parametrize("scene", SCENES)
def test_scene(database: RealDatabase, scene: str) -> None:
    assert database.run("tests.config.demonstrating", scene).splitlines()[-1] == "played"


def test_it_speaks_the_terminals_language(database: RealDatabase) -> None:
    database.environ["LC_ALL"] = "es_ES.UTF-8"
    out = database.run("tests.config.demonstrating", "it_speaks_the_terminals_language")
    assert out.splitlines()[-1] == "played"
