"""Opening an installation: made at the first start, refused in one sentence if it is unsound."""

import socket
import stat
from pathlib import Path

import pytest

from tests.config.conftest import Installation
from tests.database import DATABASE


def test_a_command_that_writes_makes_the_installation_and_says_so_once(
    fresh: Installation,
) -> None:
    first = fresh("store", "add", "Norte")
    assert (first.status, first.text) == (0, "Added the store Norte.\n")
    assert "My shop; buzon up shows where" in first.error
    assert stat.S_IMODE((fresh.folder / "keys").stat().st_mode) == 0o600
    second = fresh("store", "add", "Sur")
    assert (second.status, second.error) == (0, "")
    assert [each["name"] for each in fresh("store", "list", "--json").json()] == ["Norte", "Sur"]


def test_a_command_that_reads_makes_nothing(fresh: Installation) -> None:
    told = fresh("account", "list", "--json").sentence()
    assert "buzon up" in told
    assert not fresh.folder.exists()


def test_a_wrong_argument_makes_nothing(fresh: Installation) -> None:
    fresh("account", "add", "x", "--port", "0").sentence()
    assert not fresh.folder.exists()


def test_the_first_organization_may_be_named(fresh: Installation) -> None:
    assert fresh("store", "add", "Norte", "--organization", "Tienda").status == 0
    listed = fresh("organization", "list", "--json").json()
    assert [each["name"] for each in listed] == ["Tienda"]


def test_the_first_command_may_add_the_organization(fresh: Installation) -> None:
    added = fresh("organization", "add", "Tienda", "--language", "es")
    assert added.status == 0
    listed = fresh("organization", "list", "--json").json()
    assert [(each["name"], each["language"]) for each in listed] == [("Tienda", "es")]


def test_with_several_organizations_one_has_to_be_named(installed: Installation) -> None:
    assert installed("store", "list").status == 0
    assert installed("organization", "add", "Otra").status == 0
    assert "My shop, Otra" in installed("store", "list", "--json").sentence()
    assert installed("store", "list", "--organization", "Otra", "--json").json() == []
    assert "'Nadie'" in installed("store", "list", "--organization", "Nadie").sentence()


def test_a_wrong_setting_is_one_sentence(installed: Installation) -> None:
    told = installed("store", "list", BUZON_WORKERS="many").sentence()
    assert told == "BUZON_WORKERS must be a whole number from 1 to 200, not 'many'."
    assert "no setting BUZON_WORKER;" in installed("store", "list", BUZON_WORKER=1).sentence()


def test_a_data_folder_that_is_a_file(tmp_path: Path, fresh: Installation) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert "not a folder" in fresh("store", "add", "x", BUZON_DATA_DIR=file).sentence()


def test_a_database_server_that_is_not_there(installed: Installation) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql://buzon@127.0.0.1:{probe.getsockname()[1]}/x"
    for verb in (["list"], ["add", "x"]):
        told = installed("store", *verb, BUZON_DATABASE_URL=url).sentence()
        assert "refused" in told


@pytest.mark.skipif(DATABASE == "postgresql", reason="SQLite's own")
def test_a_database_file_that_is_damaged(installed: Installation) -> None:
    (installed.folder / "buzon.sqlite3").write_bytes(b"nonsense" * 1000)
    assert "database" in installed("store", "list").sentence()


def test_the_keys_are_gone(installed: Installation, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    add = ["--host", "localhost", "--username", "ana", "--password-file", secret]
    assert installed("account", "add", "a", *add).status == 0
    (installed.folder / "keys").unlink()
    assert "key file" in installed("account", "add", "b", *add).sentence()
    assert not (installed.folder / "keys").exists()


def test_the_same_folder_is_used_by_two_first_commands_at_once(fresh: Installation) -> None:
    both = [fresh.start("store", "add", name) for name in ("Norte", "Sur")]
    ended = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert sum(b"A new installation" in error for _, error in ended) == 1
    assert len(fresh("store", "list", "--json").json()) == 2
