"""What `buzon backup` and `buzon restore` refuse: one sentence, and nothing is changed."""

import fcntl
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.config.conftest import Installation, _fresh
from tests.config.rewriting import rewritten
from tests.config.test_backup import add_letters
from tests.database import DATABASE

only_sqlite = pytest.mark.skipif(DATABASE != "sqlite", reason="about the file")
only_postgresql = pytest.mark.skipif(DATABASE != "postgresql", reason="about the server")


@pytest.fixture
def backup(installed: Installation, tmp_path: Path) -> Path:
    """A backup of `installed`, which then gets the store Sur."""
    assert installed("backup", tmp_path / "backup").status == 0
    assert installed("store", "add", "Sur").status == 0
    return tmp_path / "backup"


def names(installation: Installation) -> set[str]:
    return {one["name"] for one in installation("store", "list", "--json").json()}


def refused(installed: Installation, *words: object) -> str:
    """The sentence; the installation is as it was, and nothing lies about beside it."""
    files = sorted(path.name for path in installed.folder.iterdir() if path.name != "lock")
    told = installed("restore", *words).sentence()
    assert files == sorted(p.name for p in installed.folder.iterdir() if p.name != "lock")
    return told


# -- where a backup may be written


def test_a_place_for_a_backup(installed: Installation, backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    assert "--force" in installed("backup", backup).sentence()
    assert "is a folder" in installed("backup", tmp_path).sentence()
    assert "There is no folder" in installed("backup", tmp_path / "none" / "b").sentence()
    assert "exclude each other" in installed("backup", "-", "--json").sentence()
    for file in (installed.folder / "keys", Path("/dev/null")):
        assert "is not a backup" in installed("backup", "--force", file).sentence()
    assert backup.read_bytes() == before
    with (tmp_path / "backup.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "Another backup" in installed("backup", "--force", backup).sentence()
    (tmp_path / "backup.part").write_bytes(b"x" * 9_000_000)  # of one that was killed
    (tmp_path / "backup.part").chmod(0o644)
    assert installed("backup", "--force", backup).status == 0
    assert backup.read_bytes() != before
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.stat().st_size < 9_000_000
    assert not (tmp_path / "backup.part").exists()


def test_nothing_to_back_up(fresh: Installation, tmp_path: Path) -> None:
    fresh("backup", tmp_path / "b").sentence()
    assert not (tmp_path / "b").exists()
    assert not fresh.folder.exists()


# -- what is no backup, or not one of ours to restore


def test_a_file_that_is_not_whole(installed: Installation, backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    middle = len(whole) // 2
    wrong = {
        "not whole": whole[:-1],
        "is not whole": whole[:5_000],  # not even the header
        "is not whole:": whole[:-3_000],
        "is damaged": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "is damaged:": whole[:middle] + whole[middle + 1 :],
        "is not a backup": b"",
        "not a backup of": (installed.folder / "keys").read_bytes(),
        "not a backup of Buz": b'{"some": "json"}\n' + whole,
    }
    for sentence, octets in wrong.items():
        (tmp_path / "wrong").write_bytes(octets)
        assert sentence in refused(installed, tmp_path / "wrong", "--replace")
    assert "There is no file" in refused(installed, tmp_path / "none")
    assert "cannot be read" in refused(installed, tmp_path)
    assert names(installed) == {"Norte", "Sur"}


@pytest.mark.parametrize(
    ("sentence", "change"),
    [
        ("of a newer version", {"migrations": [["desk", "0001_initial"], ["desk", "9999_later"]]}),
        ("made by Buzón 9.9", {"version": 2, "buzon": "9.9"}),
        ("is damaged", {"tables": "none"}),
    ],
)
def test_a_backup_of_another_version(
    installed: Installation, backup: Path, sentence: str, change: dict[str, Any]
) -> None:
    def changed(header: dict[str, Any]) -> None:
        tables = header["tables"]
        header.update(change)
        if header["tables"] != tables:
            header["tables"] = [{"name": table["name"]} for table in tables]  # without the rest

    rewritten(backup, changed)
    assert sentence in refused(installed, backup, "--replace")
    assert names(installed) == {"Norte", "Sur"}


def test_tables_that_are_not_of_this_version(installed: Installation, backup: Path) -> None:
    def changed(header: dict[str, Any]) -> None:
        for table in header["tables"]:
            for column in table["columns"]:
                column["name"] = column["name"].replace("language", "tongue")

    rewritten(backup, changed)
    told = refused(installed, backup, "--replace")
    assert "desk_organization, desk_user" in told
    assert names(installed) == {"Norte", "Sur"}


def test_rows_that_do_not_hold_together(installed: Installation, backup: Path) -> None:
    """Organizations are missing; the stores that point to them are there."""

    def without(header: dict[str, Any]) -> None:
        header["tables"] = [t for t in header["tables"] if t["name"] != "desk_organization"]

    line = json.loads(backup.read_bytes().partition(b"\n")[0])
    (gone,) = [t for t in line["tables"] if t["name"] == "desk_organization"]
    rewritten(backup, without)  # its rows go with it
    rewritten(backup, lambda header: header["tables"].insert(0, gone | {"rows": 0}))
    told = refused(installed, backup, "--replace")
    assert ("hold together" if DATABASE == "sqlite" else "does not fit") in told
    assert names(installed) == {"Norte", "Sur"}


# -- where it may be restored


def test_a_database_that_is_there(installed: Installation, backup: Path) -> None:
    told = refused(installed, backup)
    assert "1 organization, 0 collection accounts" in told
    assert "--replace" in told


def test_an_installation_that_is_running(installed: Installation, backup: Path) -> None:
    with (installed.folder / "lock").open("w+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as `buzon up` holds it
        lock.write(b"4711")
        lock.flush()
        assert "already running" in refused(installed, backup, "--replace")
    assert names(installed) == {"Norte", "Sur"}


@only_sqlite
def test_another_program_has_the_database_open(installed: Installation, backup: Path) -> None:
    with closing(sqlite3.connect(installed.folder / "buzon.sqlite3")) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM desk_store").fetchone()
        assert "Another program is using" in installed("restore", backup, "--replace").sentence()
    assert names(installed) == {"Norte", "Sur"}
    assert not list(installed.folder.glob("*restoring*"))


@only_postgresql
def test_another_program_is_connected(installed: Installation, backup: Path) -> None:
    with psycopg.connect(installed.env["BUZON_DATABASE_URL"]):
        told = refused(installed, backup, "--replace")
        assert "Other programs are connected to the database (1)" in told
    assert names(installed) == {"Norte", "Sur"}
    assert installed("restore", backup, "--replace").status == 0


@only_postgresql
def test_what_others_made_in_the_database_stays(installed: Installation, backup: Path) -> None:
    url = installed.env["BUZON_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE TABLE theirs AS SELECT 1 AS one")
        other.execute("CREATE VIEW shops AS SELECT name FROM desk_organization")
    assert "is built on Buzón's tables" in refused(installed, backup, "--replace")
    assert names(installed) == {"Norte", "Sur"}
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("DROP VIEW shops")
    assert installed("restore", backup, "--replace").status == 0
    with psycopg.connect(url) as other:
        assert other.execute("SELECT one FROM theirs").fetchone() == (1,)


@only_sqlite
def test_a_damaged_database_can_be_replaced(installed: Installation, backup: Path) -> None:
    """It may be why the backup is needed; what is left of it is kept."""
    file = installed.folder / "buzon.sqlite3"
    file.write_bytes(b"not a database at all" + file.read_bytes()[21:])
    damaged = file.read_bytes()
    assert "it cannot be read" in refused(installed, backup)
    restored = installed("restore", backup, "--replace", "--json").json()
    assert names(installed) == {"Norte"}
    assert Path(restored["kept"]).read_bytes() == damaged


# -- room on the disk


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
@pytest.mark.parametrize("kind", ["octets", "rows"])
def test_no_room_for_a_backup(installed: Installation, tmp_path: Path, kind: str) -> None:
    """Octets are counted before; what the other rows need shows while it is written."""
    if kind == "octets":
        add_letters(installed, 12)  # 2.4 MB
    else:
        add_customers(installed, 12_000)
    with small_disk(tmp_path / "disk", "1m") as disk:
        told = installed("backup", disk / "b").sentence()
        assert ("not enough room" if kind == "octets" else "no room left") in told
        assert list(disk.iterdir()) == []


def add_customers(installation: Installation, number: int) -> None:
    """With names that no compression makes much smaller: 300 hexadecimal digits."""
    installation.python(
        "import django, secrets; django.setup()\n"
        "from buzon.desk.models import Customer, Organization\n"
        "shop = Organization.objects.get()\n"
        "Customer.objects.bulk_create(\n"
        "    Customer(organization=shop, name=secrets.token_hex(150), created_by='import')\n"
        f"    for _ in range({number}))\n"
    )


@only_sqlite
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
@pytest.mark.parametrize("kind", ["octets", "rows"])
def test_no_room_for_a_restore(installed: Installation, tmp_path: Path, kind: str) -> None:
    if kind == "octets":
        add_letters(installed, 20)  # 4 MB
    else:
        add_customers(installed, 12_000)
    assert installed("backup", tmp_path / "b").status == 0
    with small_disk(tmp_path / "disk", "3m") as disk:
        other = Installation(_fresh(disk / "data"))
        told = other("restore", tmp_path / "b").sentence()
        assert ("not enough room" if kind == "octets" else "disk") in told
        assert [path.name for path in other.folder.iterdir()] == ["lock"]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@only_sqlite
@pytest.mark.skipif(os.geteuid() != 0, reason="root may write everywhere: it gives its rights up")
def test_no_right_to_write(installed: Installation, tmp_path: Path) -> None:
    """A folder on a disk that may only be read."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert "cannot be written" in installed("backup", disk / "b").sentence()
