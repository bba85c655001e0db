"""Is this login to be let in? SASL's messages taken apart (RFC 4616, 7628), secrets compared."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buzon.demo.server.store import Deed, MailLogin

if TYPE_CHECKING:
    from buzon.demo.server.listener import MailServer

# What an OAuth server says of a token it does not know (RFC 7628, 3.2.2), before the login fails.
OAUTH_CHALLENGE = base64.b64encode(b'{"status":"401","schemes":"bearer","scope":"mail"}')


class NotBase64(Exception):
    """The client's answer to a challenge is not base64, or not the mechanism's message."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a client says it is; `secret` is a password or, where `is_token`, an access token."""

    name: str
    secret: str
    is_token: bool = False


def decoded(answer: bytes) -> bytes:
    """A client's SASL answer. "=" is the empty one (RFC 4959). Raises NotBase64."""
    if answer == b"=":
        return b""
    try:
        return base64.b64decode(answer, validate=True)
    except binascii.Error as error:
        raise NotBase64 from error


def claim_of(mechanism: str, answer: bytes) -> Claim:
    """What a PLAIN, XOAUTH2 or OAUTHBEARER message claims. Raises NotBase64."""
    message = decoded(answer).decode("utf-8", "replace")
    if mechanism == "PLAIN":
        return _plain(message)
    fields = dict(part.partition("=")[::2] for part in message.split("\1") if part)
    kind, _, token = fields.get("auth", "").partition(" ")
    if kind.lower() != "bearer" or not message.endswith("\1\1"):
        raise NotBase64
    if mechanism == "XOAUTH2":
        return Claim(fields.get("user", ""), token, is_token=True)
    header = message.partition("\1")[0].split(",")
    if len(header) != 3 or header[0] != "n":
        raise NotBase64
    name = header[1].removeprefix("a=").replace("=2C", ",").replace("=3D", "=")
    return Claim(name, token, is_token=True)


def _plain(message: str) -> Claim:
    parts = message.split("\0")
    if len(parts) != 3 or (parts[0] and parts[0] != parts[1]):
        raise NotBase64
    return Claim(parts[1], parts[2])


def admit(server: "MailServer", claim: Claim) -> MailLogin | None:
    """The login, or None where it is refused; the ledger says which."""
    login = server.store.logins.get(claim.name)
    refused = server.options.refuses(server.count_login()) or server.options.auth_reply
    if refused or login is None or not _is_right(server, login, claim):
        server.store.record([Deed("login-refused", claim.name)])
        return None
    server.store.record([Deed("logged-in", claim.name)])
    return login


def _is_right(server: "MailServer", login: MailLogin, claim: Claim) -> bool:
    expected = login.secret
    if claim.is_token and server.options.oauth_token is not None:
        expected = server.options.oauth_token
    return hmac.compare_digest(expected.encode(), claim.secret.encode())
