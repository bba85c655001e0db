"""Which database the settings lead to, and that nobody waits for it, or it for us, without end."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError

from buzon.config.command.failures import sentence_of
from buzon.config.database_settings import IDLE_SECONDS, LOCK_SECONDS, database
from tests.config.conftest import Installation
from tests.database import DATABASE

on_postgresql = pytest.mark.skipif(DATABASE != "postgresql", reason="about PostgreSQL")


def test_without_a_url_it_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    made = database("", tmp_path)
    assert (made["NAME"], made["OPTIONS"]["timeout"]) == (
        str(tmp_path / "buzon.sqlite3"),
        LOCK_SECONDS,
    )
    elsewhere = database(f"sqlite:///{tmp_path}/other", tmp_path)
    assert elsewhere["NAME"] == f"{tmp_path}/other"


def test_who_waits_for_a_lock_outlasts_who_sleeps_on_it(tmp_path: Path) -> None:
    assert IDLE_SECONDS < LOCK_SECONDS
    options = _options("postgresql://buzon@db/buzon", tmp_path)["options"]
    assert f"-c lock_timeout={LOCK_SECONDS}s" in options
    assert f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s" in options


def test_what_the_operator_asks_of_postgresql_comes_last(tmp_path: Path) -> None:
    made = _options(
        "postgresql://buzon@db/buzon?connect_timeout=5&options=-c%20lock_timeout%3D7s", tmp_path
    )
    assert made["connect_timeout"] == 5
    assert made["options"].endswith(" -c lock_timeout=7s")
    assert made["keepalives_idle"] == 30


def _options(url: str, folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = database(url, folder)["OPTIONS"]
    return options


def test_a_command_that_was_stopped_says_that_its_change_was_taken_back() -> None:
    told = "terminating connection due to idle-in-transaction timeout\nserver closed the connection"
    said = sentence_of(InternalError(told))
    assert said == (
        "This command was stopped in the middle of a change, which the database has taken back "
        "meanwhile; do it again."
    )


@on_postgresql
def test_a_backup_waits_for_a_slow_pipe(installed: Installation) -> None:
    """Longer than the server otherwise waits for us in a transaction."""
    lines = b"email\n" + b"".join(b"%d@x.example\n" % number for number in range(20_000))
    assert installed("customer", "import", "-", stdin=lines).status == 0
    url = installed.env["BUZON_DATABASE_URL"]
    option = "-c%20idle_in_transaction_session_timeout%3D200ms"
    installed.env["BUZON_DATABASE_URL"] = f"{url}?options={option}"
    with installed.start("backup", "-") as process:
        assert process.stdout is not None
        held = process.stdout.read(1)
        time.sleep(2)
        held += process.stdout.read()
        assert process.wait(30) == 0
    file = installed.folder.parent / "slow.backup"
    file.write_bytes(held)
    assert installed("restore", str(file), "--replace").status == 0
