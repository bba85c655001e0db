"""Make a backup, while Buzón runs.

 1. what stands at the file's place is looked at: only a backup is replaced, and only if asked
 2. a snapshot of the database; its tables are counted, and the room on the disk is compared
 3. header and rows go to FILE.part (0600), fsync
 4. FILE.part is read back: its seal, and every row
 5. FILE.part becomes FILE; `buzon doctor` learns of it
Whatever fails before 5 leaves FILE as it was.
"""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from buzon.config import database
from buzon.config.backup.archive import OCTETS, Archive, Header, Sink, Table, Writer, is_backup
from buzon.config.backup.last import LastBackup, note_backup
from buzon.config.backup.room import check_room, reserve_in, writing
from buzon.config.backup.snapshot import Snapshot, quoted, snapshot
from buzon.config.backup.tables import Shape, shapes
from buzon.config.refusal import InstallationError

STDOUT = "-"
# Told what is being done, how much of it was just done, and how much there is: rows or octets.
Watch = Callable[[str, int, int], object]

_BETWEEN_LOOKS = 32_000_000  # octets, after which the room is looked at again


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written and read back (to stdout: written)."""

    file: str
    header: Header
    octets: int
    sha256: str
    seconds: float


def make_backup(file: str, *, force: bool, watch: Watch) -> Made:
    """A backup in `file`, or on standard output for "-". Raises InstallationError."""
    os.umask(0o077)
    started = time.monotonic()
    database.check_is_there()
    database.check_version(upgrade=False)
    if file == STDOUT:
        header, sha256, octets = _to_stdout(watch)
    else:
        header, sha256, octets = _to_file(Path(file), force=force, watch=watch)
    made_at = datetime.fromisoformat(header.made_at).replace(tzinfo=UTC)
    note_backup(LastBackup(made_at, file if file == STDOUT else str(Path(file).resolve()), sha256))
    return Made(file, header, octets, sha256, time.monotonic() - started)


def _to_stdout(watch: Watch) -> tuple[Header, str, int]:
    if sys.stdout.isatty():
        raise InstallationError(
            "A backup is not text that a terminal could show: name a file, or use a pipe."
        )
    header, sha256, octets = _write(sys.stdout.buffer, None, watch)
    sys.stdout.buffer.flush()
    return header, sha256, octets


def _to_file(path: Path, *, force: bool, watch: Watch) -> tuple[Header, str, int]:
    _check_place(path, force=force)
    part = path.with_name(path.name + ".part")
    with _draft(part) as draft:
        with writing(part):
            header, sha256, octets = _write(_Roomy(draft, path.parent), path.parent, watch)
            draft.flush()
            os.fsync(draft.fileno())
        _read_back(part, sha256, watch)
        _check_place(path, force=force)
        with writing(path):
            part.replace(path)
            sync_folder(path.parent)
    return header, sha256, octets


def _check_place(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise InstallationError(f"{path} is a folder: name the file that is to hold the backup.")
    if not path.parent.is_dir():
        raise InstallationError(f"There is no folder {path.parent}; make it first.")
    if not os.path.lexists(path):
        return
    if not force:
        raise InstallationError(
            f"{path} exists already; name another file, or say --force to replace that backup."
        )
    if not (path.is_file() and _holds_backup(path)):
        raise InstallationError(
            f"{path} is not a backup, so it is not replaced; name another file."
        )


def _holds_backup(path: Path) -> bool:
    with path.open("rb") as file:
        beginning = file.read(100)
    return not beginning or is_backup(beginning)


@contextmanager
def _draft(part: Path) -> Iterator[BinaryIO]:
    """The file that is not yet the backup; gone at the end, unless it was renamed."""
    with writing(part):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        number = os.open(part, flags, 0o600)
    with os.fdopen(number, "r+b") as draft:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InstallationError(f"Another backup is being written to {part}.") from None
        try:
            os.fchmod(number, 0o600)
            draft.truncate()  # what a killed backup left
            yield draft
        finally:
            _remove_own(part, number)


def _remove_own(part: Path, number: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(number), os.lstat(part)):
            part.unlink()


def _write(sink: Sink, folder: Path | None, watch: Watch) -> tuple[Header, str, int]:
    with database.translated(), connection.wrap_database_errors, snapshot() as moment:
        every = shapes()
        header = _header(moment, every)
        if folder is not None:
            check_room(folder, header.octets, reserve=reserve_in(folder))
        writer = Writer(sink, header)
        for shape, table in zip(every, header.tables, strict=True):
            for row in moment.rows(shape):
                writer.write_row(table, row)
                watch("writing", 1, header.rows)
        sha256, octets = writer.close()
    return header, sha256, octets


def _header(moment: Snapshot, every: list[Shape]) -> Header:
    # Before the first question, which makes the snapshot: nothing of before is missing in it.
    now = datetime.now(UTC).replace(tzinfo=None)
    migrations = MigrationRecorder(connection).applied_migrations()
    return Header(
        buzon=version("buzon"),
        database=connection.vendor,
        made_at=str(now.replace(microsecond=0)),
        migrations=tuple(sorted(migrations)),
        octets=sum(_octets(moment, shape) for shape in every),
        tables=tuple(_counted(moment, shape) for shape in every),
    )


def _counted(moment: Snapshot, shape: Shape) -> Table:
    rows = moment.value(f"SELECT count(*) FROM {quoted(shape.name)}")  # noqa: S608 # names of ours
    return Table(shape.name, shape.key, shape.columns, int(rows), moment.last_id(shape))


def _octets(moment: Snapshot, shape: Shape) -> int:
    names = [quoted(column.name) for column in shape.columns if column.kind == OCTETS]
    if not names:
        return 0
    lengths = " + ".join(f"coalesce(sum(length({name})), 0)" for name in names)
    return int(moment.value(f"SELECT {lengths} FROM {quoted(shape.name)}"))  # noqa: S608 # names of ours


def _read_back(part: Path, sha256: str, watch: Watch) -> None:
    with part.open("rb") as file:
        archive = Archive(file, str(part))
        read = archive.check(lambda octets: watch("checking", octets, archive.size))
        rows = sum(1 for _, rows in archive.tables() for _ in rows)
    if read != sha256 or rows != archive.header.rows:
        raise InstallationError(
            f"What was read back from {part} is not what was written; try another disk."
        )


class _Roomy:
    """A file that is written to as long as the disk has room for others too."""

    def __init__(self, file: BinaryIO, folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._until_look = 0
        self._reserve = reserve_in(folder)

    def write(self, octets: bytes) -> None:
        self._until_look -= len(octets)
        if self._until_look < 0:
            check_room(self._folder, len(octets), reserve=self._reserve)
            self._until_look = _BETWEEN_LOOKS
        self._file.write(octets)


def sync_folder(folder: Path) -> None:
    """Make a rename in it last."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
