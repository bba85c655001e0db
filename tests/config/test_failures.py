"""What the database and the system refuse becomes one sentence, and nothing is half done."""

import errno

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError

from buzon.config.command.failures import sentence_of
from buzon.wire.errors import AuthRejected
from tests.config.conftest import Installation
from tests.database import DATABASE

FULL = """
import django; django.setup()
from django.db.backends.signals import connection_created
def fill(connection, **_):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1")  # SQLite: as many as there are now
connection_created.connect(fill)
import sys
from buzon.config.command import main
sys.stderr = sys.stdout
print(main(["customer", "import", "-"]))
"""


@pytest.mark.skipif(DATABASE == "postgresql", reason="SQLite's own way to be full")
def test_a_full_disk_is_one_sentence_and_leaves_nothing(installed: Installation) -> None:
    many = b"email\n" + b"".join(b"%d@x.example\n" % number for number in range(20_000))
    told = installed.python(FULL, stdin=many)
    assert told == "The disk is full: nothing was changed. Make room, and do it again.\n2\n"
    assert installed("customer", "list", "--json").json() == []


@pytest.mark.skipif(DATABASE != "postgresql", reason="PostgreSQL's own")
def test_a_login_that_may_not_write(installed: Installation) -> None:
    url = installed.env["BUZON_DATABASE_URL"] + "?options=-c%20default_transaction_read_only%3Don"
    told = installed("store", "add", "Sur", BUZON_DATABASE_URL=url).sentence()
    assert "read-only transaction" in told
    assert installed("store", "list", BUZON_DATABASE_URL=url).status == 0


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("database is locked", "in use by another program"),
        ("attempt to write a readonly database", "may not write"),
        ("unable to open database file", "may not write"),
        ("permission denied for table desk_store", "may not write"),
        ('could not extend file "base/1": No space left on device', "disk is full"),
        ('connection failed: FATAL:  password authentication failed for user "x"', "login of"),
        ('connection failed: FATAL:  database "x" does not exist', "no such database"),
        ('connection failed: FATAL:  role "x" does not exist', "does not know the login"),
        ('connection failed: connection to server at "127.0.0.1" failed: Connection refused',
         "cannot be reached"),
        ("server closed the connection unexpectedly\n\tThis probably means", "cannot be reached"),
        ("database disk image is malformed", "damaged"),
        ("no such table: desk_store", "not of this version"),
        ("something new", "The database failed: something new."),
    ],
)  # fmt: skip
def test_what_a_database_says(told: str, sentence: str) -> None:
    said = sentence_of(OperationalError(told))
    assert said is not None
    assert sentence in said
    assert said.endswith(".")
    assert "\n" not in said


def test_an_error_of_ours_in_the_database_is_not_dressed_up() -> None:
    assert sentence_of(IntegrityError("UNIQUE constraint failed")) is None
    assert sentence_of(ProgrammingError("syntax error")) is None
    assert sentence_of(ValueError("x")) is None


def test_what_the_system_says() -> None:
    assert "disk is full" in (sentence_of(OSError(errno.ENOSPC, "No space left")) or "")
    said = sentence_of(PermissionError(errno.EACCES, "Permission denied", "/data/keys"))
    assert said == "/data/keys: Permission denied."


def test_a_mail_error_brings_the_servers_answer() -> None:
    said = sentence_of(AuthRejected("The login was refused.", answer="NO bad password"))
    assert said == "The login was refused. The server said: NO bad password."
