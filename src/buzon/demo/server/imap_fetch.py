"""FETCH: what is asked is read once into a list of functions, then run over the messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buzon.demo.server import imap_structure
from buzon.demo.server.imap_grammar import Arguments, Bad, internal_date
from buzon.demo.server.imap_sections import Section, read_section
from buzon.demo.server.imap_view import View
from buzon.demo.server.store import Deed, StoredMessage

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection

MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
GMAIL_ITEMS = ("X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing asked of each message; `deed` is what the ledger calls it, "" for nothing."""

    name: str
    render: Callable[[StoredMessage], bytes]
    deed: str = ""
    marks_seen: bool = False


def fetch(connection: "ImapConnection", arguments: Arguments) -> str:
    """FETCH and UID FETCH (RFC 9051, 6.4.5; CHANGEDSINCE: RFC 7162, 3.1.4)."""
    view = connection.selected
    arguments.space()
    ranges = arguments.set()
    arguments.space()
    items = _read_items(connection, arguments)
    changed_since = _changed_since(connection, arguments)
    arguments.end()
    numbers = view.numbers(ranges, by_uid=connection.by_uid)
    found = view.messages(numbers)
    is_whole = len(found) == len(numbers)
    if changed_since is not None:
        found = [(number, m) for number, m in found if m.modseq > changed_since]
    _with_implied(connection, items, has_changed_since=changed_since is not None)
    _answer(connection, found, items)
    if not is_whole:
        return "[EXPUNGEISSUED] Some of the messages were removed by another session."
    return "Fetched."


def _read_items(connection: "ImapConnection", arguments: Arguments) -> list[Item]:
    if arguments.sees(b"("):
        return arguments.listed(lambda: _read_item(connection, arguments))
    for macro, names in MACROS.items():
        if arguments.word_is(macro):
            return [_plain_item(connection, name) for name in names]
    return [_read_item(connection, arguments)]


def _read_item(connection: "ImapConnection", arguments: Arguments) -> Item:
    name = arguments.item_name()
    if name in ("BODY", "BODY.PEEK") and arguments.sees(b"["):
        section = read_section(arguments)
        return _section_item(section, is_peek=name == "BODY.PEEK")
    return _plain_item(connection, name)


def _section_item(section: Section, *, is_peek: bool) -> Item:
    label = section.label.encode()

    def render(message: StoredMessage) -> bytes:
        octets = section.of(message.octets)
        if octets is None:
            return label + b" NIL"
        return b"%b {%d}\r\n%b" % (label, len(octets), octets)

    return Item(section.label, render, section.deed, marks_seen=not is_peek)


def _plain_item(connection: "ImapConnection", name: str) -> Item:
    view, options = connection.selected, connection.options
    if item := _OLD_ITEMS.get(name):
        return item
    if name == "FLAGS":
        return Item(name, lambda message: _flags(view, message))
    if name == "MODSEQ" and options.condstore:
        connection.condstore = True
        return _MODSEQ
    if item := _ATTRIBUTES.get(name):
        return item
    if name in GMAIL_ITEMS and options.gmail:
        return _gmail_item(view, name)
    raise Bad(f"Unknown item {name}.")


def _flags(view: View, message: StoredMessage) -> bytes:
    return b"FLAGS (%b)" % " ".join(sorted(view.flags_of(message))).encode()


def _gmail_item(view: View, name: str) -> Item:
    if name == "X-GM-LABELS":
        return Item(name, lambda message: b"X-GM-LABELS ()")
    base = view.folder.uidvalidity << 32
    return Item(name, lambda message: b"%b %d" % (name.encode(), base + message.uid))


def _changed_since(connection: "ImapConnection", arguments: Arguments) -> int | None:
    if not connection.options.condstore or not arguments.has(b" (CHANGEDSINCE "):
        return None
    connection.condstore = True
    modseq = arguments.number()
    arguments.need(b")")
    return modseq


def _with_implied(
    connection: "ImapConnection", items: list[Item], *, has_changed_since: bool
) -> None:
    names = {item.name for item in items}
    if connection.by_uid and "UID" not in names:
        items.insert(0, _ATTRIBUTES["UID"])
    if has_changed_since and "MODSEQ" not in names:
        items.append(_MODSEQ)


def _answer(
    connection: "ImapConnection", found: list[tuple[int, StoredMessage]], items: list[Item]
) -> None:
    view, owner = connection.selected, connection.owner.name
    deeds = {item.deed for item in items if item.deed} or {"fetched"}
    marks_seen = any(item.marks_seen for item in items) and not view.read_only
    tells_flags = any(item.name == "FLAGS" for item in items)
    for number, message in found:
        shown, extra = items, b""
        if marks_seen and "\\Seen" not in message.flags:
            message = _mark_seen(connection, message)
            extra = b"" if tells_flags else b" " + _flags(view, message)
        connection.server.store.record(
            [Deed(what, owner, view.folder.name, message.uid) for what in deeds]
        )
        answer = b" ".join([item.render(message) for item in shown])
        connection.write(b"* %d FETCH (%b%b)\r\n" % (number, answer, extra))


def _mark_seen(connection: "ImapConnection", message: StoredMessage) -> StoredMessage:
    view = connection.selected
    with view.folder.store.lock:
        now = view.folder.get(message.uid)
        if now is None:
            return message
        seen = view.folder.set_flags(message.uid, now.flags | {"\\Seen"})
        view.knows(seen)
    connection.record("marked-seen", view.folder, message.uid)
    return seen


def _literal_item(name: str, spelling: str, *, deed: str, marks_seen: bool) -> Item:
    section = Section.named(spelling)

    def render(message: StoredMessage) -> bytes:
        octets = section.of(message.octets) or b""
        return b"%b {%d}\r\n%b" % (name.encode(), len(octets), octets)

    return Item(name, render, deed, marks_seen)


_MODSEQ = Item("MODSEQ", lambda message: b"MODSEQ (%d)" % message.modseq)
_ATTRIBUTES = {
    "UID": Item("UID", lambda message: b"UID %d" % message.uid),
    "RFC822.SIZE": Item("RFC822.SIZE", lambda m: b"RFC822.SIZE %d" % len(m.octets)),
    "INTERNALDATE": Item(
        "INTERNALDATE", lambda m: b"INTERNALDATE " + internal_date(m.internal_date)
    ),
    "ENVELOPE": Item(
        "ENVELOPE", lambda m: b"ENVELOPE " + imap_structure.envelope(m.octets), "fetched-header"
    ),
    "BODYSTRUCTURE": Item(
        "BODYSTRUCTURE",
        lambda m: b"BODYSTRUCTURE " + imap_structure.structure(m.octets, extended=True),
    ),
    "BODY": Item("BODY", lambda m: b"BODY " + imap_structure.structure(m.octets, extended=False)),
}
# Of RFC 3501; gone from RFC 9051.
_OLD_ITEMS = {
    "RFC822": _literal_item("RFC822", "", deed="fetched-body", marks_seen=True),
    "RFC822.HEADER": _literal_item(
        "RFC822.HEADER", "HEADER", deed="fetched-header", marks_seen=False
    ),
    "RFC822.TEXT": _literal_item("RFC822.TEXT", "TEXT", deed="fetched-part", marks_seen=True),
}
