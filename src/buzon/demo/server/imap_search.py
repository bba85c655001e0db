"""SEARCH: the keys are read once into predicates (RFC 9051, 6.4.4; RFC 4731; RFC 7162, 3.1.5)."""

from collections.abc import Callable
from datetime import date
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import No
from buzon.demo.server.imap_grammar import Arguments, Bad, compact_set
from buzon.demo.server.imap_view import View
from buzon.demo.server.mime import whole
from buzon.demo.server.store import StoredMessage

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection

Test = Callable[[StoredMessage], bool]
RESULTS = ("MIN", "MAX", "ALL", "COUNT")
FLAG_KEYS = ("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN")


def search(connection: "ImapConnection", arguments: Arguments) -> str:
    """SEARCH and UID SEARCH."""
    arguments.space()
    results = _read_results(connection, arguments)
    if arguments.has(b"CHARSET "):
        charset = arguments.text().upper()
        if charset not in ("UTF-8", "US-ASCII"):
            raise No("UTF-8 and US-ASCII are known.", "[BADCHARSET (UTF-8 US-ASCII)]")
        arguments.space()
    reader = _KeyReader(connection)
    tests = arguments.spaced(lambda: reader.key(arguments))
    arguments.end()
    view = connection.selected
    messages = view.messages(range(1, len(view.uids) + 1))
    found = [(n, m) for n, m in messages if all(test(m) for test in tests)]
    numbers = [m.uid if connection.by_uid else n for n, m in found]
    highest = max((m.modseq for _, m in found), default=0) if reader.asks_modseq else 0
    if results is None:
        _answer(connection, numbers, highest)
    else:
        _answer_extended(connection, numbers, results or {"ALL"}, highest)
    return "Search completed."


def _read_results(connection: "ImapConnection", arguments: Arguments) -> set[str] | None:
    if not connection.options.esearch or not arguments.has(b"RETURN "):
        return None
    results = set(arguments.listed(arguments.keyword))
    if unknown := results - set(RESULTS):
        raise Bad(f"Unknown result {unknown.pop()}.")
    arguments.space()
    return results


def _answer(connection: "ImapConnection", numbers: list[int], highest: int) -> None:
    told = "".join(f" {number}" for number in numbers)
    if highest:
        told += f" (MODSEQ {highest})"
    connection.write(f"* SEARCH{told}\r\n".encode())


def _answer_extended(
    connection: "ImapConnection", numbers: list[int], results: set[str], highest: int
) -> None:
    told = f'* ESEARCH (TAG "{connection.tag}")'
    if connection.by_uid:
        told += " UID"
    if numbers:
        values = {"MIN": numbers[0], "MAX": numbers[-1], "ALL": compact_set(numbers)}
        told += "".join(f" {name} {values[name]}" for name in RESULTS[:3] if name in results)
    if "COUNT" in results:
        told += f" COUNT {len(numbers)}"
    if highest:
        told += f" MODSEQ {highest}"
    connection.write(told.encode() + b"\r\n")


class _KeyReader:
    """Reads search keys; remembers whether modification sequences were asked for."""

    def __init__(self, connection: "ImapConnection") -> None:
        self.connection = connection
        self.view: View = connection.selected
        self.asks_modseq = False

    def key(self, arguments: Arguments) -> Test:
        """One key, with what belongs to it."""
        if arguments.sees(b"("):
            tests = arguments.listed(lambda: self.key(arguments))
            return lambda m: all(test(m) for test in tests)
        if arguments.sees_set():
            return self._in_set(arguments, by_uid=False)
        name = arguments.keyword()
        if simple := self._simple(name):
            return simple
        arguments.space()
        return self._with_argument(name, arguments)

    def _simple(self, name: str) -> Test | None:
        recent = self.view.recent
        tests: dict[str, Test] = {
            "ALL": lambda m: True,
            "RECENT": lambda m: m.uid in recent,
            "OLD": lambda m: m.uid not in recent,
            "NEW": lambda m: m.uid in recent and "\\Seen" not in m.flags,
        }
        if name in FLAG_KEYS:
            return _flag_is(f"\\{name.title()}", present=True)
        if name.startswith("UN") and name[2:] in FLAG_KEYS:
            return _flag_is(f"\\{name[2:].title()}", present=False)
        return tests.get(name)

    def _with_argument(self, name: str, arguments: Arguments) -> Test:
        if name == "UID":
            return self._in_set(arguments, by_uid=True)
        if name == "NOT":
            negated = self.key(arguments)
            return lambda m: not negated(m)
        if name == "OR":
            one = self.key(arguments)
            arguments.space()
            other = self.key(arguments)
            return lambda m: one(m) or other(m)
        if name in ("KEYWORD", "UNKEYWORD"):
            return _flag_is(arguments.flag(), present=name == "KEYWORD")
        if name == "MODSEQ" and self.connection.options.condstore:
            return self._modseq(arguments)
        return _about_size_or_date(name, arguments) or _about_text(name, arguments)

    def _in_set(self, arguments: Arguments, *, by_uid: bool) -> Test:
        numbers = self.view.numbers(arguments.set(), by_uid=by_uid, is_search=True)
        uids = {self.view.uids[number - 1] for number in numbers}
        return lambda m: m.uid in uids

    def _modseq(self, arguments: Arguments) -> Test:
        self.asks_modseq = self.connection.condstore = True
        if arguments.sees(b'"'):
            arguments.string()  # an entry and its type: all our entries share one number
            arguments.space()
            arguments.keyword()
            arguments.space()
        modseq = arguments.number()
        return lambda m: m.modseq >= modseq


def _flag_is(flag: str, *, present: bool) -> Test:
    return lambda m: (flag in m.flags) == present


def _about_size_or_date(name: str, arguments: Arguments) -> Test | None:
    if name in ("LARGER", "SMALLER"):
        size = arguments.number()
        if name == "LARGER":
            return lambda m: len(m.octets) > size
        return lambda m: len(m.octets) < size
    relation = name.removeprefix("SENT")
    if relation not in _RELATIONS:
        return None
    holds, day = _RELATIONS[relation], arguments.date()
    if name == relation:
        # The internal date's day in its own zone (RFC 9051: "disregarding time and timezone").
        return lambda m: holds(m.internal_date.date(), day)
    return lambda m: (sent := _sent_on(m)) is not None and holds(sent, day)


_RELATIONS: dict[str, Callable[[date, date], bool]] = {
    "BEFORE": lambda one, other: one < other,
    "ON": lambda one, other: one == other,
    "SINCE": lambda one, other: one >= other,
}


def _sent_on(message: StoredMessage) -> date | None:
    try:
        return parsedate_to_datetime(whole(message.octets).fields.get("date", "")).date()
    except (ValueError, TypeError):
        return None


def _about_text(name: str, arguments: Arguments) -> Test:
    """Octets as delivered, without regard to case of ASCII letters; nothing is decoded."""
    if name in ("FROM", "TO", "CC", "BCC", "SUBJECT"):
        return _field_holds(name.lower(), arguments.text())
    if name == "HEADER":
        field = arguments.text().lower()
        arguments.space()
        return _field_holds(field, arguments.text())
    sought = arguments.astring().lower()
    if name == "TEXT":
        return lambda m: sought in m.octets.lower()
    if name == "BODY":
        return lambda m: sought in whole(m.octets).body_octets.lower()
    raise Bad(f"Unknown search key {name}.")


def _field_holds(field: str, sought: str) -> Test:
    return lambda m: sought.lower() in whole(m.octets).fields.get(field, "\0").lower()
