"""What the server offers and refuses: every deviation from a full server is a named option."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The server's face. The defaults are a complete, friendly server.

    IMAP extensions are offered, and work, only where their option is true: `uidplus` (RFC 4315),
    `move` (6851), `condstore` (7162), `idle` (2177), `compress` (4978), `utf8_accept` (6855),
    `literal_plus` (7888), `special_use` (6154), `namespace` (2342), `esearch` (4731), `unselect`
    (3691), `identify` (ID, 2971), `sasl_ir` (4959). `uidnext` false leaves UIDNEXT out of SELECT
    and STATUS. `announce` false keeps the capabilities out of the greeting and the login's answer.
    `gmail` offers X-GM-EXT-1; an expunged message then moves to the folder of special use \\All.

    POP3: `capa`, `uidl`, `top`, `pipelining`. Without `pipelining` whatever was typed ahead of an
    answer is thrown away. Without `capa` the other commands still work.

    Logging in: `auth` are the SASL mechanisms (PLAIN, LOGIN, XOAUTH2, OAUTHBEARER);
    `login_command` false refuses LOGIN and USER/PASS; `login_disabled_before_tls` refuses a
    secret in the clear where STARTTLS is to be had; `preauth` greets IMAP clients as the store's
    first login. `oauth_token` is the access token that is right for every login; None takes the
    login's own secret for one.

    Refusing: the first `refuse_logins` logins of the server's life are refused, right or wrong.
    `login_code` is the response code of refusals, such as "[UNAVAILABLE]"; given alone, every
    login is refused. `auth_reply` answers every login instead of a verdict: "NO text" (IMAP),
    "-ERR text" (POP3), or "* BYE text", after which the connection is closed.
    """

    uidplus: bool = True
    move: bool = True
    condstore: bool = True
    idle: bool = True
    compress: bool = True
    utf8_accept: bool = False
    literal_plus: bool = True
    special_use: bool = True
    namespace: bool = True
    esearch: bool = True
    unselect: bool = True
    identify: bool = True
    sasl_ir: bool = True
    uidnext: bool = True
    announce: bool = True
    gmail: bool = False

    capa: bool = True
    uidl: bool = True
    top: bool = True
    pipelining: bool = True

    auth: tuple[str, ...] = ("PLAIN", "LOGIN")
    login_command: bool = True
    login_disabled_before_tls: bool = True
    preauth: bool = False
    oauth_token: str | None = None

    refuse_logins: int | None = None
    login_code: str | None = None
    auth_reply: str | None = None

    def refuses(self, login_number: int) -> bool:
        """Whether the login of this number, from 1, is refused whatever its secret."""
        if self.refuse_logins is not None:
            return login_number <= self.refuse_logins
        return self.login_code is not None
