"""Commands about folders: select, make, remove, ask for their state (RFC 9051, 6.3)."""

from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import Handler, No, State
from buzon.demo.server.imap_commands_mail import expunge
from buzon.demo.server.imap_grammar import SYSTEM_FLAGS, Arguments, Bad
from buzon.demo.server.imap_view import View
from buzon.demo.server.store import MailFolder, canonical

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection

STATUS_ITEMS = ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "HIGHESTMODSEQ")


def _select(connection: "ImapConnection", arguments: Arguments) -> str:
    return _open(connection, arguments, read_only=False)


def _examine(connection: "ImapConnection", arguments: Arguments) -> str:
    return _open(connection, arguments, read_only=True)


def _open(connection: "ImapConnection", arguments: Arguments, *, read_only: bool) -> str:
    arguments.space()
    name = arguments.astring()
    condstore = arguments.has(b" (CONDSTORE)")
    arguments.end()
    # A failed SELECT leaves nothing selected either (RFC 9051, 6.3.2).
    if connection.view:
        connection.write(b"* OK [CLOSED] The folder that was selected is so no more.\r\n")
    connection.view = None
    folder = connection.folder(name)
    if condstore and connection.options.condstore:
        connection.condstore = True
    with folder.store.lock:
        view = View(folder, read_only=read_only)
        answer = _opened(connection, view)
    connection.view = view
    connection.record("examined" if read_only else "selected", folder)
    connection.write(answer)
    return "[READ-ONLY] Examined." if read_only else "[READ-WRITE] Selected."


def _opened(connection: "ImapConnection", view: View) -> bytes:
    folder, options = view.folder, connection.options
    messages = folder.messages
    keywords = {flag for message in messages for flag in message.flags} - set(SYSTEM_FLAGS)
    flags = " ".join([*SYSTEM_FLAGS, *sorted(keywords)])
    permanent = "" if view.read_only else f"{flags} \\*"
    lines = [
        f"FLAGS ({flags})",
        f"OK [PERMANENTFLAGS ({permanent})] Flags that are kept.",
        f"{len(messages)} EXISTS",
        f"{len(view.recent)} RECENT",
        f"OK [UIDVALIDITY {folder.uidvalidity}] UIDs are valid.",
    ]
    unseen = (n for n, m in enumerate(messages, start=1) if "\\Seen" not in m.flags)
    if first := next(unseen, None):
        lines.append(f"OK [UNSEEN {first}] The first unseen message.")
    if options.uidnext:
        lines.append(f"OK [UIDNEXT {folder.uidnext}] The next UID, at the least.")
    if options.condstore:
        lines.append(f"OK [HIGHESTMODSEQ {folder.highest_modseq}] Highest.")
    return "".join(f"* {line}\r\n" for line in lines).encode()


def _create(connection: "ImapConnection", arguments: Arguments) -> str:
    name = connection.folder_name(_only_name(arguments)).rstrip(connection.owner.delimiter)
    if not name or connection.owner.find(name):
        raise No("There is a folder of that name already.", "[ALREADYEXISTS]")
    connection.owner.add_folder(name)
    return "Created."


def _delete(connection: "ImapConnection", arguments: Arguments) -> str:
    folder = connection.folder(_only_name(arguments))
    if folder.name == "INBOX":
        raise No("INBOX cannot be deleted.", "[CANNOT]")
    if connection.view and connection.view.folder is folder:
        connection.view = None
    connection.owner.remove_folder(folder.name)
    return "Deleted."


def _rename(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    folder = connection.folder(arguments.astring())
    new = canonical(connection.folder_name(_only_name(arguments)))
    if folder.name == "INBOX":
        raise No("This server does not rename INBOX.", "[CANNOT]")
    if connection.owner.find(new):
        raise No("There is a folder of that name already.", "[ALREADYEXISTS]")
    connection.owner.rename_folder(folder.name, new)
    return "Renamed."


def _subscribe(connection: "ImapConnection", arguments: Arguments) -> str:
    folder = connection.folder(_only_name(arguments))
    connection.owner.subscribed.add(folder.name)
    return "Subscribed."


def _unsubscribe(connection: "ImapConnection", arguments: Arguments) -> str:
    name = canonical(connection.folder_name(_only_name(arguments)))
    connection.owner.subscribed.discard(name)
    return "Unsubscribed."


def _only_name(arguments: Arguments) -> bytes:
    arguments.space()
    name = arguments.astring()
    arguments.end()
    return name


def _status(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    folder = connection.folder(arguments.astring())
    arguments.space()
    items = status_items(arguments)
    arguments.end()
    connection.write(status_answer(connection, folder, items))
    return "Status completed."


def status_items(arguments: Arguments) -> list[str]:
    """STATUS's list of what is asked."""
    items = arguments.listed(arguments.keyword)
    if unknown := set(items) - set(STATUS_ITEMS):
        raise Bad(f"Unknown status item {unknown.pop()}.")
    return items


def status_answer(connection: "ImapConnection", folder: MailFolder, items: list[str]) -> bytes:
    """The untagged STATUS of a folder."""
    options = connection.options
    with folder.store.lock:
        messages = folder.messages
        values = {
            "MESSAGES": len(messages),
            "RECENT": sum(message.uid >= folder.recent_from for message in messages),
            "UIDVALIDITY": folder.uidvalidity,
            "UNSEEN": sum("\\Seen" not in message.flags for message in messages),
            "SIZE": sum(len(message.octets) for message in messages),
        }
        if options.uidnext:
            values["UIDNEXT"] = folder.uidnext
        if options.condstore:
            values["HIGHESTMODSEQ"] = folder.highest_modseq
    if "HIGHESTMODSEQ" in items and options.condstore:
        connection.condstore = True
    told = " ".join(f"{item} {values[item]}" for item in items if item in values)
    return b"* STATUS %b (%b)\r\n" % (connection.spelled(folder.name), told.encode())


def _close(connection: "ImapConnection", arguments: Arguments) -> str:
    """Remove what is marked, in silence, and select nothing (RFC 9051, 6.4.1)."""
    arguments.end()
    view = connection.selected
    if not view.read_only:
        expunge(connection, [m for m in view.folder.messages if "\\Deleted" in m.flags])
    connection.view = None
    return "Closed."


def _unselect(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    connection.view = None
    return "Unselected."


_IN = State.AUTHENTICATED
COMMANDS = {
    "SELECT": Handler(run=_select, lowest=_IN),
    "EXAMINE": Handler(run=_examine, lowest=_IN),
    "CREATE": Handler(run=_create, lowest=_IN),
    "DELETE": Handler(run=_delete, lowest=_IN),
    "RENAME": Handler(run=_rename, lowest=_IN),
    "SUBSCRIBE": Handler(run=_subscribe, lowest=_IN),
    "UNSUBSCRIBE": Handler(run=_unsubscribe, lowest=_IN),
    "STATUS": Handler(run=_status, lowest=_IN),
    "CLOSE": Handler(run=_close, lowest=State.SELECTED),
    "UNSELECT": Handler(run=_unselect, lowest=State.SELECTED, option="unselect"),
}
