"""The file of a backup, written and read in one pass. Nothing here knows Django.

    {"format": "buzon backup", …}⏎     the header, one line of JSON: `Header`
    a zstandard frame                  the rows of one table after the other, as the header has them
    SHA-256 <64 hex digits>⏎           of all the octets before it

A row is a line of JSON: its values in the order of the table's columns. Where a column holds octets
their number stands in the line, and they follow it.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Protocol

import zstandard

from buzon.config.refusal import InstallationError

FORMAT = "buzon backup"
VERSION = 1
OCTETS = "octets"
# What a column may hold, and as what it stands in a row:
#   integer, number, boolean   of JSON            text, address, json   a string
#   time, date                 a string, UTC: 2026-01-31 09:30:00[.123456]     octets   their number
KINDS = frozenset("integer number boolean text address json time date".split()) | {OCTETS}

_SEAL = b"SHA-256 "
_SEAL_SIZE = len(_SEAL) + 64 + 1
_LONGEST_HEADER = 4_000_000
_PIECE = 1 << 20
_LEVEL = 3  # the octets of messages are compressed already; this is for the rest

Step = Callable[[int], object]  # told of how many more octets or rows were done


class Sink(Protocol):
    """Where a backup is written to: a file or a pipe."""

    def write(self, octets: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is one of KINDS."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """`key` is the primary key's column; `last_id` the highest that was ever given, so that none is
    given twice, or None.
    """

    name: str
    key: str
    columns: tuple[Column, ...]
    rows: int
    last_id: int | None

    @property
    def octet_places(self) -> tuple[int, ...]:
        """Which of the columns hold octets."""
        return tuple(n for n, column in enumerate(self.columns) if column.kind == OCTETS)


@dataclass(frozen=True, slots=True)
class Header:
    """`made_at` is the moment that the backup shows, in UTC ("2026-01-31 09:30:00"); `octets` how
    many there are in columns of octets, below which no copy of this database can be.
    """

    buzon: str
    database: str
    made_at: str
    migrations: tuple[tuple[str, str], ...]
    octets: int
    tables: tuple[Table, ...]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    def count(self, name: str) -> int:
        """The rows of one table; 0 where there is no such table."""
        return sum(table.rows for table in self.tables if table.name == name)


class Writer:
    """Writes the header at once, then row after row, then the seal."""

    def __init__(self, sink: Sink, header: Header) -> None:
        self._sink = _Digested(sink)
        written = {"format": FORMAT, "version": VERSION, **asdict(header)}
        self._sink.write(_json(written) + b"\n")
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._frame = compressor.stream_writer(self._sink, closefd=False)  # type: ignore[arg-type] # needs only write()

    def write_row(self, table: Table, row: list[Any]) -> None:
        """`row` is used up: octets in it give way to their number."""
        following = []
        for place in table.octet_places:
            if row[place] is not None:
                following.append(row[place])
                row[place] = len(row[place])
        self._frame.write(_json(row) + b"\n")
        for octets in following:
            self._frame.write(octets)

    def close(self) -> tuple[str, int]:
        """End it; the seal's SHA-256, and how many octets the whole has."""
        self._frame.flush(zstandard.FLUSH_FRAME)
        sha256 = self._sink.hash.hexdigest()
        self._sink.write(_SEAL + sha256.encode("ascii") + b"\n")
        return sha256, self._sink.size


