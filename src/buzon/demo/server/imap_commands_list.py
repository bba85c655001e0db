"""LIST with its extensions, and LSUB (RFC 5258, 5819, 6154; RFC 3501, 6.3.9)."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import Handler, State
from buzon.demo.server.imap_commands_folder import status_answer, status_items
from buzon.demo.server.imap_grammar import Arguments, Bad
from buzon.demo.server.store import MailLogin

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection


@dataclass(slots=True)
class _Asked:
    only: set[str] = field(default_factory=set)
    tell: set[str] = field(default_factory=set)
    status: list[str] = field(default_factory=list)


def _list(connection: "ImapConnection", arguments: Arguments) -> str:
    asked = _Asked()
    arguments.space()
    if arguments.sees(b"("):
        asked.only = set(arguments.listed(arguments.keyword))
        arguments.space()
    reference = arguments.astring()
    arguments.space()
    is_extended = arguments.sees(b"(")
    patterns = arguments.listed(arguments.pattern) if is_extended else [arguments.pattern()]
    if arguments.has(b" RETURN ("):
        _read_return(arguments, asked)
    arguments.end()
    if patterns == [b""]:
        delimiter = connection.owner.delimiter
        connection.write(f'* LIST (\\Noselect) "{delimiter}" ""\r\n'.encode())
        return "List completed."
    wanted = [connection.folder_name(reference + pattern) for pattern in patterns]
    for name in _matching(connection.owner, wanted):
        _tell(connection, name, asked)
    return "List completed."


def _read_return(arguments: Arguments, asked: _Asked) -> None:
    while not arguments.has(b")"):
        option = arguments.keyword()
        if option == "STATUS":
            arguments.space()
            asked.status = status_items(arguments)
        elif option not in ("SUBSCRIBED", "CHILDREN", "SPECIAL-USE"):
            raise Bad(f"Unknown return option {option}.")
        asked.tell.add(option)
        arguments.has(b" ")


def _tell(connection: "ImapConnection", name: str, asked: _Asked) -> None:
    owner = connection.owner
    folder, is_subscribed = owner.find(name), name in owner.subscribed
    attributes = _attributes(connection, name)
    if "SUBSCRIBED" in asked.only | asked.tell and is_subscribed:
        attributes.append("\\Subscribed")
    if "SUBSCRIBED" in asked.only and not is_subscribed:
        return
    if "SPECIAL-USE" in asked.only and not (folder and folder.special_use):
        return
    _write_line(connection, "LIST", attributes, name)
    if asked.status and folder:
        connection.write(status_answer(connection, folder, asked.status))


def _attributes(connection: "ImapConnection", name: str) -> list[str]:
    owner = connection.owner
    folder = owner.find(name)
    below = name + owner.delimiter
    has_children = any(other.startswith(below) for other in tuple(owner.folders))
    attributes = [] if folder else ["\\Noselect"]
    attributes.append("\\HasChildren" if has_children else "\\HasNoChildren")
    if folder and folder.special_use and connection.options.special_use:
        attributes.append(folder.special_use)
    return attributes


def _lsub(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    reference = arguments.astring()
    arguments.space()
    wanted = connection.folder_name(reference + arguments.pattern())
    arguments.end()
    for name in _matching(connection.owner, [wanted]):
        if name in connection.owner.subscribed:
            _write_line(connection, "LSUB", [], name)
    return "Lsub completed."


def _write_line(
    connection: "ImapConnection", command: str, attributes: list[str], name: str
) -> None:
    start = f'* {command} ({" ".join(attributes)}) "{connection.owner.delimiter}" '
    connection.write(start.encode() + connection.spelled(name) + b"\r\n")


def _matching(owner: MailLogin, patterns: list[str]) -> list[str]:
    """Names, with the parents that are not folders themselves, in order; INBOX first."""
    names = set(owner.folders)
    for name in tuple(names):
        parts = name.split(owner.delimiter)
        names.update(owner.delimiter.join(parts[:n]) for n in range(1, len(parts)))
    wanted = [_expression(pattern, owner.delimiter) for pattern in patterns]
    found = [name for name in names if any(one.fullmatch(name) for one in wanted)]
    return sorted(found, key=lambda name: (name != "INBOX", name))


def _expression(pattern: str, delimiter: str) -> re.Pattern[str]:
    """ "*" is anything, "%" anything but the delimiter; INBOX in any case of letters."""
    wild = {"*": ".*", "%": f"[^{re.escape(delimiter)}]*"}
    text = "INBOX" if pattern.upper() == "INBOX" else pattern
    return re.compile("".join(wild.get(c, re.escape(c)) for c in text), re.DOTALL)


_IN = State.AUTHENTICATED
COMMANDS = {
    "LIST": Handler(run=_list, lowest=_IN),
    "LSUB": Handler(run=_lsub, lowest=_IN),
}
