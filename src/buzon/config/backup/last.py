"""When the last backup was made: a note in the data folder, which `buzon doctor` reads."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

_NAME = "last-backup"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """`made_at` is the moment that it shows; `file` where it was written, "-" for a pipe."""

    made_at: datetime
    file: str
    sha256: str


def note_backup(backup: LastBackup) -> None:
    """Write it down, whole or not at all."""
    written = asdict(backup) | {"made_at": backup.made_at.isoformat()}
    path = _path()
    draft = path.with_name(f"{_NAME}.{os.getpid()}")
    draft.write_text(json.dumps(written) + "\n", encoding="utf-8")
    draft.replace(path)


def last_backup() -> LastBackup | None:
    """The last one that was made from this data folder; None also where the note says nothing that
    makes sense, which is no proof of a backup.
    """
    try:
        written = json.loads(_path().read_text(encoding="utf-8"))
        made_at = datetime.fromisoformat(written["made_at"])
        return LastBackup(made_at, str(written["file"]), str(written["sha256"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _path() -> Path:
    return Path(settings.BUZON_DATA_DIR) / _NAME
