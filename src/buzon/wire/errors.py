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

Every error carries a sentence for a person, and where there was one, the server's own answer.
"""


class MailError(Exception):
    """Base of everything this room raises on purpose.

    `sentence` is complete and ends with a full stop; `answer` is what the server said, cleaned of
    control characters and cut to 500 characters, or "".
    """

    def __init__(self, sentence: str, *, answer: str = "") -> None:
        self.sentence = sentence
        self.answer = "".join(c if c.isprintable() else " " for c in answer)[:500].strip()
        super().__init__(sentence, self.answer)

    def __str__(self) -> str:
        if not self.answer:
            return self.sentence
        stop = "" if self.answer.endswith((".", "!", "?")) else "."
        return f"{self.sentence} The server said: {self.answer}{stop}"


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
