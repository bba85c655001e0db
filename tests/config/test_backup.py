"""`buzon backup` and `buzon restore`: everything comes back, from either database into either."""

import base64
import hashlib
import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.apps import apps
from django.db import connection

from buzon.config.backup.tables import LEFT_OUT, shapes
from tests.config.commands import environ
from tests.config.conftest import Installation, _fresh
from tests.config.everything import LEASED, ROWS
from tests.config.rewriting import rewritten
from tests.database import DATABASE

Shown = dict[str, list[dict[str, str]]]
LETTER = 200_000  # octets of one raw message that no compression makes smaller
FAR = 6  # of them: more than fits into a pipe that nobody reads


@pytest.fixture
def filled(installed: Installation) -> Installation:
    """Rows in every table, of every kind of value."""
    installed.python("from tests.config import everything as e; e.django.setup(); e.fill()")
    return installed


def shown(installation: Installation) -> Shown:
    code = (
        "from tests.config import everything as e; e.django.setup(); print(e.json.dumps(e.show()))"
    )
    found: Shown = json.loads(installation.python(code))
    return found


def expected_of(before: Shown) -> Shown:
    """What a restore makes of it: nobody works on any row, and nobody is signed in."""
    freed = {"lease_owner": "''", "lease_until": "None"}
    after = {
        table: [{k: freed.get(k, v) for k, v in row.items()} for row in rows]
        for table, rows in before.items()
    }
    return after | {"django_session": []}


def test_everything_comes_back(filled: Installation, tmp_path: Path) -> None:
    before = shown(filled)
    assert all(len(rows) >= ROWS - 1 for name, rows in before.items() if name != "django_session")
    assert all(row["lease_owner"] != "''" for row in before["intake_duty"])
    made = filled("backup", tmp_path / "b", "--json").json()
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert made["bytes"] == (tmp_path / "b").stat().st_size
    assert made["tables"]["intake_rawmessage"] == ROWS
    assert shown(filled) == before, "a backup changes nothing"
    other = Installation(_fresh(tmp_path / "other"))
    restored = other("restore", tmp_path / "b", "--json").json()
    assert restored["made_at"] == made["made_at"]
    assert restored["tables"] == made["tables"]
    assert restored["kept"] is None
    assert shown(other) == expected_of(before)
    check_new_keys(other)


@pytest.mark.skipif(DATABASE != "postgresql", reason="needs both databases")
def test_from_small_to_large_and_back(filled: Installation, tmp_path: Path) -> None:
    """PostgreSQL to SQLite, to PostgreSQL: a shop that outgrows one database takes the other."""
    before = expected_of(shown(filled))
    filled("backup", tmp_path / "of-postgresql")
    small = Installation(environ(BUZON_DATA_DIR=tmp_path / "small"))
    assert small("restore", tmp_path / "of-postgresql").status == 0
    assert shown(small) == before
    check_new_keys(small)  # which makes rows of its own: they go to PostgreSQL too
    now = shown(small)
    assert small("backup", tmp_path / "of-sqlite").status == 0
    large = Installation(_fresh(tmp_path / "large"))
    assert large("restore", tmp_path / "of-sqlite").status == 0
    assert shown(large) == expected_of(now)
    check_new_keys(large, made=2)


def check_new_keys(installation: Installation, *, made: int = 1) -> None:
    """A row that is made now gets a key that none ever had: the last of these was removed."""
    key = installation.python(
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from buzon.web.models import FailedTry\n"
        "print(FailedTry.objects.create(key='new', at=timezone.now()).pk)\n"
    )
    assert int(key) == ROWS + made


@pytest.mark.django_db
def test_every_table_is_in_it() -> None:
    """Also one that a migration makes without a model, which nobody would otherwise think of."""
    kept = [shape.name for shape in shapes()]
    assert len(set(kept)) == len(kept)
    not_kept = {"django_migrations"} | {model._meta.db_table for model in LEFT_OUT}
    assert not_kept == {"django_migrations", "django_session"}
    # SQLite's index of words, which is made anew of the entries, and what FTS5 keeps it in.
    index = {"desk_words"} | {f"desk_words_{name}" for name in ("config", "data", "idx")}
    there = set(connection.introspection.table_names())
    assert set(kept) | not_kept == there - index
    assert there & index == (index if DATABASE == "sqlite" else set())


def test_words_are_found_again_after_a_restore(installed: Installation, tmp_path: Path) -> None:
    """The index is not in the backup: it is made anew of what the entries pack."""
    installed.python(
        f"{_SEARCHING}organization = cast.organization()\nletter(organization, 'botas')"
    )
    installed("backup", tmp_path / "b")
    other = Installation(_fresh(tmp_path / "other"))
    assert other("restore", tmp_path / "b").status == 0
    assert json.loads(other.python(f"{_SEARCHING}print(hits('botas'))")) == []
    assert json.loads(other.python(f"{_SEARCHING}index_all()\nprint(hits('botas'))")) == [1]
    letters = other.python(
        f"{_SEARCHING}Message.objects.get().delete()\nprint(len(hits('botas')))",
    )
    assert json.loads(letters) == 0


