"""From an error to the one sentence that a person gets; None for what only a programmer can mend.

Every error of ours that is meant for a person has a `sentence`. Databases and the operating system
speak in their own words, of which the known ones are put into ours.
"""

import errno
import re
import sys

_DISK_FULL = "The disk is full: nothing was changed. Make room, and do it again."
_RIGHTS = (
    "This user may not write to the database ({told}); give it the right, or run the command as "
    "the user who may."
)
_DISK_FAILS = "The disk of the database fails ({told}); make room, or replace it."

# What SQLite, PostgreSQL and psycopg say, and what it means for the person at the command.
_DATABASE = (
    (r"idle-in-transaction timeout", "This command was stopped in the middle of a change, which "
     "the database has taken back meanwhile; do it again."),
    (r"database is locked", "The database is in use by another program; try again."),
    (r"disk is full|no space left|disk full", _DISK_FULL),
    (r"disk i/o error", _DISK_FAILS),
    (r"readonly database|read-only|unable to open database file|permission denied", _RIGHTS),
    (r"password authentication failed|no password supplied", "The database refuses the login of "
     "BUZON_DATABASE_URL: {told}."),
    (r'role ".*" does not exist', "The database does not know the login of BUZON_DATABASE_URL: "
     "{told}."),
    (r'database ".*" does not exist', "There is no such database as BUZON_DATABASE_URL names: "
     "{told}."),
    (r"connection refused|could not translate|failed to resolve|no route|timeout expired|"
     r"connection failed|server closed the connection|name or service not known|"
     r"terminating connection|the connection is (lost|closed)",
     "The database cannot be reached ({told}); check that it is running."),
    (r"not a database|malformed|disk image", "The database file is damaged: {told}."),
    (r"no such table|no such column|relation .* does not exist|column .* does not exist",
     "The database is not of this version of Buzón ({told}): buzon up brings it up to date."),
)  # fmt: skip


def sentence_of(error: BaseException) -> str | None:
    """The sentence, or None."""
    sentence = getattr(error, "sentence", None)
    if isinstance(sentence, str):
        return str(error) if _is_mail_error(error) else sentence
    if type(error).__module__ == "buzon.config.environment":
        return str(error)
    return _of_database(error) or (_of_system(error) if isinstance(error, OSError) else None)


def _is_mail_error(error: BaseException) -> bool:
    # Its text is the sentence and the server's own answer.
    return any(kind.__module__ == "buzon.wire.errors" for kind in type(error).__mro__)


def _of_database(error: BaseException) -> str | None:
    if "django.db" not in sys.modules:
        return None
    from django.db import DatabaseError, InterfaceError

    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    told = _first_line(str(error))
    for pattern, meaning in _DATABASE:
        if re.search(pattern, str(error), re.IGNORECASE):
            return meaning.format(told=told)
    operational = {"OperationalError", "InterfaceError", "NotSupportedError"}
    return f"The database failed: {told}." if type(error).__name__ in operational else None


def _of_system(error: OSError) -> str | None:
    if error.errno == errno.ENOSPC:
        return _DISK_FULL
    if error.filename is None or error.strerror is None:
        return None
    return f"{error.filename}: {error.strerror}."


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0].rstrip(". ")
