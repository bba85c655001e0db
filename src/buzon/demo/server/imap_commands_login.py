"""Greeting, capabilities and everything that is for before the login (RFC 9051, 6.1 and 6.2)."""

import ssl
from functools import partial
from typing import TYPE_CHECKING

from buzon.demo.server.imap_answers import Handler, No, State
from buzon.demo.server.imap_grammar import Arguments, Bad
from buzon.demo.server.login import OAUTH_CHALLENGE, Claim, NotBase64, admit, claim_of, decoded
from buzon.demo.server.store import Deed

if TYPE_CHECKING:
    from buzon.demo.server.imap_connection import ImapConnection

MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")


def greet(connection: "ImapConnection") -> None:
    """The server's first line."""
    code = _code(connection)
    if connection.options.preauth:
        connection.login = next(iter(connection.server.store.logins.values()), None)
    if connection.login:
        connection.server.store.record([Deed("logged-in", connection.login.name)])
        connection.write(f"* PREAUTH {_code(connection)}Buzon is ready.\r\n".encode())
    else:
        connection.write(f"* OK {code}Buzon is ready.\r\n".encode())


def capabilities(connection: "ImapConnection") -> list[str]:
    """What is offered in the present state."""
    options = connection.options
    names = ["IMAP4rev1", "ENABLE"]
    names += [name for name, is_on in _everywhere(connection) if is_on]
    if connection.login is None:
        names += [f"AUTH={name}" for name in _mechanisms(connection)]
        return names
    offered = (
        ("UIDPLUS", options.uidplus),
        ("MOVE", options.move),
        ("CONDSTORE", options.condstore),
        ("ESEARCH", options.esearch),
        ("UNSELECT", options.unselect),
        ("SPECIAL-USE", options.special_use),
        ("NAMESPACE", options.namespace),
        ("COMPRESS=DEFLATE", options.compress and not connection.stream.compressed),
        ("UTF8=ACCEPT", options.utf8_accept),
        ("X-GM-EXT-1", options.gmail),
    )
    return names + ["CHILDREN", "LIST-EXTENDED", "LIST-STATUS"] + [n for n, on in offered if on]


def _everywhere(connection: "ImapConnection") -> tuple[tuple[str, bool], ...]:
    options = connection.options
    return (
        ("ID", options.identify),
        ("IDLE", options.idle),
        ("LITERAL+", options.literal_plus),
        ("SASL-IR", options.sasl_ir),
        ("STARTTLS", _may_start_tls(connection)),
        ("LOGINDISABLED", connection.login is None and not _takes_login(connection)),
    )


def _code(connection: "ImapConnection") -> str:
    if not connection.options.announce:
        return ""
    return f"[CAPABILITY {' '.join(capabilities(connection))}] "


def _may_start_tls(connection: "ImapConnection") -> bool:
    is_clear = not connection.stream.encrypted
    return connection.server.security == "starttls" and is_clear and connection.login is None


def _takes_secrets(connection: "ImapConnection") -> bool:
    return not (_may_start_tls(connection) and connection.options.login_disabled_before_tls)


def _takes_login(connection: "ImapConnection") -> bool:
    return connection.options.login_command and _takes_secrets(connection)


def _mechanisms(connection: "ImapConnection") -> list[str]:
    if not _takes_secrets(connection):
        return []
    return [name for name in connection.options.auth if name in MECHANISMS]


def _capability(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    connection.write(f"* CAPABILITY {' '.join(capabilities(connection))}\r\n".encode())
    return "Capability completed."


def _starttls(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.end()
    context = connection.server.tls
    if not _may_start_tls(connection) or context is None:
        raise Bad("STARTTLS is not to be had here.")
    connection.afterwards = partial(_shake_hands, connection, context)
    return "Begin TLS negotiation now."


def _shake_hands(connection: "ImapConnection", context: ssl.SSLContext) -> None:
    connection.stream.start_tls(context)


def _login(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    name = arguments.text()
    arguments.space()
    secret = arguments.text()
    arguments.end()
    if not _takes_login(connection):
        raise No("LOGIN is not to be had here.", "[PRIVACYREQUIRED]")
    return _enter(connection, Claim(name, secret))


def _authenticate(connection: "ImapConnection", arguments: Arguments) -> str:
    arguments.space()
    mechanism = arguments.keyword()
    initial = None
    if arguments.has(b" "):
        initial = arguments.astring()
    arguments.end()
    if initial is not None and not connection.options.sasl_ir:
        raise Bad("There is an argument too many.")
    if not _takes_secrets(connection):
        raise No("A secret is not taken in the clear.", "[PRIVACYREQUIRED]")
    if mechanism not in _mechanisms(connection):
        raise No("Unknown authentication mechanism.", "[CANNOT]")
    try:
        return _enter(connection, _claim(connection, mechanism, initial))
    except NotBase64 as error:
        raise Bad("Invalid authentication data.") from error


def _claim(connection: "ImapConnection", mechanism: str, initial: bytes | None) -> Claim:
    if mechanism != "LOGIN":
        return claim_of(mechanism, initial if initial is not None else _ask(connection, b""))
    name = decoded(initial if initial is not None else _ask(connection, b"VXNlcm5hbWU6"))
    secret = decoded(_ask(connection, b"UGFzc3dvcmQ6"))
    return Claim(name.decode("utf-8", "replace"), secret.decode("utf-8", "replace"))


def _ask(connection: "ImapConnection", challenge: bytes) -> bytes:
    connection.write(b"+ " + challenge + b"\r\n")
    answer = connection.stream.read_line().rstrip(b"\r\n")
    if answer == b"*":
        raise Bad("Authentication cancelled.")
    return answer


def _enter(connection: "ImapConnection", claim: Claim) -> str:
    login = admit(connection.server, claim)
    if login is None:
        _refuse(connection, claim)
    connection.login = login
    return f"{_code(connection)}Logged in."


def _refuse(connection: "ImapConnection", claim: Claim) -> None:
    reply = connection.options.auth_reply
    if reply is None:
        if claim.is_token:
            # The client answers the server's reason with an empty line (RFC 7628, 3.2.3).
            _ask(connection, OAUTH_CHALLENGE)
        code = connection.options.login_code
        raise No("Authentication failed.", "[AUTHENTICATIONFAILED]" if code is None else code)
    if reply.startswith("* BYE "):
        connection.hang_up(reply.removeprefix("* BYE "))
    status, _, text = reply.partition(" ")
    raise (No(text) if status == "NO" else Bad(text))


_BEFORE = State.NOT_AUTHENTICATED
COMMANDS = {
    "CAPABILITY": Handler(run=_capability),
    "STARTTLS": Handler(run=_starttls, highest=_BEFORE),
    "LOGIN": Handler(run=_login, highest=_BEFORE),
    "AUTHENTICATE": Handler(run=_authenticate, highest=_BEFORE),
}
