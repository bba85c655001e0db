"""What a -ERR means, by its response code or, from servers without codes, by its words."""

import re

from buzon.wire.errors import (
    AuthRejected,
    Gone,
    MailError,
    MessageError,
    NotPermitted,
    ServerBusy,
    Throttled,
    template,
)
from buzon.wire.not_now import by_words
from buzon.wire.pop3.core import Reply

# RFC 2449 §8.1.1 and RFC 3206 §4; a code may have further levels: [SYS/TEMP/DISK].
CODES: dict[str, tuple[type[MailError], str]] = {
    "IN-USE": (
        ServerBusy,
        template("Another program has this mailbox open; it will be tried again."),
    ),
    "LOGIN-DELAY": (Throttled, template("The server wants more time between two logins.")),
    "SYS/TEMP": (
        ServerBusy,
        template("The server has a passing trouble; it will be tried again."),
    ),
    "SYS/PERM": (
        NotPermitted,
        template("The server has a lasting trouble that its operator must mend."),
    ),
    "AUTH": (
        AuthRejected,
        template("The server refused the login: check the login and the password."),
    ),
}

# RFC 1939 §4: "-ERR unable to lock maildrop", with no code from older servers. "Account locked" is
# another thing: a refused login.
BUSY = re.compile(
    r"(mail ?drop|mailbox).{0,40}(lock|in use|busy)|(lock|open).{0,20}mail ?drop|in use",
    re.IGNORECASE,
)


def refused(reply: Reply, otherwise: MailError) -> MailError:
    """The error for this -ERR; `otherwise` when neither code nor words say more.

    `otherwise` gets the server's answer too.
    """
    known, said = _by_code(reply.text), _by_words(reply.text)
    # A refused login whose words ask for patience is none, whatever its code.
    if known is None or (known[0] is AuthRejected and said is not None):
        known = said
    if known is None:
        return type(otherwise)(otherwise.template, answer=reply.text, **otherwise.values)
    kind, told = known
    return kind(told, answer=reply.text)


def of_message(reply: Reply) -> MailError:
    """Why RETR or TOP of a message that was listed is refused: a MessageError, or Throttled."""
    gone = Gone("The message is no longer on the server.", answer=reply.text)
    known = refused(reply, gone)
    if known.__class__ in (Gone, Throttled):
        return known
    return MessageError("The server cannot give this message now.", answer=reply.text)


def _by_code(text: str) -> tuple[type[MailError], str] | None:
    found = re.match(r"\[([^\]]{1,100})\]", text)
    if found is None:
        return None
    levels = found.group(1).upper().split("/")
    return CODES.get(levels[0]) or CODES.get("/".join(levels[:2]))


def _by_words(text: str) -> tuple[type[MailError], str] | None:
    kind = by_words(text)
    if kind is Throttled:
        told = template("The server says that we ask too much; it will be tried again.")
        return Throttled, told
    if kind is ServerBusy or BUSY.search(text):
        told = template("The server is busy with this mailbox; it will be tried again.")
        return ServerBusy, told
    return None
