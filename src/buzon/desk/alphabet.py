"""Names in the order of the alphabet, and words found however they are written: Íñigo stands before
Tom, Ñ after N, and "munoz" finds Muñoz.

The same on both databases, whatever collation PostgreSQL was set up with: what is compared is the
decomposed text (NFD) in lower case without its marks. SQLite, which knows the case of ASCII letters
alone and no order but that of code points, gets our own functions for it (`teach`).
"""

import re
import unicodedata
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.db.models import CharField, Func, Model, QuerySet, TextField, Transform

_Row = TypeVar("_Row", bound=Model)
_MARKS = re.compile("[\u0300-\u036f]")
_ENYE = "n\u0303"  # ñ, decomposed: a letter of its own in Spanish, after every other n
_AFTER_N = "n~"
_BEYOND_ASCII = "*[^\x01-\x7f]*"
_LOWER = "lower(normalize(%(expressions)s, NFD))"


def folded(text: str) -> str:
    """The form in which words are looked for."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFD", text).lower())


def place(name: str) -> str:
    """Where a name stands in the alphabet: the key to sort names by."""
    if name.isascii():
        return name.lower()
    return _MARKS.sub("", unicodedata.normalize("NFD", name).lower().replace(_ENYE, _AFTER_N))


def by_name(rows: "QuerySet[_Row]", field: str = "name") -> "QuerySet[_Row]":
    """The rows in the order of their names."""
    return rows.order_by(Place(field), field, "pk")


class Place(Func):
    """`place`, computed by the database."""

    function = "buzon_place"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        enye = f"replace({_LOWER}, U&'n\\0303', '{_AFTER_N}')"
        template = f"regexp_replace({enye}, '[\\u0300-\\u036f]', '', 'g') COLLATE \"C\""
        return self.as_sql(compiler, connection, template=template, **extra)


class Folded(Transform):
    """`folded`, computed by the database for both sides: `subject__folded__contains=words`."""

    lookup_name = "folded"
    function = "buzon_folded"
    bilateral = True
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        text, parameters = compiler.compile(self.source_expressions[0])
        if parameters:  # what is looked for: one value, folded once
            return self.as_sql(compiler, connection, **extra)
        # Calling Python for each row costs ten times more than SQLite's own lower().
        return f"iif({text} GLOB '{_BEYOND_ASCII}', {self.function}({text}), lower({text}))", []

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"regexp_replace({_LOWER}, '[\\u0300-\\u036f]', '', 'g')"
        return self.as_sql(compiler, connection, template=template, **extra)


def register() -> None:
    """Once, when Django starts."""
    for kind in (CharField, TextField):
        kind.register_lookup(Folded)


def teach(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """A new connection to SQLite learns our functions; receives `connection_created`."""
    if isinstance(connection, Sqlite):
        for name, function in ((Folded.function, folded), (Place.function, place)):
            connection.connection.create_function(name, 1, _or_null(function), deterministic=True)


def _or_null(function: Any) -> Any:
    return lambda text: None if text is None else function(text)