class Archive:
    """A backup that is read: `header` at once, the rest when asked for.

    `name` is how sentences call it. Raises InstallationError for what is no backup, is not whole,
    or is of a newer version.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self.header = self._header(file.readline(_LONGEST_HEADER))
        self._begin = file.tell()

    def check(self, step: Step) -> str:
        """Compare all octets with the seal, which it returns. Raises InstallationError."""
        self._file.seek(max(self.size - _SEAL_SIZE, 0))
        seal = self._file.read()
        if not (seal.startswith(_SEAL) and seal.endswith(b"\n")):
            raise self._cut_off()
        sha256 = self._digest(step)
        if seal[len(_SEAL) : -1] != sha256.encode("ascii"):
            raise self._damaged()
        return sha256

    def tables(self) -> Iterator[tuple[Table, Iterator[list[Any]]]]:
        """Each table with its rows, which have to be read before the next table is asked for.

        Raises InstallationError where the rows are not those that the header counts.
        """
        self._file.seek(self._begin)
        packed: Any = _Until(self._file, self.size - self._begin - _SEAL_SIZE)
        frame: Any = zstandard.ZstdDecompressor().stream_reader(packed, closefd=False)
        stream: io.BufferedReader = io.BufferedReader(frame, _PIECE)
        for table in self.header.tables:
            yield table, self._rows(stream, table)
        with self._translated():
            if stream.read(1):
                raise ValueError("more than was counted")

    def _rows(self, stream: io.BufferedReader, table: Table) -> Iterator[list[Any]]:
        for _ in range(table.rows):
            with self._translated():
                row = _row(stream, table)
            yield row

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (zstandard.ZstdError, ValueError, TypeError) as error:
            raise self._damaged() from error

    def _digest(self, step: Step) -> str:
        self._file.seek(0)
        hashed = hashlib.sha256()
        left = self.size - _SEAL_SIZE
        while left > 0:
            piece = self._file.read(min(_PIECE, left))
            if not piece:
                raise self._damaged()
            hashed.update(piece)
            left -= len(piece)
            step(len(piece))
        return hashed.hexdigest()

    def _header(self, line: bytes) -> Header:
        try:
            written = json.loads(line)
        except ValueError:
            written = None
        if written is None and is_backup(line):
            raise self._damaged() if line.endswith(b"\n") else self._cut_off()
        if not isinstance(written, dict) or written.get("format") != FORMAT:
            raise InstallationError(f"{self._name} is not a backup of Buzón.")
        if written.get("version") != VERSION:
            raise InstallationError(
                f"The backup {self._name} was made by Buzón {written.get('buzon')}, whose backups "
                "this version does not know; restore it with that version."
            )
        try:
            return _header_of(written)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged() from error

    def _cut_off(self) -> InstallationError:
        return InstallationError(
            f"The backup {self._name} is not whole: its end is missing; take another copy."
        )

    def _damaged(self) -> InstallationError:
        return InstallationError(
            f"The backup {self._name} is damaged: its octets are not those that were written; "
            "take another copy."
        )


def is_backup(beginning: bytes) -> bool:
    """Whether a file that begins so was meant to be a backup."""
    return beginning.startswith(_json({"format": FORMAT})[:-1])


def _header_of(written: dict[str, Any]) -> Header:
    return Header(
        buzon=str(written["buzon"]),
        database=str(written["database"]),
        made_at=str(written["made_at"]),
        migrations=tuple((str(app), str(name)) for app, name in written["migrations"]),
        octets=int(written["octets"]),
        tables=tuple(_table_of(table) for table in written["tables"]),
    )


def _row(stream: io.BufferedReader, table: Table) -> list[Any]:
    row = json.loads(stream.readline())
    if not isinstance(row, list) or len(row) != len(table.columns):
        raise ValueError("not a row of this table")
    for place in table.octet_places:
        size = row[place]
        if size is not None:
            row[place] = stream.read(size)
            if len(row[place]) != size:
                raise ValueError("it ends early")
    return row


def _table_of(written: dict[str, Any]) -> Table:
    columns = tuple(Column(one["name"], one["kind"]) for one in written["columns"])
    if {column.kind for column in columns} - KINDS:
        raise ValueError("a kind that is not known")
    last_id = None if written["last_id"] is None else int(written["last_id"])
    return Table(written["name"], written["key"], columns, int(written["rows"]), last_id)


class _Until:
    """So many octets of a file, and then its end."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self._left = left

    def read(self, size: int) -> bytes:
        octets = self._file.read(min(size, self._left))
        self._left -= len(octets)
        return octets


class _Digested:
    """Counts and hashes what goes through."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, octets: bytes) -> int:
        self.hash.update(octets)
        self._sink.write(octets)
        self.size += len(octets)
        return len(octets)


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _json(value: dict[str, Any] | Sequence[Any]) -> bytes:
    # ASCII, so that also text which is not sound (a lone surrogate) comes back as it was.
    return _encode(value).encode("ascii")
