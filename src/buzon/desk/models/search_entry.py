"""What of each letter can be searched for.

Message 1 ─── 0..1 SearchEntry ─── the index of words: SQLite's table `desk_words` (FTS5, made by
the migration) or, on PostgreSQL, this table's own column `words`
"""

from typing import Any

from django.db import models
from django.db.models import Q

from buzon.desk.models.conversation import Message
from buzon.desk.models.organization import Organization


class WordsField(models.Field):  # type: ignore[type-arg]  # of no Python type: only SQL reads it
    """PostgreSQL's tsvector; on SQLite, where FTS5 holds the words, a column that stays empty."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"


class SearchEntry(models.Model):
    """The searchable texts of one letter, from which its index can be made anew at any time.

    `id` is `buzon.desk.search.words.place_in_time`: entries stand in the order of their letters'
    time, so that an engine which walks through them backwards finds the newest first. `packed` is
    `buzon.desk.search.words.packed`. `waits`: the words are not in the index yet.
    """

    id = models.BigIntegerField(primary_key=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="search_entry")
    packed = models.BinaryField()
    waits = models.BooleanField(db_default=True)
    words = WordsField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="search_newest"),
            models.Index(fields=["id"], condition=Q(waits=True), name="search_waiting"),
        ]
