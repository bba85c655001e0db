"""Commands about messages that change them: STORE, EXPUNGE, COPY, MOVE, APPEND (RFC 9051, 6.4).

FETCH and SEARCH are in modules of their own.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import Handler, No, State
from buzon.demo.server.imap_fetch import fetch
from buzon.demo.server.imap_grammar import Arguments, Bad, compact_set
from buzon.demo.server.imap_search import search
from buzon.demo.server.imap_view import View
from buzon.demo.server.store import MailFolder, StoredMessage

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection

NO_LONGER_THERE = "[EXPUNGEISSUED] Some of the messages were removed by another session."


def _store(connection: "ImapConnection", arguments: Arguments) -> str:
    view = _writable(connection)
    arguments.space()
    numbers = view.numbers(arguments.set(), by_uid=connection.by_uid)
    arguments.space()
    unchanged_since = _unchanged_since(connection, arguments)
    action = arguments.keyword()
    verb, _, silent = action.partition(".")
    if verb not in ("FLAGS", "+FLAGS", "-FLAGS") or silent not in ("", "SILENT"):
        raise Bad("STORE takes FLAGS, +FLAGS or -FLAGS.")
    arguments.space()
    flags = frozenset(arguments.flags())
    arguments.end()
    found, modified = view.messages(numbers), []
    for _, message in found:
        if unchanged_since is not None and message.modseq > unchanged_since:
            modified.append(message)
        else:
            _store_one(connection, message, verb, flags, is_silent=bool(silent))
    if modified:
        return f"[MODIFIED {_told(connection, modified)}] Some were changed meanwhile."
    return "Stored." if len(found) == len(numbers) else NO_LONGER_THERE


def _unchanged_since(connection: "ImapConnection", arguments: Arguments) -> int | None:
    if not connection.options.condstore or not arguments.has(b"(UNCHANGEDSINCE "):
        return None
    connection.condstore = True
    modseq = arguments.number()
    arguments.need(b") ")
    return modseq


def _told(connection: "ImapConnection", messages: list[StoredMessage]) -> str:
    uids = [message.uid for message in messages]
    if connection.by_uid:
        return compact_set(uids)
    return compact_set([connection.selected.number_of(uid) for uid in uids])


def _store_one(
    connection: "ImapConnection",
    message: StoredMessage,
    verb: str,
    flags: frozenset[str],
    *,
    is_silent: bool,
) -> None:
    view = connection.selected
    with view.folder.store.lock:
        now = view.folder.get(message.uid)
        if now is None:
            return
        after = {"FLAGS": flags, "+FLAGS": now.flags | flags, "-FLAGS": now.flags - flags}[verb]
        stored = view.folder.set_flags(message.uid, after)
        view.knows(stored)
    connection.record("stored", view.folder, message.uid)
    if not is_silent or connection.condstore:
        connection.write(
            view.flags_answer(stored, uid=connection.by_uid, modseq=connection.condstore)
        )


def _expunge(connection: "ImapConnection", arguments: Arguments) -> str:
    view = _writable(connection)
    uids = None
    if connection.by_uid:
        arguments.space()
        uids = {view.uids[n - 1] for n in view.numbers(arguments.set(), by_uid=True)}
    arguments.end()
    marked = [m for m in view.folder.messages if "\\Deleted" in m.flags]
    expunge(connection, [m for m in marked if uids is None or m.uid in uids])
    return "Expunged."


def expunge(connection: "ImapConnection", messages: list[StoredMessage]) -> None:
    """Remove messages from the selected folder; at Gmail's they stay in the folder of all mail."""
    folder = connection.selected.folder
    archive = connection.owner.with_special_use("\\All") if connection.options.gmail else None
    with folder.store.lock:
        gone = set(folder.expunge(*(message.uid for message in messages)))
        if archive and folder.special_use not in ("\\All", "\\Trash", "\\Junk"):
            archive.copy_in(message for message in messages if message.uid in gone)
    if gone:
        connection.record("expunged", folder, *sorted(gone))


