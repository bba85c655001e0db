"""The connection doctor: would this account work, and if not, where it fails and what to do.

    resolve ─▶ connect ─▶ encryption ─▶ certificate ─▶ login ─▶ folders ─▶ deletion ─▶ messages

The first failure of the way in ends it; what comes after could only fail for the same reason.
Nothing is ever changed: folders are opened read-only, and POP3 ends without QUIT. It speaks the
active language.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from buzon.desk.keyring import KeyringError
from buzon.desk.models import Organization
from buzon.desk.reasons import error_sentence
from buzon.intake.accounts import checked_values, credentials_of, default_port, endpoint_of
from buzon.intake.check_mail import imap_mail, pop3_mail
from buzon.intake.check_step import Step, step_title
from buzon.intake.models import CollectionAccount, Folder
from buzon.wire import tls
from buzon.wire.address import connected
from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    MailError,
    NotPermitted,
    TimedOut,
    TlsRefused,
)
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from buzon.wire.public_address import is_public

__all__ = ["Step", "check_account", "check_values", "step_title", "to_do_when_silent"]

# How servers of IMAP ("* OK") and SMTP ("220 ") greet somebody who wanted POP3.
_OTHER_PROTOCOL = re.compile(r"\*|\d{3}[ -]")


@dataclass(frozen=True, slots=True)
class _Way:
    """An account, stored or not, and all that is needed to knock at its server."""

    account: CollectionAccount
    folders: list[Folder]
    endpoint: Endpoint
    credentials: Credentials


def check_account(account: CollectionAccount) -> list[Step]:
    """Every step as far as it got. Never raises for what the server or the settings do."""
    return _checked(account, list(account.folders.order_by("role", "pk")), None)


def check_values(
    organization: Organization,
    *,
    secret: str | None,
    folders: Iterable[str] = ("INBOX",),
    sent_folders: Iterable[str] = (),
    saved: CollectionAccount | None = None,
    heard: Callable[[Step], None] | None = None,
    **fields: Any,
) -> list[Step]:
    """The same for a form that was not saved; `fields` as for `add_account`, and a name is not
    needed. `secret` None is the one of the account that was `saved`. `heard` gets each step as it
    comes. Raises AccountError, with all that is wrong, before anything is asked of a server.
    """
    if secret is None and saved is None:
        raise TypeError("a secret, or an account that has one, is needed")
    clean, roles = checked_values(
        organization,
        secret=secret,
        folders=folders,
        sent_folders=sent_folders,
        # A person may ask before thinking of a name; the server does not care.
        **(fields | {"name": "-"}),
    )
    account = CollectionAccount(organization=organization, **clean)
    if secret is None and saved is not None:
        account.pk, account.secret = saved.pk, saved.secret  # sealed for that row; not saved here
    rows = [Folder(account=account, name=name, role=role) for name, role in roles.items()]
    return _checked(account, rows, secret, heard)


def _checked(
    account: CollectionAccount,
    folders: list[Folder],
    secret: str | None,
    heard: Callable[[Step], None] | None = None,
) -> list[Step]:
    try:
        credentials = _credentials(account, secret)
    except KeyringError as error:
        remedy = _("Give the password again, or the right keys.")
        return [Step("secret", False, error_sentence(error), remedy, field="secret")]
    way = _Way(account, folders, endpoint_of(account), credentials)
    steps: list[Step] = []
    for step in _steps(way):
        steps.append(step)
        if heard is not None:
            heard(step)
        if not step.ok and step.name != "folder":
            break
    return steps


def _credentials(account: CollectionAccount, secret: str | None) -> Credentials:
    if secret is None:
        return credentials_of(account)
    return Credentials(username=account.username, secret=secret)


def _steps(way: _Way) -> Iterator[Step]:
    yield _resolve(way.endpoint)
    yield from _connect(way)
    imap = way.account.protocol == CollectionAccount.Protocol.IMAP
    yield from _ask_imap(way) if imap else _ask_pop3(way)


def _resolve(endpoint: Endpoint) -> Step:
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        detail = _("The server's name {host} was not found.").format(host=endpoint.host)
        remedy = _("Check the spelling of the server's name.")
        return Step("resolve", False, detail, remedy, field="host")
    addresses = {str(one[4][0]) for one in found}
    if not endpoint.allow_private:  # then nobody is told how the house's own network is laid out
        addresses = {one for one in addresses if is_public(one)}
    told = _("{host} is {addresses}.") if addresses else _("{host} was found.")
    shown = ", ".join(sorted(addresses))
    return Step("resolve", True, told.format(host=endpoint.host, addresses=shown))


def _connect(way: _Way) -> Iterator[Step]:
    """TCP, and where TLS comes first, TLS: on a connection of its own, without a login."""
    endpoint = way.endpoint
    try:
        sock = connected(endpoint)
    except MailError as error:
        yield _not_connected(way.account, error)
        return
    told = _("{host} accepts connections on port {port}.")
    yield Step("connect", True, told.format(host=endpoint.host, port=endpoint.port))
    with sock:
        if endpoint.security is Security.TLS:
            yield from _encrypt(way, sock)


def _not_connected(account: CollectionAccount, error: MailError) -> Step:
    detail = error_sentence(error)
    if isinstance(error, NotPermitted):
        remedy = _(
            "If the mail server stands in your own network, set BUZON_ALLOW_PRIVATE_HOSTS=yes "
            "where Buzón is started, and start it again; otherwise check the server's name."
        )
        return Step("connect", False, detail, remedy, field="host")
    usual = default_port(account.protocol, account.security)
    if account.port == usual:
        remedy = _("Check the server's name, and that no firewall stands between.")
        return Step("connect", False, detail, remedy, field="host")
    told = _("Check the server's name and the port: the usual port for {security} is {usual}.")
    if account.security == CollectionAccount.Security.NONE:
        told = _("Check the server's name and the port: without encryption {usual} is usual.")
    remedy = told.format(security=account.get_security_display(), usual=usual)
    return Step("connect", False, detail, remedy, field="port")


def _encrypt(way: _Way, sock: socket.socket) -> Iterator[Step]:
    try:
        wrapped = tls.secured(sock, way.endpoint)
    except MailError as error:
        yield from _not_encrypted(way.account, error)
        return
    with wrapped:
        yield Step("encryption", True, f"{wrapped.version()}.")
        pinned = _("It is the pinned one; SHA-256 {seen}.")
        told = pinned if way.endpoint.pinned_sha256 else _("It is trusted; SHA-256 {seen}.")
        yield Step("certificate", True, told.format(seen=tls.fingerprint(wrapped)))


def _not_encrypted(account: CollectionAccount, error: MailError) -> Iterator[Step]:
    untrusted = isinstance(error.__cause__, ssl.SSLCertVerificationError)
    if not untrusted and "pinned" not in error.values:
        detail = error_sentence(error)
        yield Step("encryption", False, detail, _to_encrypt(account), field="security")
        return
    yield Step("encryption", True, _("The server speaks TLS."))
    # The sentence about an untrusted one says already on what condition to pin it.
    remedy = "" if untrusted else _("If the server's owner confirms the new one, pin that.")
    seen = str(error.values.get("seen", ""))
    detail = error_sentence(error)
    yield Step("certificate", False, detail, remedy, field="pinned_sha256", pin=seen)


def _to_encrypt(account: CollectionAccount) -> str:
    kinds = CollectionAccount.Security
    other = kinds.STARTTLS if account.security == kinds.TLS else kinds.TLS
    told = _("If port {port} is right, try {security} instead.")
    return told.format(port=account.port, security=other.label)


def _ask_imap(way: _Way) -> Iterator[Step]:
    try:
        with ImapSession.open(way.endpoint, way.credentials) as session:
            yield from _logged_in(way)
            yield from imap_mail(way.account, way.folders, session)
    except MailError as error:
        yield from _refused(way.account, error)


def _ask_pop3(way: _Way) -> Iterator[Step]:
    try:
        session = Pop3Session.open(way.endpoint, way.credentials)
        try:
            yield from _logged_in(way)
            yield from pop3_mail(way.account, session)
        finally:
            session.close()
    except MailError as error:
        yield from _refused(way.account, error)


def _logged_in(way: _Way) -> Iterator[Step]:
    if way.endpoint.security is Security.STARTTLS:
        told = _("The server changes to TLS before the login (STARTTLS).")
        yield Step("encryption", True, told)
        pinned = _("It is the pinned one.") if way.endpoint.pinned_sha256 else ""
        yield Step("certificate", True, pinned or _("It is trusted."))
    if way.endpoint.security is Security.NONE:
        told = _("There is none: the password and the mail are readable by everybody on the way.")
        yield Step("encryption", True, told)
    told = _("The server accepts {username}.").format(username=way.credentials.username)
    yield Step("login", True, told)


def _refused(account: CollectionAccount, error: MailError) -> Iterator[Step]:
    if isinstance(error, TlsRefused):
        yield from _not_encrypted(account, error)
    elif isinstance(error, AuthRejected):
        remedy = _(
            "Check the user name and the password; many providers want an app password, or IMAP "
            "and POP3 to be switched on first."
        )
        yield Step("login", False, error_sentence(error), remedy, field="username")
    else:
        remedy, field = _to_talk(account, error)
        yield Step("session", False, error_sentence(error), remedy, field=field)


def to_do_when_silent(security: str, port: int) -> tuple[str, str]:
    """(what to do, the field to look at) where a server accepts the connection and says nothing."""
    if security == CollectionAccount.Security.TLS:
        return _("Check the server's name and the port, or try again later."), "host"
    told = _(
        "A server that waits for encryption says nothing: if port {port} is right, try TLS; "
        "otherwise check the port."
    )
    return told.format(port=port), "security"


def _to_talk(account: CollectionAccount, error: MailError) -> tuple[str, str]:
    """(what to do, the field to look at) where the two do not understand each other."""
    if isinstance(error, TimedOut):
        return to_do_when_silent(account.security, account.port)
    if isinstance(error, ConnectFailed) or _OTHER_PROTOCOL.match(error.answer):
        told = _("Check the protocol, the port and the encryption: they belong together.")
        return told, "protocol"
    if isinstance(error, NotPermitted) and account.security == CollectionAccount.Security.NONE:
        told = _("Choose TLS or STARTTLS: the server wants encryption before a password.")
        return told, "security"
    return _("Try again later, or ask the server's owner."), ""
