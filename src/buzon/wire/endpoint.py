"""Where a mail server is and how we log in: plain values, shared by IMAP, POP3 and SMTP."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    """How the connection is encrypted. `NONE` only where an administrator said so."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One server: host, port, encryption, and how much we trust its certificate.

    `pinned_sha256` is the lower-case hex SHA-256 of the DER certificate that this account accepts
    instead of one signed by a known authority; "" verifies against the system's authorities.
    `ca_file` adds a PEM file of authorities. Times are in seconds: `read_timeout` for the next
    octets, `answer_timeout` for greeting and login together, and later for each answer beside what
    its octets take (`buzon.wire.patience`). `allow_private`: it may stand on this machine or in a
    private network (`buzon.wire.public_address`). `pace` is told how many octets came, and may keep
    the connection waiting before it takes more.
    """

    host: str
    port: int
    security: Security = Security.TLS
    pinned_sha256: str = ""
    ca_file: str = ""
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    answer_timeout: float = 120.0
    allow_private: bool = False
    pace: Callable[[int], None] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A login. The secret never shows in a repr.

    `mechanism`: "password" (LOGIN or AUTHENTICATE PLAIN, USER/PASS or AUTH PLAIN) or "oauth2"
    (the secret is an access token: OAUTHBEARER, else XOAUTH2).
    """

    username: str
    secret: str = field(repr=False)
    mechanism: str = "password"


# Octets of one message: a server that announces more is not believed. A million of them are still a
# number that databases can hold.
LARGEST = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what a server may make us hold, in octets unless said otherwise.

    `line`, a line or a status; `message`, one message, above `spool_above` in a file and from IMAP
    in pieces of `slice`; `window`, what is asked ahead; `together`, what the headers or messages of
    one call may have more than expected; `list_items`, items of a list in number, and messages of a
    POP3 mailbox; `messages`, messages of an IMAP folder in number.
    """

    line: int = 1_048_576
    message: int = 1_073_741_824
    spool_above: int = 4 * 1_048_576
    slice: int = 1_048_576
    window: int = 16 * 1_048_576
    together: int = 24 * 1_048_576
    list_items: int = 100_000
    messages: int = 1_000_000
