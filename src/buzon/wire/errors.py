"""What can go wrong between us and a mail server: one tree, so that callers decide by kind.

    MailError
    ├── Transient            try again later, nothing is wrong with the settings
    │   ├── ConnectFailed    no such host, refused, unreachable, cut
    │   ├── TimedOut         a deadline passed
    │   ├── ServerBusy       the server says not now (INUSE, UNAVAILABLE, BYE, a NO without a code)
    │   └── Throttled        the server says too much (THROTTLED, LIMIT, OVERQUOTA)
    ├── Permanent            a person has to change something
    │   ├── AuthRejected     wrong login or secret
    │   ├── TlsRefused       certificate not trusted, no STARTTLS where it was asked for
    │   ├── FolderMissing    the folder does not exist
    │   └── NotPermitted     the server does not let us do this
    └── MessageError         about one message; the session goes on
        ├── Gone             it is no longer on the server
        ├── TooLarge         larger than the limit that the caller gave
        └── Malformed        the server's octets for it make no sense

Every error carries a sentence for a person, and where there was one, the server's own answer. The
sentence is a template and its values, so that whoever shows it may say it in another language.
"""

import re
from typing import Any

_BACK_OFF = re.compile(r"back-?off time: *([0-9]{1,9}) *milliseconds", re.IGNORECASE)


class MailError(Exception):
    """Base of everything this room raises on purpose.

    `template` is an English sentence, complete, with a full stop and {names} for its `values`,
    which are text or whole numbers; `sentence` is the two together. Values called `what` and `why`
    are English words themselves. `answer` is what the server said, cleaned of control characters
    and cut to 500 characters, or "".
    """

    def __init__(self, template: str, *, answer: str = "", **values: Any) -> None:
        self.template = template
        self.values = values
        self.sentence = template.format_map(values) if values else template
        self.answer = "".join(c if c.isprintable() else " " for c in answer)[:500].strip()
        super().__init__(self.sentence, self.answer)

    def __str__(self) -> str:
        if not self.answer:
            return self.sentence
        stop = "" if self.answer.endswith((".", "!", "?")) else "."
        return f"{self.sentence} The server said: {self.answer}{stop}"


def template(text: str) -> str:
    """Marks a template, or words of one, that stand apart from the raise; gives them back."""
    return text


# What the operating system and OpenSSL most often say inside our sentences, as a `why`.
WHYS = (
    template("Connection refused"),
    template("Connection reset by peer"),
    template("Network is unreachable"),
    template("No route to host"),
    template("self-signed certificate"),
    template("self-signed certificate in certificate chain"),
    template("unable to get local issuer certificate"),
    template("certificate has expired"),
    template("certificate is not yet valid"),
    template("wrong version number"),
    template("record layer failure"),
    template("handshake failed"),
)


class Transient(MailError):
    """Try again later; nothing is wrong with the settings."""


class ConnectFailed(Transient):
    """No such host, refused, unreachable, or cut."""


class TimedOut(Transient):
    """A deadline passed."""


class ServerBusy(Transient):
    """The server says: not now."""


class Throttled(Transient):
    """The server says: too much."""

    @property
    def asked_to_wait(self) -> float:
        """Seconds that the server asked us to stay away, 0 where it did not say.

        Microsoft's "Request is throttled. Suggested Backoff Time: 299961 milliseconds".
        """
        found = _BACK_OFF.search(self.answer)
        return int(found[1]) / 1_000 if found else 0.0


class Permanent(MailError):
    """A person has to change something."""


class AuthRejected(Permanent):
    """The server refused the login."""


class TlsRefused(Permanent):
    """The encryption that was asked for is not to be had."""


class FolderMissing(Permanent):
    """The folder does not exist on the server."""


class NotPermitted(Permanent):
    """The server does not let this login do this."""


class MessageError(MailError):
    """About one message; the session goes on."""


class Gone(MessageError):
    """The message is no longer on the server."""


class TooLarge(MessageError):
    """The message is larger than the caller's limit."""


class Malformed(MessageError):
    """The server's octets for this message make no sense."""
