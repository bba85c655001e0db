"""How an argument is written into a command: quoted where that is allowed, else as a literal.

A command is a list of pieces. Between two pieces the server must say `+` first, unless the
literal is of the kind that does not wait (`{n+}`, RFC 7888).
"""

from collections.abc import Collection

from buzon.wire.argument import FOLDER, encoded
from buzon.wire.imap.folder_name import to_utf7

# RFC 7888 section 5: LITERAL- allows literals that do not wait up to this size.
SMALL_LITERAL = 4096

Pieces = list[bytes]


def astring(octets: bytes, *, capabilities: Collection[str], utf8: bool = False) -> Pieces:
    """`octets` as an argument: [b'"…"'], or [b"{n}\\r\\n", octets] where it is not ASCII.

    `utf8`: UTF8=ACCEPT is on, so that UTF-8 may be quoted (RFC 6855). The octets hold no control
    characters (`argument.encoded` saw to it).
    """
    if octets.isascii() or utf8:
        return [b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"']
    size = len(octets)
    unasked = "LITERAL+" in capabilities or ("LITERAL-" in capabilities and size <= SMALL_LITERAL)
    if unasked:
        return [b"{%d+}\r\n" % size + octets]
    return [b"{%d}\r\n" % size, octets]


def folder(name: str, *, raw: bytes | None, capabilities: Collection[str], utf8: bool) -> Pieces:
    """A folder's name as an argument. `raw` is how the server itself wrote it, when it did.

    The server's own octets are used where they can be: some do not speak modified UTF-7, and
    would not know their folder by another spelling.
    """
    plain = encoded(name, FOLDER)
    octets = raw if raw is not None else (plain if utf8 else to_utf7(name))
    return astring(octets, capabilities=capabilities, utf8=utf8)


def joined(*arguments: bytes | Pieces) -> Pieces:
    """Arguments one after the other with blanks between them, as the pieces of one command."""
    pieces: Pieces = [b""]
    for place, argument in enumerate(arguments):
        first, *rest = [argument] if isinstance(argument, bytes) else argument
        pieces[-1] += (b" " if place else b"") + first
        pieces += rest
    return pieces
