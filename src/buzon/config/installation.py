"""The installation: its folder, its keys, its database, its first organization and administrator.

    folder 0700 ─▶ database reachable, of a version we know ─▶ keys ─▶ migrated ─▶ first people

Whatever is wrong is refused in one sentence, before anything is changed.
"""

import fcntl
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction

from buzon.config import database
from buzon.config.refusal import InstallationError
from buzon.config.web_settings import SECRET_KEY_FILE
from buzon.desk.entries import checked_email, checked_name
from buzon.desk.errors import DeskError
from buzon.desk.keyring import KeyringError, check_keys, make_key_file
from buzon.desk.models import Organization, User
from buzon.desk.organizations import add_organization
from buzon.desk.people import add_administrator
from buzon.intake.models import CollectionAccount

FIRST_ORGANIZATION = "My shop"

__all__ = ["FirstStart", "InstallationError", "lock_data_dir", "open_installation"]


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What a person has to be told once: the first login, whose password is nowhere else; `email`
    "" where the set-up page makes it.
    """

    organization: str
    email: str = ""
    password: str = field(default="", repr=False)


def open_installation(
    *,
    create: bool,
    upgrade: bool = False,
    organization: str | None = FIRST_ORGANIZATION,
    administrator: str | None = None,
    say: "Callable[[str], object] | None" = None,
) -> FirstStart | None:
    """Check that this installation is sound; with `create`, make what is not there yet.

    `upgrade` brings an older database up to date, which otherwise is refused. With `organization`
    None no first organization is made; with `administrator`, its e-mail address, a first login is
    made here, else by the set-up page. `say` is told of what takes long;
    without it that goes to stderr. Returns the first login if one was made: show it, it is shown
    once. Raises InstallationError.
    """
    say = say or _to_stderr
    os.umask(0o077)  # what we make here is nobody else's to read
    folder = Path(settings.BUZON_DATA_DIR)
    if not create:
        database.check_is_there()
        database.check_version(upgrade=False)
        _check_key_file(folder, create=False)
        return None
    _check_first_people(organization, administrator)
    _make_folder(folder)
    with _one_at_a_time(folder), database.locked():
        fresh = database.is_fresh()
        if not fresh:
            database.check_version(upgrade=upgrade)
        _check_key_file(folder, create=True, fresh=fresh)
        _keep_secret_key(folder)
        database.migrate(say)
        return _first_people(organization, administrator) if organization else None


@contextmanager
def lock_data_dir() -> Iterator[None]:
    """Held by `buzon up`, and by the kernel's promise only while it lives.

    Raises InstallationError, which names the process that holds it.
    """
    folder = Path(settings.BUZON_DATA_DIR)
    _make_folder(folder)
    number = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(number, folder)
        os.ftruncate(number, 0)
        os.write(number, str(os.getpid()).encode("ascii"))
        yield
        os.ftruncate(number, 0)
    finally:
        os.close(number)


def _lock(number: int, folder: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(number, 20, 0).decode("ascii", "replace") or "unknown"
        raise InstallationError(
            f"Buzón is already running on {folder} (process {holder}); stop that one first, "
            "or set BUZON_DATA_DIR to another folder."
        ) from None
    except OSError as error:
        raise InstallationError(
            f"The data folder {folder} cannot be locked ({error.strerror}); "
            "set BUZON_DATA_DIR to a folder on a local disk."
        ) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError):
        raise InstallationError(f"{folder} is not a folder; set BUZON_DATA_DIR to one.") from None
    except OSError as error:
        raise InstallationError(
            f"The data folder {folder} cannot be written to ({error.strerror}); "
            "change its rights, or set BUZON_DATA_DIR to another folder."
        ) from None


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two first commands at once: the second waits, and finds it all made."""
    number = os.open(folder / "setup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _check_key_file(folder: Path, *, create: bool, fresh: bool = False) -> None:
    path = folder / "keys"
    try:
        if settings.BUZON_KEYS or path.exists():
            check_keys()
        elif not fresh and CollectionAccount.objects.exclude(secret=b"").exists():
            raise InstallationError(
                f"The key file {path} is missing, but the database holds passwords that only "
                "its keys can open; put it back from your backup, or set BUZON_KEYS."
            )
        elif create:
            make_key_file(path)
    except KeyringError as error:
        raise InstallationError(error.sentence) from error


def _keep_secret_key(folder: Path) -> None:
    """The one that these settings already sign with, so that nobody is signed out by a restart."""
    path = folder / SECRET_KEY_FILE
    if settings.BUZON_SECRET_KEY or path.exists():
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(settings.SECRET_KEY + "\n")


def _check_first_people(organization: str | None, administrator: str | None) -> None:
    """Before anything is made, so that nothing is left half done."""
    try:
        if administrator is not None:
            checked_email(administrator)
        if organization is not None:
            checked_name(organization, "An organization")
    except DeskError as error:
        raise InstallationError(error.sentence) from error


def _first_people(organization: str, administrator: str | None) -> FirstStart | None:
    """The first organization, and the first login where one was asked for; each only if there is
    none.
    """
    password = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            first = Organization.objects.order_by("pk").first()
            is_new = first is None
            first = first or add_organization(organization, language=spoken_language())
            if administrator is None or has_administrator():
                return FirstStart(first.name) if is_new else None
            user = add_administrator(first, email=administrator, password=password)
    except DeskError as error:
        raise InstallationError(error.sentence) from error
    return FirstStart(first.name, user.email, password)


def has_administrator() -> bool:
    """Whether anybody can let others in; else the set-up page makes the first administrator."""
    return User.objects.filter(role=User.Role.ADMINISTRATOR).exists()


def spoken_language() -> str:
    """Spanish where this terminal speaks it."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "es" if (spoken or "").lower().startswith("es") else "en"


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