_SEARCHING = (
    "import django; django.setup()\n"
    "from buzon.desk.models import Message\n"
    "from tests.desk import cast\n"
    "from tests.desk.search.entries import hits, index_all, letter\n"
)


def test_tables_come_after_those_that_they_point_to() -> None:
    """PostgreSQL checks each statement of a restore."""
    models = {m._meta.db_table: m for m in apps.get_models(include_auto_created=True)}
    come: set[str] = set()
    for shape in shapes():
        come.add(shape.name)
        fields = models[shape.name]._meta.local_concrete_fields
        pointed_to = {f.related_model._meta.db_table for f in fields if f.related_model}
        assert pointed_to <= come, shape.name


def test_leases_are_of_every_table_that_has_them() -> None:
    leased = {s.name for s in shapes() if {column.name for column in s.columns} >= LEASED}
    assert leased >= {"intake_duty", "notify_round", "notify_copy"}


def add_letters(installation: Installation, number: int) -> None:
    installation.python(
        "import django, os, hashlib; django.setup()\n"
        "from buzon.desk.models import Organization\n"
        "from buzon.intake import vault\n"
        f"letters = [os.urandom({LETTER}) for _ in range({number})]\n"
        "named = [(hashlib.sha256(one).hexdigest(), one) for one in letters]\n"
        "vault.put(Organization.objects.get().pk, named)\n"
    )


def test_it_is_one_moment_while_others_write(installed: Installation, tmp_path: Path) -> None:
    """A backup that stands still in the middle, because its pipe is full, holds nobody up, and what
    is written meanwhile is not in it: neither in the tables that were copied, nor in the others.
    """
    add_letters(installed, FAR)
    before = shown(installed)
    process = installed.start("backup", "-")
    assert process.stdout is not None
    beginning = os.read(process.stdout.fileno(), 1000)
    assert json.loads(beginning.split(b',"migrations"')[0] + b"}")["format"] == "buzon backup"
    for command in (("store", "add", "Sur"), ("customer", "add", "new@example.com")):
        assert installed(*command).status == 0
    add_letters(installed, 1)
    assert process.poll() is None, "it should wait for its reader"
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert len(beginning + rest) > FAR * LETTER
    (tmp_path / "b").write_bytes(beginning + rest)
    other = Installation(_fresh(tmp_path / "other"))
    assert other("restore", tmp_path / "b").status == 0
    assert shown(other) == before


def test_the_file_can_be_read_without_us(installed: Installation, tmp_path: Path) -> None:
    """As `archive` says: a line of JSON, a zstandard frame, a seal."""
    installed("customer", "add", "ana@example.com")
    made = installed("backup", tmp_path / "b", "--json").json()
    written = (tmp_path / "b").read_bytes()
    header, _, rest = written.partition(b"\n")
    frame, seal = rest[:-73], rest[-73:]
    assert seal == b"SHA-256 " + hashlib.sha256(written[:-73]).hexdigest().encode() + b"\n"
    assert seal.decode().split()[1] == made["sha256"]
    rows = zstandard.ZstdDecompressor().decompressobj().decompress(frame).splitlines()
    tables = json.loads(header)["tables"]
    assert len(rows) == sum(table["rows"] for table in tables)
    assert any("ana@example.com" in json.loads(row) for row in rows)
    assert b"ana@example.com" not in written


def test_secrets_stay_apart(installed: Installation, tmp_path: Path, password: Path) -> None:
    flags = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "sales", *flags)
    ran = installed("backup", tmp_path / "b")
    assert str(installed.folder / "keys") in ran.error
    written = (tmp_path / "b").read_bytes()
    rows = (
        zstandard.ZstdDecompressor().decompressobj().decompress(written.partition(b"\n")[2][:-73])
    )
    key = (installed.folder / "keys").read_bytes().strip().rpartition(b":")[2]
    signs = (installed.folder / "secret-key").read_bytes().strip()
    assert len(key) == 44
    assert len(signs) >= 40
    for secret in (key, base64.b64decode(key), signs, b"s3cret"):
        assert secret not in written + rows


