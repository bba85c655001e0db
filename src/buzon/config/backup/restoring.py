"""Restore a backup into an installation that is not running.

 1. the backup: whole, of no newer version than this program
 2. the data folder's lock: nothing runs on it
 3. what is there is counted; a database that is not empty is replaced only if asked
 4. the rows go into new tables: beside the old file (SQLite), or in one transaction (PostgreSQL)
 5. the keys: which accounts' passwords they do not open
Before the end of 4 everything is as it was, also after a crash.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.models import F

from buzon.config import database
from buzon.config.backup.amounts import THINGS, amounts
from buzon.config.backup.archive import Archive, Header
from buzon.config.backup.into_postgresql import load_into_postgresql
from buzon.config.backup.into_sqlite import load_into_sqlite
from buzon.config.backup.loading import check_migrations
from buzon.config.backup.make import Watch
from buzon.config.backup.snapshot import quoted
from buzon.config.installation import lock_data_dir
from buzon.config.refusal import InstallationError
from buzon.desk.keyring import KeyringError, make_key_file
from buzon.intake.accounts import credentials_of
from buzon.intake.models import CollectionAccount

# Asked with what is there, in words, and what comes.
Confirm = Callable[[str, Header], bool]


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept` is the file of the database that was there before; `closed` the accounts, as
    (organization, name), whose stored password the keys do not open; `made_keys` whether there
    were no keys, so that new ones were made.
    """

    header: Header
    kept: Path | None
    closed: list[tuple[str, str]]
    made_keys: bool
    seconds: float


def restore_backup(file: str, *, replace: bool, confirm: Confirm, watch: Watch) -> Restored | None:
    """Make the database what the backup `file` holds; None where `confirm` said no.

    Raises InstallationError; then nothing was changed.
    """
    os.umask(0o077)
    started = time.monotonic()
    with _opened(file) as archive:
        archive.check(lambda octets: watch("checking", octets, archive.size))
        check_migrations(archive.header)
        with lock_data_dir():
            if not _is_free() and not _may_replace(archive.header, replace, confirm):
                return None
            connections.close_all()
            kept = _load(archive, watch)
            made_keys = _make_keys()
            closed = _closed_accounts()
    return Restored(archive.header, kept, closed, made_keys, time.monotonic() - started)


@contextmanager
def _opened(file: str) -> Iterator[Archive]:
    path = Path(file)
    try:
        opened = path.open("rb")
    except FileNotFoundError:
        raise InstallationError(f"There is no file {file}.") from None
    except OSError as error:
        raise InstallationError(f"The file {file} cannot be read: {error.strerror}.") from None
    with opened:
        if not path.is_file():
            raise InstallationError(
                f"{file} is not a file on a disk: a backup is read twice, so save it first."
            )
        yield Archive(opened, file)


def _is_free() -> bool:
    if connection.vendor == "sqlite":
        return not Path(connection.settings_dict["NAME"]).exists()
    return database.is_fresh()


def _may_replace(header: Header, replace: bool, confirm: Confirm) -> bool:
    there = _what_is_there()
    if not replace:
        raise InstallationError(
            f"There is a database already ({there}); say --replace to put the backup in its place."
        )
    return confirm(there, header)


def _what_is_there() -> str:
    """Of whatever version; what is damaged is no less in the way."""
    counts: dict[str, int] = {}
    try:
        with connection.cursor() as cursor:
            for name in THINGS.keys() & set(connection.introspection.table_names(cursor)):
                cursor.execute(f"SELECT count(*) FROM {quoted(name)}")  # noqa: S608 # names of ours
                counts[name] = int(cursor.fetchone()[0])
    except DatabaseError:
        return "it cannot be read"
    return amounts(lambda name: counts.get(name, 0))


def _load(archive: Archive, watch: Watch) -> Path | None:
    if connection.vendor != "sqlite":
        load_into_postgresql(archive, watch=watch)
        return None
    with database.translated(), connection.wrap_database_errors:
        file = Path(connection.settings_dict["NAME"])
        return load_into_sqlite(archive, file, watch=watch)


def _make_keys() -> bool:
    """An installation without keys could not even be given its passwords anew."""
    return not settings.BUZON_KEYS and make_key_file(Path(settings.BUZON_DATA_DIR) / "keys")


def _closed_accounts() -> list[tuple[str, str]]:
    rows = CollectionAccount.objects.exclude(secret=b"").annotate(whose=F("organization__name"))
    return [(row.whose, row.name) for row in rows.order_by("whose", "name") if _is_closed(row)]


def _is_closed(account: CollectionAccount) -> bool:
    try:
        credentials_of(account)
    except KeyringError:
        return True
    return False
