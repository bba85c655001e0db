"""From a connected socket to a session that is logged in.

greeting ─► CAPABILITY ─► STARTTLS ─► CAPABILITY ─► AUTHENTICATE or LOGIN ─► CAPABILITY
    └ PREAUTH: already logged in, refused where STARTTLS was asked for
"""

import base64

from buzon.wire import sasl
from buzon.wire.argument import LOGIN, SECRET, encoded
from buzon.wire.endpoint import Credentials, Security
from buzon.wire.errors import ConnectFailed, NotPermitted, TlsRefused
from buzon.wire.imap import refusal
from buzon.wire.imap.command import astring, joined
from buzon.wire.imap.connection import Answer, Connection
from buzon.wire.imap.events import Continuation, Data, Event, Status
from buzon.wire.secrecy import secret_hidden

# An honest server sends one error challenge; one that goes on asking would keep us for ever.
MOST_CHALLENGES = 3


def log_in(connection: Connection, credentials: Credentials) -> frozenset[str]:
    """Greeting to login. Gives the capabilities that hold from then on, in upper case.

    Raises TlsRefused, AuthRejected, NotPermitted (no way to log in that we know), ServerBusy,
    Throttled, ConnectFailed, TimedOut.
    """
    capabilities = _logged_in(connection, credentials)
    connection.transport.patience.logged_in()
    return capabilities


def check(credentials: Credentials) -> None:
    """NotPermitted when the login or the secret could end a command and begin another."""
    encoded(credentials.username, LOGIN)
    encoded(credentials.secret, SECRET)


def _logged_in(connection: Connection, credentials: Credentials) -> frozenset[str]:
    greeting = _greeting(connection)
    capabilities = _capabilities_in([greeting]) or ask_capabilities(connection)
    if connection.transport.endpoint.security is Security.STARTTLS:
        capabilities = _start_tls(connection, greeting, capabilities)
    if greeting.kind == "PREAUTH":
        return capabilities
    _check_encrypted(connection)
    with secret_hidden(credentials, connection.transport.endpoint):
        answer = _authenticated(connection, credentials, capabilities)
    return _capabilities_in([*answer.events, answer.status]) or ask_capabilities(connection)


def ask_capabilities(connection: Connection) -> frozenset[str]:
    """CAPABILITY, upper case."""
    return _capabilities_in(connection.run(b"CAPABILITY").events)


def _greeting(connection: Connection) -> Status:
    event = connection.next()
    if isinstance(event, Status) and event.kind in ("OK", "PREAUTH"):
        return event
    endpoint = connection.transport.endpoint
    raise ConnectFailed(
        "{host}:{port} does not speak IMAP; check protocol and port.",
        host=endpoint.host,
        port=endpoint.port,
    )


def _capabilities_in(events: list[Event]) -> frozenset[str]:
    """The last capabilities told, in a response or in a response code; empty for none."""
    told: frozenset[str] = frozenset()
    for event in events:
        if isinstance(event, Data) and event.name == "CAPABILITY":
            words = [word for word in event.values if isinstance(word, bytes)]
            told = frozenset(word.decode("ascii", "replace").upper() for word in words)
        elif isinstance(event, Status) and event.code == "CAPABILITY":
            told = frozenset(event.argument.decode("ascii", "replace").upper().split())
    return told


def _start_tls(
    connection: Connection, greeting: Status, capabilities: frozenset[str]
) -> frozenset[str]:
    host = connection.transport.endpoint.host
    if greeting.kind == "PREAUTH":
        # RFC 9051 section 11.1: a PREAUTH in the clear may be an attacker's, to avoid STARTTLS.
        raise TlsRefused("{host} logs us in before TLS, which STARTTLS does not allow.", host=host)
    if "STARTTLS" not in capabilities:
        raise TlsRefused(
            "{host} does not offer STARTTLS on this port; try TLS on port 993.", host=host
        )
    answer = connection.ask(b"STARTTLS")
    if answer.status.kind != "OK":
        raise TlsRefused("{host} refused STARTTLS.", host=host, answer=answer.status.said)
    connection.start_tls()
    # RFC 9051 section 6.2.1: what was told before TLS is to be forgotten.
    return ask_capabilities(connection)


def _check_encrypted(connection: Connection) -> None:
    transport = connection.transport
    if not transport.encrypted and transport.endpoint.security is not Security.NONE:
        raise TlsRefused("The connection is not encrypted; no secret is sent over it.")


def _authenticated(
    connection: Connection, credentials: Credentials, capabilities: frozenset[str]
) -> Answer:
    offered = {c.removeprefix("AUTH=") for c in capabilities if c.startswith("AUTH=")}
    mechanism = sasl.choose(credentials, offered)
    if mechanism is not None:
        return _by_sasl(connection, credentials, mechanism, at_once="SASL-IR" in capabilities)
    if credentials.mechanism == "oauth2":
        raise NotPermitted("The server does not offer OAuth logins (OAUTHBEARER or XOAUTH2).")
    if "LOGINDISABLED" in capabilities:
        raise NotPermitted("The server does not accept a password on this connection.")
    command = joined(
        b"LOGIN",
        astring(encoded(credentials.username, LOGIN), capabilities=capabilities),
        astring(encoded(credentials.secret, SECRET), capabilities=capabilities),
    )
    return connection.run(command, refused=refusal.of_login)


def _by_sasl(
    connection: Connection, credentials: Credentials, mechanism: str, *, at_once: bool
) -> Answer:
    endpoint = connection.transport.endpoint
    first = base64.b64encode(sasl.initial_response(mechanism, credentials, endpoint))
    command = b"AUTHENTICATE " + mechanism.encode()
    tag = connection.begin(command + b" " + first if at_once else command)
    events: list[Event] = []
    replies = [] if at_once else [first]
    challenge = ""
    for _ in range(MOST_CHALLENGES):
        event = connection.until_continuation(tag, events)
        if isinstance(event, Status):
            return _judged(Answer(event, events), challenge)
        if not replies:
            challenge, reply = _refused(event, mechanism)
            replies.append(reply)
        connection.send(replies.pop() + b"\r\n")
    return _judged(Answer(connection.until_end(tag, events), events), challenge)


def _refused(event: Continuation, mechanism: str) -> tuple[str, bytes]:
    """What the server's error challenge says, and the reply that lets it end with its NO."""
    if mechanism == "PLAIN":
        return "", b"*"  # RFC 9051 section 6.2.2: PLAIN has no second step, so cancel
    reply = base64.b64encode(sasl.answer_to_refusal(mechanism))
    return sasl.refusal(event.text), reply


def _judged(answer: Answer, challenge: str) -> Answer:
    if answer.status.kind != "OK":
        raise refusal.of_login(answer.status, challenge=challenge)
    return answer
