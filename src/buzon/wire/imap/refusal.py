"""The server's NO, BAD and BYE as our errors (response codes of RFC 5530 and RFC 9051 7.1)."""

from buzon.wire.errors import (
    AuthRejected,
    FolderMissing,
    Gone,
    MailError,
    Malformed,
    MessageError,
    NotPermitted,
    ServerBusy,
    Throttled,
    template,
)
from buzon.wire.imap.events import Status
from buzon.wire.not_now import by_words

_BY_CODE: dict[str, type[MailError]] = {
    "THROTTLED": Throttled,
    "LIMIT": Throttled,
    "LOGIN-DELAY": Throttled,  # POP3's (RFC 2449), which servers of both protocols share
    "OVERQUOTA": Throttled,
    "UNAVAILABLE": ServerBusy,
    "INUSE": ServerBusy,
    "SERVERBUG": ServerBusy,
    "CONTACTADMIN": ServerBusy,
    "NONEXISTENT": FolderMissing,
    "TRYCREATE": FolderMissing,
    "NOPERM": NotPermitted,
    "REFERRAL": NotPermitted,  # RFC 2221 and 2193: another server, where our secret does not go
    "READ-ONLY": NotPermitted,
    "AUTHENTICATIONFAILED": AuthRejected,
    "AUTHORIZATIONFAILED": AuthRejected,
    "EXPIRED": AuthRejected,
    "PRIVACYREQUIRED": AuthRejected,
}

_NO_SUCH = (
    "not exist",
    "n't exist",
    "nonexistent",
    "no such",
    "not found",
    "unknown mailbox",
    "unknown folder",
)
_NOT_ALLOWED = ("permission", "denied", "not allowed", "access right")

_SENTENCES: dict[type[MailError], str] = {
    Throttled: template("The server asks us to do less."),
    ServerBusy: template("The server cannot do this now."),
    FolderMissing: template("The folder does not exist on the server."),
    NotPermitted: template("The server does not let this login do this."),
    AuthRejected: template("The server refused the login; check the user name and the secret."),
}


def of_login(status: Status, *, challenge: str = "") -> MailError:
    """Why we may not log in. `challenge` is an OAuth error that came before, for the person."""
    said = by_words(status.text)
    kind = _BY_CODE.get(status.code) or said or AuthRejected
    if status.kind == "BAD" and not status.code:
        kind = said or ServerBusy
    if kind is NotPermitted:
        kind = AuthRejected
    if kind is AuthRejected and said is not None:  # whatever the code
        kind = said
    return _error(kind, status, challenge)


def of_folder(name: str, status: Status) -> MailError:
    """Why the folder of this name may not be opened, or be moved to."""
    kind = _BY_CODE.get(status.code) or by_words(status.text)
    said = status.text.lower()
    if kind is None and any(word in said for word in _NO_SUCH):
        kind = FolderMissing
    if kind is None and any(word in said for word in _NOT_ALLOWED):
        kind = NotPermitted
    if kind is FolderMissing:
        return FolderMissing(
            "There is no folder {name} on the server; check how it is written.",
            name=name,
            answer=status.said,
        )
    return _error(kind or ServerBusy, status)


def of_command(status: Status) -> MailError:
    """Why any other command failed, or why the server hangs up (BYE)."""
    kind = _BY_CODE.get(status.code) or by_words(status.text)
    if kind is None and any(word in status.text.lower() for word in _NOT_ALLOWED):
        kind = NotPermitted
    return _error(kind or ServerBusy, status)


def heed(status: Status) -> None:
    """Raises Throttled where the server has enough: then it is not asked for each message alone."""
    error = of_command(status)
    if isinstance(error, Throttled):
        raise error


def of_message(status: Status) -> MessageError:
    """Why a message did not come, when the command that asked for it alone has ended so.

    Raises instead where the server means us and not the message (Throttled, ServerBusy). A bug
    of the server (SERVERBUG) counts against the message: one that it cannot read would otherwise
    keep all others from being fetched, for ever.
    """
    if status.kind == "OK" or status.code in ("EXPUNGEISSUED", "NONEXISTENT"):
        return Gone("The message is no longer on the server.")
    error = of_command(status)
    not_now = status.code in ("UNAVAILABLE", "INUSE") or "later" in status.text.lower()
    if isinstance(error, Throttled) or not_now:
        raise error
    return Malformed("The server cannot give us this message.", answer=status.said)


def _error(kind: type[MailError], status: Status, challenge: str = "") -> MailError:
    answer = f"{status.said} ({challenge})" if challenge else status.said
    return kind(_SENTENCES[kind], answer=answer)
