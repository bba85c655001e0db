"""PostgreSQL walks where that is short, and sorts what GIN finds where that is little.

    how many letters hold the words?     GIN, at most FEW_HITS
    ├─ few       these, sorted by time
    └─ many      the newest WALKED entries, whichever of them hold the words
                 └─ too few among them: all that GIN finds, sorted

Left to itself the planner walks through everything for a word that is in no list of its
statistics, and each row whose words it looks at costs ten microseconds.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from buzon.desk.search.question import Term, to_tsquery

FEW_HITS = 4_000
WALKED = 5_000

_HITS = (
    "SELECT e.id FROM desk_searchentry e"
    " WHERE e.words @@ %s::tsquery AND e.organization_id = %s{where} LIMIT %s"
)
_OF_THESE = (
    "SELECT e.message_id FROM desk_searchentry e WHERE e.id = ANY(%s)"
    " AND e.words @@ %s::tsquery AND e.organization_id = %s{where}{which}"
    " ORDER BY e.id DESC LIMIT %s OFFSET %s"
)
_WALK = (
    "SELECT e.message_id FROM ("
    "SELECT e.id, e.message_id, e.words FROM desk_searchentry e WHERE e.organization_id = %s{where}"
    " ORDER BY e.id DESC LIMIT %s) e"
    " WHERE e.words @@ %s::tsquery{which} ORDER BY e.id DESC LIMIT %s OFFSET %s"
)
_ALL = (
    "WITH hits AS MATERIALIZED (SELECT e.id, e.message_id FROM desk_searchentry e"
    " WHERE e.words @@ %s::tsquery AND e.organization_id = %s{where})"
    " SELECT e.message_id FROM hits e WHERE true{which} ORDER BY e.id DESC LIMIT %s OFFSET %s"
)

Condition = tuple[str, Sequence[Any]]  # as SQL, "" or beginning with AND; and its values


def rows(
    terms: Sequence[Term],
    organization_id: int,
    *,
    where: Condition,
    which: Condition,
    entries: Sequence[int] | None,
    first: int,
    number: int,
) -> list[tuple[int]]:
    """The letters' keys. `where` is about an entry alone, `which` about its letter; `entries`: the
    only ones that come into question, or None.
    """
    words = to_tsquery(terms)
    page = (number, first)
    if entries is None:
        # Without the order of phrases, which only each row's own words tell.
        loose = to_tsquery(terms, in_order=False)
        found = _asked(_HITS, where, which, [loose, organization_id, *where[1], FEW_HITS + 1])
        entries = [key for (key,) in found] if len(found) <= FEW_HITS else None
    if entries is not None:
        values = [list(entries), words, organization_id, *where[1], *which[1], *page]
        return _asked(_OF_THESE, where, which, values)
    values = [organization_id, *where[1], WALKED, words, *which[1], *page]
    newest = _asked(_WALK, where, which, values)
    if len(newest) == number:
        return newest
    values = [words, organization_id, *where[1], *which[1], *page]
    return _asked(_ALL, where, which, values)


def _asked(
    statement: str, where: Condition, which: Condition, values: list[Any]
) -> list[tuple[int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(where=where[0], which=which[0]), values)
        return list(cursor.fetchall())
