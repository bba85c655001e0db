"""What a word is, and the forms in which a letter's texts are kept and indexed.

A word is a run of letters and digits, without case and accents: "Niño-2" is `nino` and `2`. FTS5
finds the same ones by itself (`unicode61 remove_diacritics 2`); for PostgreSQL, whose own parser
would make e-mail addresses, numbers and paths into words, they are found here.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite

from buzon.desk.alphabet import folded
from buzon.desk.text import storable

SUBJECT, PEOPLE, FILES, TEXT = range(4)
LONGEST = (500, 8_000, 4_000, 65_536)  # characters of each that are indexed
NOTHING = ("", "", "", "")

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 100  # characters; PostgreSQL refuses one of 2,048 octets
_APART = 10  # between two fields, so that no phrase goes from one into the other
_LAST_POSITION = 16_383  # of a tsvector: the words after it all stand there
_LEVEL = 1
_BITS = 29  # for the letter's key
_LAST_SECOND = (1 << 63 - _BITS) - 1  # in the year 2514
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

Texts = tuple[str, str, str, str]  # by SUBJECT, PEOPLE, FILES, TEXT


def place_in_time(at: datetime, message_id: int = 0) -> int:
    """The key of the entry of a letter of this time: later is larger, and no two are the same.

    Without a letter: the smallest of this second.
    """
    seconds = min(max((at - _FIRST) // timedelta(seconds=1), 0), _LAST_SECOND)
    return seconds << _BITS | message_id % (1 << _BITS)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return [one[:_LONGEST_WORD] for one in _WORD.findall(folded(text))]


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Each word with where it begins and ends in the text as it is written."""
    for found in _WORD.finditer(text):
        yield *found.span(), folded(found.group())[:_LONGEST_WORD]


def bounded(texts: Iterable[str]) -> Texts:
    """As much of each as is indexed, without what no database stores."""
    subject, people, files, text = map(storable, texts, LONGEST)
    return subject, people, files, text


def packed(texts: Texts) -> bytes:
    """`bounded` texts as an entry keeps them: with NUL between them, which none of them holds."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress("\0".join(texts).encode())


def unpacked(octets: bytes) -> Texts:
    """The texts again. Raises Damaged for octets that were never packed."""
    try:
        subject, people, files, text = (
            zstandard.ZstdDecompressor().decompress(octets).decode().split("\0")
        )
    except (zstandard.ZstdError, ValueError) as error:
        raise Damaged from error
    return subject, people, files, text


class Damaged(Exception):
    """An entry that does not hold texts: something else wrote into the database."""


def vector(texts: Texts) -> str:
    """The texts as PostgreSQL's tsvector is written: each word with its places, unquoted.

    At most 600 kB of the megabyte that a tsvector may have, whatever the texts are.
    """
    written: list[str] = []
    first = 1
    for text in texts:
        words = words_of(text)
        written += [f"{word}:{min(first + n, _LAST_POSITION)}" for n, word in enumerate(words)]
        first += len(words) + _APART
    return " ".join(written)


def teach(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """SQLite's trigger unpacks what goes (see the migration); receives `connection_created`."""
    if isinstance(connection, Sqlite):
        create = connection.connection.create_function
        create("buzon_unpacked", 2, _unpacked_one, deterministic=True)


def _unpacked_one(octets: bytes, place: int) -> str:
    try:
        return unpacked(octets)[place]
    except Damaged:
        return ""  # as it was indexed