def _copy(connection: "ImapConnection", arguments: Arguments) -> str:
    numbers, target = _numbers_and_target(connection, arguments)
    view = connection.selected
    found = view.messages(numbers)
    if len(found) < len(numbers) and not connection.by_uid:
        # All or nothing (RFC 9051, 6.4.7).
        raise No(NO_LONGER_THERE)
    copied = [message for _, message in found]
    code = _copy_in(connection, target, copied)
    if copied:
        connection.record("copied", view.folder, *(message.uid for message in copied))
    return f"{code} Copied.".strip()


def _move(connection: "ImapConnection", arguments: Arguments) -> str:
    """Copy and remove in one (RFC 6851); the COPYUID comes before the EXPUNGEs."""
    view = _writable(connection)
    numbers, target = _numbers_and_target(connection, arguments)
    with view.folder.store.lock:
        moved = [message for _, message in view.messages(numbers)]
        code = _copy_in(connection, target, moved)
        view.folder.expunge(*(message.uid for message in moved))
    if code:
        connection.write(f"* OK {code} Moved.\r\n".encode())
    if moved:
        connection.record("moved", view.folder, *(message.uid for message in moved))
    return "Moved."


def _numbers_and_target(
    connection: "ImapConnection", arguments: Arguments
) -> tuple[list[int], MailFolder]:
    arguments.space()
    numbers = connection.selected.numbers(arguments.set(), by_uid=connection.by_uid)
    arguments.space()
    name = arguments.astring()
    arguments.end()
    return numbers, connection.folder(name, code="[TRYCREATE]")


def _copy_in(
    connection: "ImapConnection", target: MailFolder, messages: list[StoredMessage]
) -> str:
    """Copy; the COPYUID code, or "" where UIDPLUS is not offered or nothing was copied."""
    with target.store.lock:
        uids = target.copy_in(messages)
    if not uids or not connection.options.uidplus:
        return ""
    old = compact_set([message.uid for message in messages])
    return f"[COPYUID {target.uidvalidity} {old} {compact_set(uids)}]"


def _append(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    name = arguments.astring()
    arguments.space()
    flags = arguments.flags() if arguments.sees(b"(") else []
    arguments.has(b" ")
    internal_date: datetime | None = None
    if arguments.sees(b'"'):
        internal_date = arguments.date_time()
        arguments.space()
    octets = arguments.string()
    arguments.end()
    folder = connection.folder(name, code="[TRYCREATE]")
    uid = folder.deliver(octets, internal_date=internal_date, flags=flags)
    connection.record("appended", folder, uid)
    if not connection.options.uidplus:
        return "Appended."
    return f"[APPENDUID {folder.uidvalidity} {uid}] Appended."


def _writable(connection: "ImapConnection") -> View:
    if connection.selected.read_only:
        raise No("The folder is open for reading only.", "[READ-ONLY]")
    return connection.selected


_SELECTED = State.SELECTED
COMMANDS = {
    "FETCH": Handler(run=fetch, lowest=_SELECTED, expunges=False),
    "UID FETCH": Handler(run=fetch, lowest=_SELECTED),
    "SEARCH": Handler(run=search, lowest=_SELECTED, expunges=False),
    "UID SEARCH": Handler(run=search, lowest=_SELECTED),
    "STORE": Handler(run=_store, lowest=_SELECTED, expunges=False),
    "UID STORE": Handler(run=_store, lowest=_SELECTED),
    "EXPUNGE": Handler(run=_expunge, lowest=_SELECTED),
    "UID EXPUNGE": Handler(run=_expunge, lowest=_SELECTED, option="uidplus"),
    "COPY": Handler(run=_copy, lowest=_SELECTED),
    "UID COPY": Handler(run=_copy, lowest=_SELECTED),
    "MOVE": Handler(run=_move, lowest=_SELECTED, option="move"),
    "UID MOVE": Handler(run=_move, lowest=_SELECTED, option="move"),
    "APPEND": Handler(run=_append, lowest=State.AUTHENTICATED),
}
