"""Is there room on the disk? Asked before and while writing, and said in one sentence."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from buzon.config.refusal import InstallationError

# Left free on the disk of the data folder: a backup must not stop the collecting.
RESERVE = 100_000_000  # octets
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_room(folder: Path, needed: int, *, reserve: int = 0) -> None:
    """Refuse where fewer than `needed` octets and `reserve` are free. Raises InstallationError."""
    free = max(shutil.disk_usage(folder).free - reserve, 0)
    if free < needed:
        raise InstallationError(
            f"There is not enough room in {folder}: at least {_megabytes(needed)} MB more are "
            f"needed, and {free // 1_000_000:,} MB can be used; nothing was changed."
        )


def reserve_in(folder: Path) -> int:
    """What is not a backup's to fill: on another disk than the data folder's, nothing."""
    same = folder.stat().st_dev == Path(settings.BUZON_DATA_DIR).stat().st_dev
    return RESERVE if same else 0


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """The system's complaint about writing `path` as a sentence. Raises InstallationError."""
    try:
        yield
    except OSError as error:
        raise InstallationError(_sentence(path, error)) from error


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"There is no room left for {path} ({error.strerror}); nothing was changed."
    return f"{path} cannot be written ({error.strerror}); nothing was changed."


def _megabytes(octets: int) -> str:
    return f"{-(-octets // 1_000_000):,}"
