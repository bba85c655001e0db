"""The demonstration on a real database, with the real dispatcher: each scene in its own process."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.lease.real_database import RealDatabase, no_database, real_database

SCENES = [
    "within_a_minute_there_is_something_of_everything",
    "agents_are_in_all_four_statuses_and_the_artificial_ones_stay_present",
    "who_is_told_may_sign_in",
    "it_begins_anew_and_touches_no_other_organization",
    "the_administrators_address_of_another_is_refused",
    "its_servers_alone_are_reached_where_private_hosts_are_not",
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
    assert "played" in database.run("tests.config.demonstrating", scene)


def test_it_speaks_the_terminals_language(database: RealDatabase) -> None:
    database.environ["LC_ALL"] = "es_ES.UTF-8"
    out = database.run("tests.config.demonstrating", "it_speaks_the_terminals_language")
    assert "played" in out


@pytest.fixture
def nothing() -> Iterator[RealDatabase]:
    """With the settings that everybody starts with: no server on private networks."""
    made = no_database()
    del made.environ["BUZON_ALLOW_PRIVATE_HOSTS"]
    yield made
    made.remove()


def test_buzon_up_demo_starts_from_nothing_says_where_to_sign_in_and_begins_anew(
    nothing: RealDatabase,
) -> None:
    first, again = _up(nothing), _up(nothing)
    for told in (first, again):
        assert "admin@demo.example" in told
        assert "grace@demo.example" in told
        assert "http://127.0.0.1:" in told
        assert "Set up your shop" not in told
    passwords = [_password(told) for told in (first, again)]
    assert passwords[0] != passwords[1]
    opening = "tests.config.opening"
    assert nothing.run(opening, "signs_in", "admin@demo.example", passwords[1]) == "true\n"
    assert nothing.run(opening, "look").count("admin@demo.example") == 1
    assert "My shop" not in nothing.run(opening, "look")


def _up(place: RealDatabase) -> str:
    """What `buzon up --demo` says until it has collected something and was stopped."""
    process = place.start("buzon.config.command", "up", "--demo")
    try:
        said = _read_until(process, " filed")
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=25)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert _password(said) not in errors
    return said + rest


def _read_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended: {said} {process.communicate()[1]}")


def _password(told: str) -> str:
    return told.partition("  password")[2].split()[0]