def test_keys_that_do_not_open_the_passwords(
    installed: Installation, tmp_path: Path, password: Path
) -> None:
    """Without keys an installation gets new ones, and says which passwords it needs."""
    flags = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "sales", *flags)
    installed("backup", tmp_path / "b")
    other = Installation(_fresh(tmp_path / "other"))
    told = other("restore", tmp_path / "b").text
    assert "There were no keys" in told
    assert "sales" in told
    assert "buzon account set NAME --password-file -" in told
    assert other("account", "set", "sales", "--password-file", password).status == 0
    again = other("restore", tmp_path / "b", "--replace", "--json").json()
    assert again["passwords_needed"] == [{"organization": "My shop", "account": "sales"}]
    assert again["new_keys"] is False
    (other.folder / "keys").write_bytes((installed.folder / "keys").read_bytes())
    with_keys = other("restore", tmp_path / "b", "--replace", "--json").json()
    assert with_keys["passwords_needed"] == []


def test_the_doctor_knows_the_last_backup(
    installed: Installation, tmp_path: Path, password: Path
) -> None:
    assert finding(installed)["ok"] is True, "nothing is deleted anywhere yet"
    flags = ["--host", "localhost", "--username", "u", "--password-file", password]
    installed("account", "add", "sales", *flags, "--delete-downloaded", "--inactive")
    assert finding(installed)["ok"] is True, "nor was there time for any"
    installed.python(
        "import django; django.setup()\n"
        "from datetime import timedelta\n"
        "from django.utils import timezone\n"
        "from buzon.intake.models import CollectionAccount\n"
        "created_at = timezone.now() - timedelta(days=7, hours=1)\n"
        "CollectionAccount.objects.update(created_at=created_at)\n"
    )
    never = finding(installed)
    assert (never["ok"], never["remedy"]) == (False, "buzon backup FILE, while Buzón runs.")
    assert installed("backup", tmp_path / "b").status == 0
    fresh = finding(installed)
    assert fresh["ok"] is True
    assert str(tmp_path / "b") in fresh["detail"]
    age_last_backup(installed, timedelta(days=7, hours=1))
    old = finding(installed)
    assert old["ok"] is False
    assert old["detail"].endswith("deleted from the server: 1.")
    installed("account", "set", "sales", "--after", "leave")
    assert finding(installed)["ok"] is True
    (installed.folder / "last-backup").write_text("nonsense")
    assert "None was made" in finding(installed)["detail"]


def finding(installation: Installation) -> dict[str, Any]:
    found = json.loads(installation("doctor", "--json").out)
    (one,) = [each for each in found if each["name"] == "backup"]
    return dict(one)


def age_last_backup(installation: Installation, age: timedelta) -> None:
    note = installation.folder / "last-backup"
    written = json.loads(note.read_text())
    written["made_at"] = (datetime.now(UTC) - age).isoformat()
    note.write_text(json.dumps(written))


def test_what_was_there_is_kept(installed: Installation, tmp_path: Path) -> None:
    """SQLite: as a file beside. PostgreSQL: gone, as its page says."""
    installed("backup", tmp_path / "b")
    installed("store", "add", "Sur")
    restored = installed("restore", tmp_path / "b", "--replace", "--json").json()
    assert [one["name"] for one in installed("store", "list", "--json").json()] == ["Norte"]
    if DATABASE == "postgresql":
        assert restored["kept"] is None
        return
    Path(restored["kept"]).replace(installed.folder / "buzon.sqlite3")
    names = {one["name"] for one in installed("store", "list", "--json").json()}
    assert names == {"Norte", "Sur"}


def test_an_older_backup_is_brought_up_to_date(installed: Installation, tmp_path: Path) -> None:
    """As if `web` had come with this version: its tables are made, the other rows are all there."""
    installed("backup", tmp_path / "b")

    def older(header: dict[str, Any]) -> None:
        header["migrations"] = [m for m in header["migrations"] if m[0] != "web"]
        header["tables"] = [t for t in header["tables"] if not t["name"].startswith("web_")]

    rewritten(tmp_path / "b", older)
    other = Installation(_fresh(tmp_path / "other"))
    assert other("restore", tmp_path / "b").status == 0
    assert [one["name"] for one in other("store", "list", "--json").json()] == ["Norte"]
    findings = {one["name"]: one["ok"] for one in json.loads(other("doctor", "--json").out)}
    assert findings["tables"] is True


def test_a_person_is_asked_on_a_terminal(installed: Installation, tmp_path: Path) -> None:
    installed("backup", tmp_path / "b")
    installed("store", "add", "Sur")
    for answer, left in (("n", {"Norte", "Sur"}), ("y", {"Norte"})):
        status, said = on_terminal(installed, answer, "restore", tmp_path / "b", "--replace")
        assert "1 organization" in said
        assert status == (1 if answer == "n" else 0), said
        assert {s["name"] for s in installed("store", "list", "--json").json()} == left


def on_terminal(installation: Installation, answer: str, *words: object) -> tuple[int, str]:
    """`script` gives the command a terminal, and types for us."""
    command = shlex.join([sys.executable, "-m", "buzon.config.command", *map(str, words)])
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        env=installation.env, input=f"{answer}\n", capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout
