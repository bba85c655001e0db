"""The SASL messages of a login, the same for IMAP, POP3 and SMTP: plain octets, no base64.

PLAIN        RFC 4616    one message, OK or NO
OAUTHBEARER  RFC 7628    one message; a refusal is a JSON challenge, which we must answer
XOAUTH2      Google's, also spoken by Microsoft: the same with another first message
"""

import base64
import binascii
import json
from collections.abc import Collection

from buzon.wire.argument import LOGIN, SECRET, SERVER, encoded
from buzon.wire.endpoint import Credentials, Endpoint


def choose(credentials: Credentials, offered: Collection[str]) -> str | None:
    """The mechanism to log in with, of those the server offers (upper case), or None.

    An OAuth login prefers the standard OAUTHBEARER; a password can only use PLAIN here (LOGIN,
    USER and PASS are commands of the protocols, not mechanisms).
    """
    wanted = ("OAUTHBEARER", "XOAUTH2") if credentials.mechanism == "oauth2" else ("PLAIN",)
    return next((name for name in wanted if name in offered), None)


def initial_response(mechanism: str, credentials: Credentials, endpoint: Endpoint) -> bytes:
    """The first message of `mechanism`, not yet in base64. NotPermitted on control characters."""
    login = encoded(credentials.username, LOGIN)
    secret = encoded(credentials.secret, SECRET)
    if mechanism == "PLAIN":
        return b"\0" + login + b"\0" + secret
    if mechanism == "XOAUTH2":
        return b"user=" + login + b"\x01auth=Bearer " + secret + b"\x01\x01"
    if mechanism == "OAUTHBEARER":
        return _oauthbearer(login, secret, endpoint)
    raise ValueError(f"no such mechanism: {mechanism}")


def answer_to_refusal(mechanism: str) -> bytes:
    """What ends the dialogue after an error challenge, so that the server gives its NO.

    RFC 7628 section 3.2.3 asks for a single Control-A; XOAUTH2 for an empty line.
    """
    return b"\x01" if mechanism == "OAUTHBEARER" else b""


def refusal(challenge: bytes) -> str:
    """The text of an error challenge (base64 of JSON) for a person; "" when it says nothing.

    `{"status":"invalid_token","scope":"…"}` becomes "status invalid_token, scope …". What is not
    JSON is shown as it is, what is not base64 too.
    """
    try:
        text = base64.b64decode(challenge, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return challenge.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(said, dict):
        return text
    return ", ".join(f"{name} {value}" for name, value in said.items())


def _oauthbearer(login: bytes, secret: bytes, endpoint: Endpoint) -> bytes:
    # RFC 5801 section 4: "=" and "," have a meaning in the header and are written as hex.
    name = login.replace(b"=", b"=3D").replace(b",", b"=2C")
    host = encoded(endpoint.host, SERVER)
    place = b"\x01host=" + host + b"\x01port=" + str(endpoint.port).encode()
    return b"n,a=" + name + b"," + place + b"\x01auth=Bearer " + secret + b"\x01\x01"
