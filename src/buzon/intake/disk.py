"""Room on the disk: collecting pauses before it is full, and says so.

Asked before each batch, about the disk of the data folder. A database on another machine has a disk
that we cannot see; when it says itself that there is no room, that is the same pause.
"""

import errno
import shutil

from django.conf import settings
from django.db import DatabaseError

from buzon.wire.errors import Transient, template

_NEARLY_FULL = template(
    "The disk has only {free} MB left, and {least} MB are kept free: nothing is collected until "
    "there is room."
)
_FULL = template("The disk is full: nothing is collected until there is room.")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_SQLITE_FULL = 13  # SQLITE_FULL, sqlite.org/rescode.html
_POSTGRESQL_FULL = "53100"  # disk_full
_MB = 1_000_000


class NoRoom(Transient):
    """The disk is full, or nearly: no server is to blame. It goes on by itself."""


def check_room() -> None:
    """Raises NoRoom where less is free than BUZON_MIN_FREE_DISK says."""
    least: int = settings.BUZON_MIN_FREE_DISK
    free = shutil.disk_usage(settings.BUZON_DATA_DIR).free if least else 0
    if free < least:
        raise NoRoom(_NEARLY_FULL, free=free // _MB, least=-(-least // _MB))


def no_room(error: Exception) -> NoRoom | None:
    """What a failed write means, if it means that a disk is full."""
    if isinstance(error, OSError):
        return NoRoom(_FULL) if error.errno in _NO_ROOM else None
    if not isinstance(error, DatabaseError):
        return None
    cause = error.__cause__
    is_full = (
        getattr(cause, "sqlite_errorcode", None) == _SQLITE_FULL
        or getattr(cause, "sqlstate", None) == _POSTGRESQL_FULL
    )
    return NoRoom(_FULL) if is_full else None
