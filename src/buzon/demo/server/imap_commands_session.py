"""Commands about the session itself: NOOP, IDLE, ENABLE, ID, COMPRESS, LOGOUT."""

from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import Handler, No, State
from buzon.demo.server.imap_grammar import Arguments, Bad

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection


def _noop(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    return "Done."


def _logout(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    connection.write(b"* BYE Good-bye.\r\n")
    connection.over = True
    return "Logged out."


def _idle(connection: "ImapConnection", arguments: Arguments) -> str:
    """Tell what others do until the client says DONE (RFC 2177)."""
    arguments.end()
    connection.write(b"+ Waiting.\r\n")
    folder = connection.view.folder if connection.view else None
    if folder:
        folder.watch(connection.stream.wake)
    try:
        _tell_until_typed(connection)
    finally:
        if folder:
            folder.unwatch(connection.stream.wake)
    if connection.stream.read_line().strip().upper() != b"DONE":
        raise Bad("DONE was expected.")
    return "Idle completed."


def _tell_until_typed(connection: "ImapConnection") -> None:
    is_typed = False
    while not is_typed:
        connection.tell_news(expunges=True)
        connection.stream.flush()
        is_typed = connection.stream.wait()


def _enable(connection: "ImapConnection", arguments: Arguments) -> str:
    """Turn extensions on (RFC 5161); those that are not offered are passed over in silence."""
    arguments.space()
    wanted = [name.upper() for name in arguments.spaced(arguments.atom)]
    arguments.end()
    enabled = []
    if "UTF8=ACCEPT" in wanted and connection.options.utf8_accept:
        connection.utf8 = True
        enabled.append("UTF8=ACCEPT")
    if "CONDSTORE" in wanted and connection.options.condstore:
        connection.condstore = True
        enabled.append("CONDSTORE")
    connection.write(f"* ENABLED {' '.join(enabled)}".rstrip().encode() + b"\r\n")
    return "Enabled."


def _id(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    if not arguments.has(b"NIL"):
        arguments.listed(lambda: None if arguments.has(b"NIL") else arguments.string())
    arguments.end()
    connection.write(b'* ID ("name" "Buzon demonstration server" "version" "1")\r\n')
    return "ID completed."


def _compress(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    method = arguments.keyword()
    arguments.end()
    if method != "DEFLATE":
        raise Bad("DEFLATE is the only way to compress.")
    if connection.stream.compressed:
        raise No("It is compressed already.", "[COMPRESSIONACTIVE]")
    connection.afterwards = connection.stream.start_deflate
    return "Compression starts."


def _namespace(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    delimiter = connection.owner.delimiter
    connection.write(f'* NAMESPACE (("" "{delimiter}")) NIL NIL\r\n'.encode())
    return "Namespace completed."


_IN = State.AUTHENTICATED
COMMANDS = {
    "NOOP": Handler(run=_noop),
    "CHECK": Handler(run=_noop, lowest=State.SELECTED),
    "LOGOUT": Handler(run=_logout),
    "IDLE": Handler(run=_idle, lowest=_IN, option="idle"),
    "ENABLE": Handler(run=_enable, lowest=_IN),
    "ID": Handler(run=_id, option="identify"),
    "COMPRESS": Handler(run=_compress, lowest=_IN, option="compress"),
    "NAMESPACE": Handler(run=_namespace, lowest=_IN, option="namespace"),
}
