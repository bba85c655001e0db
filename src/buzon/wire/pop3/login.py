"""From the greeting to the mailbox: CAPA, STLS, AUTH or USER and PASS.

    greeting ─ CAPA ─(STARTTLS: STLS ─ TLS ─ CAPA)─ AUTH | USER, PASS ─ CAPA

APOP is not used: it needs MD5, and the secret in the clear on the server.
"""

import base64

from buzon.wire import sasl
from buzon.wire.argument import LOGIN, SECRET, encoded
from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.errors import AuthRejected, MailError, NotPermitted, ServerBusy, TlsRefused
from buzon.wire.pop3.channel import Channel, Command
from buzon.wire.pop3.core import Challenge, Reply, Shape
from buzon.wire.pop3.refusal import refused
from buzon.wire.secrecy import secret_hidden

Capabilities = dict[str, tuple[str, ...]]

# The CAPA of a real server is under 1,000 octets.
CAPABILITIES_AT_MOST = 65_536


def check(credentials: Credentials) -> None:
    """NotPermitted when the login or the secret could end a command and begin another."""
    encoded(credentials.username, LOGIN)
    encoded(credentials.secret, SECRET)


def enter(channel: Channel, endpoint: Endpoint, credentials: Credentials) -> Capabilities:
    """Do all of it; the capabilities after the login. Raises AuthRejected, TlsRefused and others.

    Nothing secret is sent in the clear but where `endpoint.security` is NONE.
    """
    greeting = channel.greeting()
    if not greeting.ok:
        raise refused(greeting, ServerBusy("The server does not let us in now."))
    before = _before_login(channel, endpoint)
    if endpoint.security is not Security.NONE and not channel.transport.encrypted:
        raise TlsRefused("The connection is not encrypted; nothing secret was sent.")
    with secret_hidden(credentials, endpoint):
        _log_in(channel, endpoint, credentials, before)
    found = capabilities(channel)
    channel.transport.patience.logged_in()
    return found


def capabilities(channel: Channel) -> Capabilities:
    """CAPA (RFC 2449 §5): name in upper case -> arguments; {} from a server that has no CAPA."""
    if not channel.ask(b"CAPA", Shape.BODY).ok:
        return {}
    found: Capabilities = {}
    for line in channel.body(CAPABILITIES_AT_MOST).decode("ascii", "replace").splitlines():
        name, *arguments = line.split() or [""]
        found[name.upper()] = tuple(arguments)
    return found


def _before_login(channel: Channel, endpoint: Endpoint) -> Capabilities:
    found = capabilities(channel)
    if endpoint.security is not Security.STARTTLS:
        return found
    # Asked even where CAPA does not offer it: its own answer is surer, and there is no way round.
    reply = channel.ask(b"STLS")
    if not reply.ok:
        raise TlsRefused(
            "{host}:{port} offers no STARTTLS; nothing secret was sent.",
            host=endpoint.host,
            port=endpoint.port,
            answer=reply.text,
        )
    channel.start_tls()
    # RFC 2595 §4: what was said in the clear is forgotten.
    return capabilities(channel)


def _log_in(
    channel: Channel, endpoint: Endpoint, credentials: Credentials, offered: Capabilities
) -> None:
    mechanisms = _mechanisms(offered)
    if credentials.mechanism == "oauth2" and not offered:
        # Without CAPA nothing is known. This one is older, and so the likelier of the two.
        mechanisms = ("XOAUTH2",)
    mechanism = sasl.choose(credentials, mechanisms)
    if mechanism is not None:
        _authenticate(channel, mechanism, sasl.initial_response(mechanism, credentials, endpoint))
    elif credentials.mechanism == "oauth2":
        raise NotPermitted("The server does not offer a login by granted access (OAuth 2).")
    elif not offered or "USER" in offered or not mechanisms:
        _user_and_pass(channel, credentials)
    else:
        raise NotPermitted(
            "The server does not offer a login that we know.", answer=" ".join(mechanisms)
        )


def _mechanisms(offered: Capabilities) -> tuple[str, ...]:
    return tuple(name.upper() for name in offered.get("SASL", ()))


def _authenticate(channel: Channel, mechanism: str, message: bytes) -> None:
    """RFC 5034 §4, without the initial response on the command line: some servers, Microsoft's
    among them, do not take it there, and it must not pass 255 octets."""
    channel.send(Command(b"AUTH " + mechanism.encode(), Shape.SASL))
    step = channel.reply_or_challenge()
    said = ""
    if isinstance(step, Challenge):
        step = _respond(channel, message)
        if isinstance(step, Challenge):
            said = sasl.refusal(step.octets)
            step = _respond(channel, sasl.answer_to_refusal(mechanism))
    if isinstance(step, Challenge):
        channel.close()
        raise AuthRejected("The server asked more than this kind of login has.", answer=said)
    _must_be_in(Reply(step.ok, f"{step.text} {said}".strip()))


def _respond(channel: Channel, message: bytes) -> Reply | Challenge:
    channel.send(Command(base64.b64encode(message), Shape.SASL))
    return channel.reply_or_challenge()


def _user_and_pass(channel: Channel, credentials: Credentials) -> None:
    """RFC 1939 §7. PASS takes the whole rest of the line, so that a secret may hold spaces."""
    _must_be_in(channel.ask(b"USER " + encoded(credentials.username, LOGIN)))
    _must_be_in(channel.ask(b"PASS " + encoded(credentials.secret, SECRET)))


def _must_be_in(reply: Reply) -> None:
    if not reply.ok:
        rejected: MailError = AuthRejected(
            "The server refused the login: check the login and the password."
        )
        raise refused(reply, rejected)
