"""Letters that can be searched for, and what is in the index of words itself."""

from typing import Any

from django.db import connection

from buzon.desk.filing import file_letter
from buzon.desk.models import Customer, Message, Organization, SearchEntry
from buzon.desk.search import Indexable, index, index_waiting
from tests.desk import cast


def letter(
    shop: Organization, text: str = "", *, customer: Customer | None = None, **words: Any
) -> Message:
    """A letter that was filed, with these words to be found by: `subject`, `people`, `files`.

    What belongs to the letter itself, such as its `kind`, is said as `cast.letter` takes it.
    """
    own = {name: words.pop(name) for name in ("people", "files") if name in words}
    written = cast.letter(shop, words.pop("store", None), **words)
    message = file_letter(written, customer=customer, link={}).message
    found_by = {"subject": written.subject, "text": text} | own
    index([indexable(message, happened_at=written.happened_at(), **found_by)])
    index_all()
    return message


def indexable(message: Message, **fields: Any) -> Indexable:
    values: dict[str, Any] = {
        "message_id": message.pk,
        "organization_id": message.organization_id,
        "happened_at": message.internal_date or cast.NOON,
        "subject": "",
        "text": "",
    }
    return Indexable(**(values | fields))


def index_all() -> None:
    while index_waiting():
        pass


def hits(word: str) -> list[int]:
    """The messages that the index of words has under this word, whoever's they are."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT rowid FROM desk_words WHERE desk_words MATCH %s", [f'"{word}"'])
        else:
            cursor.execute(
                "SELECT id FROM desk_searchentry WHERE words @@ %s::tsquery", [word.lower()]
            )
        places = [row[0] for row in cursor.fetchall()]
    messages = dict(SearchEntry.objects.values_list("id", "message_id"))
    return sorted(messages.get(place, place) for place in places)  # no message's: as it is
