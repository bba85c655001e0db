"""What servers say when they ask for less or for patience: never taken for a wrong password."""

import pytest

from buzon.wire.errors import AuthRejected, MailError, ServerBusy, Throttled
from buzon.wire.imap.events import Status
from buzon.wire.imap.refusal import of_login
from buzon.wire.pop3.core import Reply
from buzon.wire.pop3.refusal import refused

SAID = [
    ("", "Too many simultaneous connections. (Failure)", Throttled),
    ("", "Account exceeded command or bandwidth limits. (Failure)", Throttled),
    ("", "Maximum number of connections from user+IP exceeded", Throttled),
    ("", "connection limit reached", Throttled),
    ("", "Logins limit reached", Throttled),
    ("", "Login rate exceeded", Throttled),
    ("", "Over quota of connections", Throttled),
    ("", "Quota exceeded for login requests", Throttled),
    ("", "Login blocked for 15 minutes, too frequent", Throttled),
    ("", "Greylisted, come back in 60 s", Throttled),
    ("", "Server is busy, please slow down", Throttled),
    ("", "You have exceeded the login limit", Throttled),
    ("LOGIN-DELAY", "minimum time between mail checks violation", Throttled),
    ("", "User is authenticated but not connected.", ServerBusy),
    ("", "System overloaded", ServerBusy),
    ("", "Login is temporarily disabled", ServerBusy),
    ("", "Please try again later.", ServerBusy),
]
WITH_THE_CODE_OF_A_REFUSED_LOGIN = [
    ("Too many login failures, try again later", Throttled),
    ("Authentication failed: rate limit exceeded", Throttled),
    ("Authentication rate limited, slow down", Throttled),
    ("Authentication failed. Temporary server problem", ServerBusy),
    ("Temporary authentication failure", ServerBusy),
]
REFUSED = [
    "Invalid credentials (Failure)",
    "Authentication failed.",
    "Wrong user name or password, please try again.",
    "LOGIN failed.",
    "Application-specific password required",
    "Your account is locked; see our pages.",
    "Access from accelerate.example is not generated; the delimited name is wrong.",
]


def of_both(imap: str, pop3: str, text: str) -> set[type[MailError]]:
    """The two protocols' errors for a refused login with these codes and this text."""
    status = Status(b"a", "NO", imap, b"", text)
    reply = Reply(False, f"[{pop3}] {text}" if pop3 else text)
    return {type(of_login(status)), type(refused(reply, AuthRejected("It was refused.")))}


@pytest.mark.parametrize(("code", "text", "kind"), SAID)
def test_words_tell(code: str, text: str, kind: type[MailError]) -> None:
    assert of_both(code, code, text) == {kind}


@pytest.mark.parametrize(("text", "kind"), WITH_THE_CODE_OF_A_REFUSED_LOGIN)
def test_words_count_more_than_the_code(text: str, kind: type[MailError]) -> None:
    assert of_both("AUTHENTICATIONFAILED", "AUTH", text) == {kind}


@pytest.mark.parametrize("text", REFUSED)
def test_a_refused_login_stays_one(text: str) -> None:
    assert of_both("AUTHENTICATIONFAILED", "AUTH", text) == {AuthRejected}
    assert of_both("", "", text) == {AuthRejected}
