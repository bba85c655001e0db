"""The index of words is written here: with the letters (SQLite), or soon after (PostgreSQL).

To index a letter costs PostgreSQL more than everything else about it, so there the entries wait
(`waits`) for `index_waiting`, which the dispatcher calls. On SQLite they wait only after a restore.
What is in the index of an entry is always exactly what its row packs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection, transaction

from buzon.desk.models import SearchEntry
from buzon.desk.search.words import (
    NOTHING,
    Damaged,
    Texts,
    bounded,
    packed,
    place_in_time,
    unpacked,
    vector,
)

log = structlog.get_logger("buzon.search")
AT_ONCE = 200

_ENTER = (
    "INSERT INTO desk_searchentry (id, organization_id, message_id, packed, waits)"
    " VALUES (%s, %s, %s, %s, %s)"
)
_TO_FTS5 = (
    "INSERT INTO desk_words (rowid, subject, people, files, text) VALUES (%s, %s, %s, %s, %s)"
)
_TO_VECTOR = "UPDATE desk_searchentry SET words = %s::tsvector, waits = false WHERE id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexable:
    """What of one letter can be found. `people`: names and addresses, of whoever wrote it and whom
    it is for; `files`: names of its attachments; `happened_at`: as `Letter.happened_at`.

    Texts of any length: of `LONGEST` (in `words`) each, no more than that many characters count.
    """

    message_id: int
    organization_id: int
    happened_at: datetime
    subject: str
    text: str
    people: Sequence[str] = ()
    files: Sequence[str] = ()

    def texts(self) -> Texts:
        """As they are kept and indexed."""
        people, files = "\n".join(self.people), "\n".join(self.files)
        return bounded((self.subject, people, files, self.text))


def index(letters: Sequence[Indexable]) -> None:
    """From now on these letters are found by these words, and by no others that they had before.

    In the transaction that files them; a letter that is there twice counts as it is there last.
    """
    found = {one.message_id: (one, one.texts()) for one in letters}
    if not found:
        return
    at_once = connection.vendor == "sqlite"
    # FTS5 writes out what it holds in memory whenever a key is smaller than the one before.
    entries = sorted(
        (place_in_time(one.happened_at, key), one.organization_id, key, packed(texts), not at_once)
        for key, (one, texts) in found.items()
    )
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(found))
        cursor.execute(f"DELETE FROM desk_searchentry WHERE message_id IN ({places})", [*found])  # noqa: S608 # places
        cursor.executemany(_ENTER, entries)
        if at_once:
            cursor.executemany(_TO_FTS5, [(entry[0], *found[entry[2]][1]) for entry in entries])


def any_waits() -> bool:
    """Whether there is anything for `index_waiting` to do."""
    return SearchEntry.objects.filter(waits=True).exists()


def index_waiting(*, organization_id: int | None = None, most: int = AT_ONCE) -> int:
    """Index so many of the entries that wait, the newest first; returns how many were.

    `organization_id`: only this one's; None for all.

    One transaction. Several workers at a time take different ones; one that is killed leaves its
    entries waiting.
    """
    with transaction.atomic():
        waiting = SearchEntry.objects.filter(waits=True).select_for_update(skip_locked=True)
        if organization_id is not None:
            waiting = waiting.filter(organization=organization_id)
        newest = waiting.order_by("-id").values_list("id", "packed")[:most]
        entries = sorted((key, _texts(key, bytes(octets))) for key, octets in newest)
        if entries:
            _index_now(entries)
    return len(entries)


def _texts(key: int, octets: bytes) -> Texts:
    try:
        return unpacked(octets)
    except Damaged:
        log.error("search entry damaged", entry=key)  # it holds up no other one
        return NOTHING


def _index_now(entries: Sequence[tuple[int, Texts]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(_TO_FTS5, [(key, *texts) for key, texts in entries])
            SearchEntry.objects.filter(id__in=[key for key, _ in entries]).update(waits=False)
        else:
            cursor.executemany(_TO_VECTOR, [(vector(texts), key) for key, texts in entries])
