"""The connection doctor: would this account work, and if not, where it fails and what to do.

    resolve ─▶ connect ─▶ encryption ─▶ certificate ─▶ login ─▶ folders ─▶ deletion ─▶ messages

The first failure of the way in ends it; what comes after could only fail for the same reason.
Nothing is ever changed: folders are opened read-only, and POP3 ends without QUIT.
"""

import re
import shlex
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from buzon.desk.keyring import KeyringError
from buzon.intake.accounts import credentials_of, default_port, endpoint_of
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.settle_imap import trash_folder
from buzon.wire import tls
from buzon.wire.address import connected
from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.errors import AuthRejected, FolderMissing, MailError, NotPermitted, TlsRefused
from buzon.wire.imap import FolderInfo, ImapSession
from buzon.wire.pop3 import Pop3Session

_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")
_MOST_NAMED = 30


class Step(NamedTuple):
    """One step: what was found, or what failed; `remedy` is what to do about it, or ""."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def check_account(account: CollectionAccount) -> list[Step]:
    """Every step as far as it got. Never raises for what the server or the settings do."""
    try:
        credentials = credentials_of(account)
    except KeyringError as error:
        return [Step("secret", False, str(error), "Give the password again, or the right keys.")]
    endpoint = endpoint_of(account)
    steps: list[Step] = []
    for step in _steps(account, endpoint, credentials):
        steps.append(step)
        if not step.ok and step.name != "folder":
            break
    return steps


def _steps(
    account: CollectionAccount, endpoint: Endpoint, credentials: Credentials
) -> Iterator[Step]:
    yield _resolve(endpoint)
    yield from _connect(account, endpoint)
    ask = _ask_imap if account.protocol == CollectionAccount.Protocol.IMAP else _ask_pop3
    yield from ask(account, endpoint, credentials)


def _resolve(endpoint: Endpoint) -> Step:
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        detail = f"The server's name {endpoint.host} was not found."
        return Step("resolve", False, detail, "Check the spelling of --host.")
    addresses = sorted({str(one[4][0]) for one in found})
    return Step("resolve", True, f"{endpoint.host} is {', '.join(addresses)}.")


def _connect(account: CollectionAccount, endpoint: Endpoint) -> Iterator[Step]:
    """TCP, and where TLS comes first, TLS: on a connection of its own, without a login."""
    try:
        sock = connected(endpoint)
    except MailError as error:
        yield Step("connect", False, str(error), _to_connect(account, error))
        return
    yield Step("connect", True, f"{endpoint.host} accepts connections on port {endpoint.port}.")
    with sock:
        if endpoint.security is Security.TLS:
            yield from _encrypt(account, endpoint, sock)


def _encrypt(account: CollectionAccount, endpoint: Endpoint, sock: socket.socket) -> Iterator[Step]:
    try:
        wrapped = tls.secured(sock, endpoint)
    except MailError as error:
        yield from _not_encrypted(account, error)
        return
    with wrapped:
        yield Step("encryption", True, f"{wrapped.version()}.")
        how = "the pinned one" if endpoint.pinned_sha256 else "trusted"
        yield Step("certificate", True, f"It is {how}; SHA-256 {tls.fingerprint(wrapped)}.")


def _not_encrypted(account: CollectionAccount, error: MailError) -> Iterator[Step]:
    if not _about_certificate(error):
        yield Step("encryption", False, str(error), _to_encrypt(account))
        return
    yield Step("encryption", True, "The server speaks TLS.")
    yield Step("certificate", False, str(error), _to_pin(account, error))


def _about_certificate(error: MailError) -> bool:
    return _untrusted(error) or error.sentence.startswith("The certificate of")


def _untrusted(error: MailError) -> bool:
    return isinstance(error.__cause__, ssl.SSLCertVerificationError)


def _to_pin(account: CollectionAccount, error: MailError) -> str:
    seen = _SHA256.search(error.sentence)
    if seen is None:
        return ""
    # The sentence about an untrusted one has said already on what condition to pin it.
    when = "To pin it" if _untrusted(error) else "If the server's owner confirms the new one"
    return f"{when}: buzon account set {shlex.quote(account.name)} --pin {seen.group()}."


def _ask_imap(
    account: CollectionAccount, endpoint: Endpoint, credentials: Credentials
) -> Iterator[Step]:
    try:
        with ImapSession.open(endpoint, credentials) as session:
            yield from _logged_in(account)
            counts: list[int] = []
            for folder in account.folders.order_by("role", "pk"):
                yield _imap_folder(session, folder, counts)
            yield Step("deletion", True, *_imap_deletion(account, session))
            yield Step("messages", True, f"{_messages(sum(counts))}.")
    except MailError as error:
        yield from _refused(account, error)


def _ask_pop3(
    account: CollectionAccount, endpoint: Endpoint, credentials: Credentials
) -> Iterator[Step]:
    try:
        session = Pop3Session.open(endpoint, credentials)
        try:
            yield from _logged_in(account)
            listing = session.listing()
            yield Step("deletion", True, *_pop3_deletion(account, has_uidl=session.has_uidl))
            octets = sum(each.size for each in listing)
            detail = f"{_messages(len(listing))}, {octets:,} octets."
            yield Step("messages", True, detail, _without_top(account, has_top=session.has_top))
        finally:
            session.close()
    except MailError as error:
        yield from _refused(account, error)


def _logged_in(account: CollectionAccount) -> Iterator[Step]:
    if account.security == Security.STARTTLS:
        how = "the pinned one" if account.pinned_sha256 else "trusted"
        yield Step("encryption", True, "The server changes to TLS before the login (STARTTLS).")
        yield Step("certificate", True, f"It is {how}.")
    if account.security == Security.NONE:
        detail = "There is none: the password and the mail are readable by everybody on the way."
        yield Step("encryption", True, detail)
    yield Step("login", True, f"The server accepts {account.username}.")


def _imap_folder(session: ImapSession, folder: Folder, counts: list[int]) -> Step:
    try:
        opened = session.examine(folder.name)
    except (FolderMissing, NotPermitted) as error:
        return _missing(session, folder, error)
    counts.append(opened.exists)
    return Step("folder", True, f"{folder.name} is there, with {_messages(opened.exists)}.")


def _messages(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"


def _missing(session: ImapSession, folder: Folder, error: MailError) -> Step:
    there = [each for each in session.folders() if each.selectable]
    names = [each.name for each in there]
    if folder.name in names:
        return Step("folder", False, f"{folder.name} may not be opened: {error}")
    shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
    remedy = f"The folders of this login are: {shown}."
    return Step(
        "folder", False, f"There is no folder {folder.name}.", remedy + _sent_hint(folder, there)
    )


def _sent_hint(folder: Folder, there: list[FolderInfo]) -> str:
    sent = [each.name for each in there if each.special_use == "\\Sent"]
    if folder.role != Folder.Role.SENT or not sent:
        return ""
    return f" The server says that {sent[0]} holds the sent letters."


def _imap_deletion(account: CollectionAccount, session: ImapSession) -> tuple[str, str]:
    """What deleting would do here, as `settle_imap` does it; and what to know about that."""
    if account.after != CollectionAccount.After.DELETE:
        return _not_deleting(account), ""
    trash = trash_folder(session)
    if session.is_gmail:
        if trash and session.has("MOVE"):
            return f"Gmail archives what is deleted, so collected mail moves to {trash}.", ""
        shown = "In Gmail's settings, let IMAP show the bin, so that mail is really deleted."
        return "Gmail only archives what is deleted, and shows no bin.", shown
    if session.has("UIDPLUS"):
        return "Exactly the collected messages are removed (UIDPLUS).", ""
    if trash and session.has("MOVE"):
        return f"The server cannot remove single messages, so they move to {trash}.", ""
    detail = "The server cannot remove single messages: they are only marked as deleted."
    return detail, "Remove them with another mail program, or leave them."


def _pop3_deletion(account: CollectionAccount, *, has_uidl: bool) -> tuple[str, str]:
    if account.after != CollectionAccount.After.DELETE:
        return _not_deleting(account), ""
    if has_uidl:
        return "Collected messages are removed at the end of each session (QUIT).", ""
    detail = "The server gives no UIDL: a message is removed only in the session that collected it."
    return detail, ""


def _not_deleting(account: CollectionAccount) -> str:
    if account.after == CollectionAccount.After.READ:
        return "Nothing is removed; collected messages are marked as read."
    return "Nothing is removed or marked."


def _without_top(account: CollectionAccount, *, has_top: bool) -> str:
    if has_top or account.create_customer:
        return ""
    return "The server gives no headers alone (no TOP): each message is retrieved to decide."


def _refused(account: CollectionAccount, error: MailError) -> Iterator[Step]:
    if isinstance(error, TlsRefused):
        yield from _not_encrypted(account, error)
    elif isinstance(error, AuthRejected):
        yield Step("login", False, str(error), _TO_LOG_IN)
    else:
        yield Step("session", False, str(error), "Try again later, or ask the server's owner.")


_TO_LOG_IN = (
    "Check --username and the password; many providers want an app password, or IMAP and POP3 "
    "to be switched on first."
)


def _to_connect(account: CollectionAccount, error: MailError) -> str:
    if isinstance(error, NotPermitted):
        return "BUZON_ALLOW_PRIVATE_HOSTS=yes allows servers on private networks."
    usual = default_port(account.protocol, account.security)
    if account.port == usual:
        return "Check --host, and that no firewall stands between."
    return f"Check --host and --port: the usual port for {account.security} is {usual}."


def _to_encrypt(account: CollectionAccount) -> str:
    other = Security.STARTTLS if account.security == Security.TLS else Security.TLS
    return f"If port {account.port} is right, try --security {other}."
