"""What the command shows: JSON for programs, tables for people. Nothing here knows Django.

Whatever came from a mail may hold control characters that would move a terminal's cursor or colour
it: for people they are shown as spaces. JSON escapes them by itself.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED = 100_000  # columns: a file or a pipe has no width


def document(value: Any) -> None:
    """Exactly one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def line(value: Mapping[str, Any]) -> None:
    """One line of JSONL."""
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """A table, or the sentence `empty`. Numbers stand at the right; None and "" show as "-"."""
    held = [list(row) for row in rows]
    if not held:
        print(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for position, heading in enumerate(headings):
        numbers = all(isinstance(row[position], int | float) for row in held)
        right = numbers and not isinstance(held[0][position], bool)
        shown.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in held:
        shown.add_row(*(Text(cell(value)) for value in row))
    _printed(shown)


def facts(pairs: Iterable[tuple[str, Any]]) -> None:
    """One thing's fields, one on each line."""
    shown = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in pairs:
        shown.add_row(Text(name), Text(cell(value)))
    _printed(shown)


def cell(value: Any) -> str:
    """A value as a person reads it."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(cell(one) for one in value)
    return printable(str(value))


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def stamp(at: datetime | None) -> str | None:
    """A time in JSON: ISO 8601, UTC, to the second."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def counted(number: int, thing: str) -> str:
    """ "1 message", "1,200 messages"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size(octets: float) -> str:
    """Octets in the unit that a person would use."""
    for unit in ("B", "kB", "MB", "GB"):
        if octets < 1000:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1000
    return f"{octets:.1f} TB"


def span(time: timedelta) -> str:
    """How long, in the unit that a person would use."""
    seconds = max(round(time.total_seconds()), 1)
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def note(text: str) -> None:
    """A sentence beside the output, for a person, on stderr."""
    print(printable(text), file=sys.stderr)


def _printed(shown: Table) -> None:
    width = None if sys.stdout.isatty() else _UNLIMITED
    console = Console(file=sys.stdout, width=width, highlight=False, emoji=False, markup=False)
    with console.capture() as captured:
        console.print(shown)
    # rich fills every cell to its column's width; the last column needs no trailing spaces.
    for row in captured.get().splitlines():
        print(row.rstrip())
