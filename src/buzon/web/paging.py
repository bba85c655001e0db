"""Long lists, a page at a time, without counting what nobody looks at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.http import HttpRequest

T = TypeVar("T")
SIZE = 50
LAST = 10_000  # further back one searches instead


class Rows(Protocol):
    """A queryset, or whatever else gives a part of its rows."""

    def __getitem__(self, asked: slice, /) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`rows` of the page `number`, from 1; `has_more`: there is another one after it."""

    rows: list[T]
    number: int
    has_more: bool

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.has_more else None


def page_of(request: HttpRequest, rows: Rows, *, size: int = SIZE, last: int = LAST) -> "Page[Any]":
    """The page that `?page=` asks for; the first where it makes no sense, none after the last."""
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
    number = min(max(number, 1), last)
    first = (number - 1) * size
    found = list(rows[first : first + size + 1])
    return Page(found[:size], number, has_more=len(found) > size)
