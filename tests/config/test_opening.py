"""`open_installation`: made at the first start, refused in one sentence where it is unsound."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from buzon.config.database import check_modules, check_postgresql
from buzon.config.installation import FirstStart, InstallationError
from tests.database import DATABASE
from tests.lease.real_database import RealDatabase, execute, no_database

OPENING = "tests.config.opening"
on_postgresql = pytest.mark.skipif(DATABASE != "postgresql", reason="about PostgreSQL")
on_sqlite = pytest.mark.skipif(DATABASE != "sqlite", reason="about SQLite's file")


@pytest.fixture
def place() -> Iterator[RealDatabase]:
    """Where nothing was ever installed."""
    made = no_database()
    yield made
    made.remove()


def folder(place: RealDatabase) -> Path:
    return Path(place.environ["BUZON_DATA_DIR"])


def ask(place: RealDatabase, *arguments: object) -> Any:
    out = place.run(OPENING, *arguments)
    return json.loads(out) if out else None


def refusal(place: RealDatabase, *arguments: object) -> str:
    """The one sentence with which it is refused."""
    process = place.start(OPENING, *arguments)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, ""), error
    assert error.count("\n") == 1
    assert error.endswith(".\n")
    return error


def test_the_first_start_makes_folder_key_database_organization_and_login(
    place: RealDatabase,
) -> None:
    organization, email, password = ask(place, "first")
    assert (organization, email) == ("My shop", "admin@localhost")
    assert ask(place, "signs_in", email, password) is True
    assert ask(place, "look")["people"] == [["admin@localhost", "administrator"]]
    assert folder(place).stat().st_mode & 0o777 == 0o700
    for file in folder(place).iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert (folder(place) / "keys").is_file()


def test_it_is_made_once(place: RealDatabase) -> None:
    ask(place, "first")
    key = (folder(place) / "keys").read_bytes()
    before = ask(place, "look")
    assert ask(place, "first") is None
    assert ask(place, "upgraded") is None
    assert ask(place, "only_open") is None
    assert ask(place, "look") == before
    assert (folder(place) / "keys").read_bytes() == key


def test_the_first_people_may_be_named(place: RealDatabase) -> None:
    place.environ["LC_ALL"] = "es_ES.UTF-8"
    made = ask(place, "first_named", "Flores", "ana@flores.example")
    assert made[:2] == ["Flores", "ana@flores.example"]
    assert ask(place, "look")["organizations"] == [["Flores", "es"]]


def test_first_people_with_impossible_names_leave_nothing_behind(place: RealDatabase) -> None:
    assert "address" in refusal(place, "first_named", "Flores", "not an address")
    assert "name" in refusal(place, "first_named", " ", "ana@flores.example")
    assert not folder(place).exists()


def test_without_people_none_are_made_until_somebody_asks(place: RealDatabase) -> None:
    assert ask(place, "without_people") is None
    assert ask(place, "look")["people"] == []
    assert ask(place, "first")[0] == "My shop"


def test_several_first_commands_at_once_make_one_installation(place: RealDatabase) -> None:
    processes = [place.start(OPENING, "first") for _ in range(3)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], results
    made = [json.loads(out) for out, _ in results]
    assert sorted(one is None for one in made) == [False, True, True]
    seen = ask(place, "look")
    assert (len(seen["people"]), len(seen["organizations"])) == (1, 1)


def test_the_first_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(FirstStart("My shop", "admin@localhost", "hunter2"))


def test_where_there_is_none_a_command_says_so_and_makes_nothing(place: RealDatabase) -> None:
    assert "buzon up" in refusal(place, "only_open")
    assert not folder(place).exists()


def test_a_data_folder_that_is_a_file_is_refused(place: RealDatabase) -> None:
    folder(place).write_text("not a folder")
    assert "is not a folder" in refusal(place, "first")
    assert folder(place).read_text() == "not a folder"


def test_a_data_folder_that_cannot_be_made_is_refused(place: RealDatabase) -> None:
    place.environ["BUZON_DATA_DIR"] = "/proc/buzon"  # where not even root may make one
    assert "/proc/buzon cannot be written to" in refusal(place, "first")


def test_a_missing_key_file_is_refused_once_there_are_secrets(place: RealDatabase) -> None:
    ask(place, "first")
    keys = folder(place) / "keys"
    ask(place, "hold_a_secret")
    keys.rename(folder(place) / "elsewhere")
    for verb in ("first", "only_open", "up"):
        assert "backup" in refusal(place, verb)
    assert not keys.exists()
    (folder(place) / "elsewhere").rename(keys)
    assert ask(place, "only_open") is None


def test_a_key_file_that_others_can_read_is_refused(place: RealDatabase) -> None:
    ask(place, "first")
    os.chmod(folder(place) / "keys", 0o644)
    assert "chmod 600" in refusal(place, "only_open")


def test_a_key_ring_that_makes_no_sense_is_refused(place: RealDatabase) -> None:
    place.environ["BUZON_KEYS"] = "nonsense"
    assert "BUZON_KEYS" in refusal(place, "first")


def test_a_database_that_is_newer_than_the_program_is_refused(place: RealDatabase) -> None:
    ask(place, "first")
    ask(place, "from_the_future")
    for verb in ("first", "only_open", "upgraded"):
        assert "newer version" in refusal(place, verb)


def test_an_older_database_is_upgraded_by_up_alone(place: RealDatabase) -> None:
    ask(place, "first")
    ask(place, "from_the_past")
    for verb in ("first", "only_open"):
        assert "older version" in refusal(place, verb)
    assert ask(place, "upgraded") is None
    assert ask(place, "only_open") is None
    assert ask(place, "told") == {"events": [], "notifications": 0}


@on_sqlite
def test_a_damaged_database_file_is_refused(place: RealDatabase) -> None:
    ask(place, "first")
    for file in folder(place).glob("buzon.sqlite3*"):
        file.write_bytes(b"this was a database once " * 100)
    for verb in ("first", "only_open"):
        assert "cannot be used" in refusal(place, verb)


@on_sqlite
def test_a_database_file_that_is_a_folder_is_refused(place: RealDatabase) -> None:
    (folder(place) / "buzon.sqlite3").mkdir(parents=True)
    assert "cannot be used" in refusal(place, "first")


@on_sqlite
def test_what_a_killed_first_start_left_is_completed(place: RealDatabase) -> None:
    folder(place).mkdir()
    (folder(place) / "buzon.sqlite3").touch()
    assert ask(place, "first") is not None


@pytest.mark.parametrize(
    "url",
    ["postgresql://buzon@127.0.0.1:1/none", "postgresql://u:the-password@no.such.host.invalid/x"],
)
def test_a_database_that_cannot_be_reached_is_refused(place: RealDatabase, url: str) -> None:
    place.environ["BUZON_DATABASE_URL"] = url
    for verb in ("first", "only_open"):
        told = refusal(place, verb)
        assert "BUZON_DATABASE_URL" in told
        assert "the-password" not in told


@on_postgresql
def test_a_login_that_may_not_make_tables_is_refused(place: RealDatabase) -> None:
    name = f"poor_{os.getpid()}"
    execute(f"CREATE ROLE {name} LOGIN")
    url = place.environ["BUZON_DATABASE_URL"]
    place.environ["BUZON_DATABASE_URL"] = url.replace("//buzon@", f"//{name}@")
    process = place.start(OPENING, "first")
    _out, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "owner of the database" in error


@on_postgresql
def test_a_database_that_does_not_exist_is_refused(place: RealDatabase) -> None:
    place.environ["BUZON_DATABASE_URL"] += "_not_there"
    assert "does not exist" in refusal(place, "first")


@on_postgresql
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_letter_is_refused(
    place: RealDatabase, encoding: str
) -> None:
    name = f"{encoding.lower()}_{os.getpid()}"
    execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    url = place.environ["BUZON_DATABASE_URL"]
    place.environ["BUZON_DATABASE_URL"] = f"{url.rpartition('/')[0]}/{name}"
    for verb in ("first", "only_open", "up"):
        told = refusal(place, verb)
        assert f"encoded in {encoding}" in told
        assert "CREATE DATABASE buzon ENCODING 'UTF8' TEMPLATE template0" in told
    assert execute_in(name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    doctor = place.start("buzon.config.command", "doctor")
    out, _ = doctor.communicate(timeout=60)
    assert doctor.returncode == 1
    assert f"WRONG   database: The database is encoded in {encoding}" in out


def execute_in(name: str, query: str) -> object:
    """The first value that it answers."""
    server, _, _ = os.environ["TESTS_POSTGRES_URL"].rpartition("/")
    with psycopg.connect(f"{server}/{name}") as opened:
        row = opened.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


def test_a_sqlite_without_full_text_search_is_told() -> None:
    check_modules({"fts3", "fts5"})
    with pytest.raises(InstallationError, match="FTS5"):
        check_modules({"fts3", "json_each"})


def test_an_old_postgresql_is_refused() -> None:
    check_postgresql(150000)
    with pytest.raises(InstallationError, match="PostgreSQL 14; Buzón needs 15 or later"):
        check_postgresql(140009)
