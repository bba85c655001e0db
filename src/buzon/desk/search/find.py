"""Which letters hold these words: one function, FTS5 or PostgreSQL behind it.

The newest come first without being sorted: entries stand in the order of their letters' time, and
both engines are walked through backwards, as far as the page that is asked for. Where few letters
come into question at all (a customer's), these are looked up instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from buzon.desk.models import Customer, Message, Organization, SearchEntry
from buzon.desk.search import on_postgresql
from buzon.desk.search.on_postgresql import Condition
from buzon.desk.search.question import Term, terms_of, to_fts5
from buzon.desk.search.words import place_in_time

FEW = 1_000  # letters that are looked up one by one

# CROSS JOIN is SQLite's word for "in this order" (sqlite.org/optoverview.html, 9.2).
_FTS5 = (
    "SELECT e.message_id FROM desk_words CROSS JOIN desk_searchentry e ON e.id = desk_words.rowid"
    " WHERE desk_words MATCH %s AND e.organization_id = %s{more}"
    " ORDER BY desk_words.rowid DESC LIMIT %s OFFSET %s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for, and among which letters of one organization.

    `customers`: only letters of these; None for everybody's and nobody's. `since` and `until` are
    the first and the last day, in the organization's time zone.
    """

    organization: Organization
    text: str
    customers: "QuerySet[Customer] | None" = None
    since: date | None = None
    until: date | None = None


def found(
    asked: Asked, letters: "QuerySet[Message]", *, first: int = 0, number: int = 50
) -> list[int]:
    """The keys of so many letters that hold the words, the newest first, after `first` others.

    `letters`: those that the person may see, filtered as that person likes; whatever it holds,
    nothing of another organization is found. Without any word in the text nothing is.
    """
    terms = terms_of(asked.text)
    if not terms:
        return []
    try:
        entries, which = _few_entries(asked), _this_one_of(_letters(asked, letters))
    except EmptyResultSet:  # the ORM knows that no letter can fit
        return []
    if connection.vendor == "sqlite":
        rows = _by_fts5(terms, asked, which, entries, first, number)
    else:
        rows = on_postgresql.rows(
            terms,
            asked.organization.pk,
            where=_when("e.id", asked),
            which=which,
            entries=entries,
            first=first,
            number=number,
        )
    return [key for (key,) in rows]


def _by_fts5(
    terms: Sequence[Term],
    asked: Asked,
    which: Condition,
    entries: Sequence[int] | None,
    first: int,
    number: int,
) -> list[tuple[int]]:
    when, values = _when("desk_words.rowid", asked)
    if entries is not None:
        when += f" AND desk_words.rowid IN ({', '.join(['%s'] * len(entries))})"
        values = [*values, *entries]
    values = [to_fts5(terms), asked.organization.pk, *values, *which[1], number, first]
    with connection.cursor() as cursor:
        cursor.execute(_FTS5.format(more=when + which[0]), values)
        return list(cursor.fetchall())


def _letters(asked: Asked, letters: "QuerySet[Message]") -> "QuerySet[Message]":
    return letters if asked.customers is None else letters.filter(customer__in=asked.customers)


def _when(place: str, asked: Asked) -> Condition:
    """The days, as a range of places."""
    parts, values = "", []
    if asked.since is not None:
        parts += f" AND {place} >= %s"
        values.append(_begins(asked.since, asked.organization))
    if asked.until is not None and asked.until < date.max:
        parts += f" AND {place} < %s"
        values.append(_begins(asked.until + timedelta(days=1), asked.organization))
    return parts, values


def _begins(day: date, organization: Organization) -> int:
    """The place of the day's first second."""
    zone = ZoneInfo(organization.time_zone)
    return place_in_time(datetime.combine(day, time.min, zone))


def _few_entries(asked: Asked) -> list[int] | None:
    """The entries of the customers' letters, where they are few; None where that is not asked for,
    or they are many: then one of them soon turns up among the newest that hold the words.
    """
    if asked.customers is None:
        return None
    letters = Message.objects.filter(customer__in=asked.customers)
    keys = list(letters.values_list("pk", flat=True)[: FEW + 1])
    if len(keys) > FEW:
        return None
    entries = list(SearchEntry.objects.filter(message__in=keys).values_list("pk", flat=True))
    if not entries:
        raise EmptyResultSet
    return entries


def _this_one_of(letters: "QuerySet[Message]") -> Condition:
    """Whether the entry's letter is one of these. Raises EmptyResultSet."""
    this = letters.order_by().filter(pk=RawSQL("e.message_id", ())).values("pk")
    statement, values = this.query.sql_with_params()
    return f" AND EXISTS ({statement})", values
