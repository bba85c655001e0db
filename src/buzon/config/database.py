"""Is the database there, may we write to it, and is it of this version of the program?"""

import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, NotSupportedError, ProgrammingError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.recorder import MigrationRecorder

from buzon.config.refusal import InstallationError

OLDEST_POSTGRESQL = 15
_ADVISORY_LOCK = 8_150_275_110  # any number that nobody else in the database uses

_Step = tuple[str, str]  # application, name of a migration


def check_is_there() -> None:
    """A database with our tables. Opening a SQLite file that is missing would make an empty one."""
    if _file() is not None and not _file_exists():
        raise InstallationError(
            f"There is no installation in {settings.BUZON_DATA_DIR}; `buzon up` makes one, "
            "or set BUZON_DATA_DIR to the folder where it is."
        )
    if is_fresh():
        raise InstallationError("The database is empty; run `buzon up` first.")


def is_fresh() -> bool:
    """Whether none of our tables were ever made here."""
    return (_file() is not None and not _file_exists()) or not _applied()


def check_version(*, upgrade: bool) -> None:
    """Neither newer than this program, nor (unless `upgrade`) older."""
    applied, known = _applied(), _known()
    if applied - known:
        raise InstallationError(
            "The database is of a newer version of Buzón than this program; "
            "install that version here too."
        )
    if known - applied and not upgrade:
        raise InstallationError(
            "The database is of an older version of Buzón than this program; "
            "run `buzon up`, which brings it up to date."
        )


def migrate(say: Callable[[str], object]) -> None:
    """Make the tables, or bring them up to date; nothing where they are."""
    applied = _applied()
    steps = _known() - applied
    if not steps:
        return
    say("Bringing the database up to date…" if applied else "Making the database…")
    with translated():
        call_command("migrate", interactive=False, verbosity=0)


@contextmanager
def locked() -> Iterator[None]:
    """On PostgreSQL: one machine at a time makes or migrates. SQLite has the folder's lock."""
    if connection.vendor != "postgresql":
        yield
        return
    with translated(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
    try:
        yield
    finally:
        with translated(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


@contextmanager
def translated() -> Iterator[None]:
    """The database's complaint as a sentence of ours."""
    try:
        yield
    except DatabaseError as error:
        raise InstallationError(_sentence(error)) from error


def _sentence(error: DatabaseError) -> str:
    told = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    file = _file()
    if file is not None:
        return (
            f"The database {file} cannot be used ({told}); check that the file is whole, that "
            "you may write to it and its folder, and that the disk has room."
        )
    if isinstance(error, NotSupportedError):
        return f"The database is too old ({told}); Buzón needs PostgreSQL {OLDEST_POSTGRESQL}."
    if "connection option" in told:  # libpq's word for what stands behind the question mark
        return f"PostgreSQL does not know all that BUZON_DATABASE_URL asks for ({told})."
    if isinstance(error, ProgrammingError | MigrationSchemaMissing):
        return (
            f"The login of BUZON_DATABASE_URL may not do what is needed ({told}); "
            "make it the owner of the database."
        )
    return (
        f"The database of BUZON_DATABASE_URL cannot be used ({told}); check that it is running, "
        "and its host, name, user and password."
    )


def check_server(cursor: Any) -> None:
    """Whether this PostgreSQL, and the database in it, can be ours."""
    cursor.execute("SHOW server_version_num")
    check_postgresql(int(cursor.fetchone()[0]))
    cursor.execute("SHOW server_encoding")
    check_encoding(cursor.fetchone()[0])


def check_encoding(encoding: str) -> None:
    """Names stand in the order of Unicode's normalized forms, which PostgreSQL knows in UTF-8
    alone; and letters are in every script. `encoding` as the server calls it.
    """
    if encoding != "UTF8":
        raise InstallationError(
            f"The database is encoded in {encoding}, which cannot hold every letter; make another "
            "one (CREATE DATABASE buzon ENCODING 'UTF8' TEMPLATE template0), and name it in "
            "BUZON_DATABASE_URL."
        )


def check_postgresql(version: int) -> None:
    """`version` as the server numbers it: 150004 is 15.4."""
    if version // 10_000 < OLDEST_POSTGRESQL:
        raise InstallationError(
            f"The database is PostgreSQL {version // 10_000}; "
            f"Buzón needs {OLDEST_POSTGRESQL} or later."
        )


def check_library(cursor: Any) -> None:
    """Whether the SQLite that this Python brings can do what is needed."""
    cursor.execute("SELECT name FROM pragma_module_list")
    check_modules({name for (name,) in cursor.fetchall()})


def check_modules(names: set[str]) -> None:
    """Letters are found by FTS5's index. `names` as SQLite calls its modules."""
    if "fts5" not in names:
        raise InstallationError(
            "This Python's SQLite was built without full-text search (FTS5); use the Python of "
            "your distribution, or PostgreSQL (BUZON_DATABASE_URL)."
        )


def _applied() -> set[_Step]:
    ours = _applications()
    with translated():
        with connection.cursor() as cursor:
            check = check_server if connection.vendor == "postgresql" else check_library
            check(cursor)
        applied = MigrationRecorder(connection).applied_migrations()
    return {(application, name) for application, name in applied if application in ours}


def _known() -> set[_Step]:
    """By the names of the files: building the whole plan costs every command a tenth second."""
    return {
        (label, module.name)
        for label, name in _applications().items()
        for module in pkgutil.iter_modules(import_module(f"{name}.migrations").__path__)
    }


def _applications() -> dict[str, str]:
    return {one.label: one.name for one in apps.get_app_configs() if one.name.startswith("buzon.")}


def _file() -> Path | None:
    """SQLite's file; None for a database server."""
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def _file_exists() -> bool:
    file = _file()
    return file is not None and file.exists() and file.stat().st_size > 0
