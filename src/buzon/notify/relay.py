"""The server through which our own mail leaves: opened once, used for several letters, closed.

Its errors are translated here: `Refused` is about one letter, `RelayFailed` about the server.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Refused(Exception):
    """This letter was not accepted; `permanent`: do not ask again (RFC 5321 section 4.2.1)."""

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        self.sentence = sentence
        self.permanent = permanent
        super().__init__(sentence)


class RelayFailed(Exception):
    """The server cannot be used now, for any letter."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class Relay:
    """One SMTP session, made from BUZON_SMTP_URL. `timeout` is for each answer, in seconds."""

    def __init__(self, url: str, *, timeout: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._backend = EmailBackend(
            host=self._host,
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            use_tls=parts.scheme == "smtp+starttls",
            use_ssl=parts.scheme == "smtps",
            timeout=timeout,
        )

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, letter: EmailMessage, *, before: Callable[[], None]) -> None:
        """Hand the letter over; `before` is called when the session is ready for it.

        Raises Refused or RelayFailed, and whatever `before` raises.
        """
        try:
            self._open()
            before()
            self._backend.send_messages([letter])
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise self._refusal("the recipient", code, answer) from error
        except smtplib.SMTPDataError as error:
            raise self._refusal("the letter", error.smtp_code, error.smtp_error) from error
        except OSError as error:  # smtplib's errors are OSErrors, as are those of ssl and socket
            self._close()
            raise RelayFailed(self._sentence(error)) from error
        except (
            ValueError
        ) as error:  # Django: no address. (A TLS error is both, so this comes last.)
            sentence = "The address is not one that can be written to."
            raise Refused(sentence, permanent=True) from error

    def _open(self) -> None:
        if self._backend.connection is None:
            # The context is only made for a session that needs it: a bad file is the server's.
            self._backend.ssl_context = _verifying_context()
            self._backend.open()

    def _close(self) -> None:
        # Whether the server hears our QUIT changes nothing.
        with contextlib.suppress(OSError):
            self._backend.close()
        self._backend.connection = None

    def _refusal(self, what: str, code: int, answer: bytes | str) -> Refused | RelayFailed:
        if code == 421:  # the server is closing the session, whatever the command was
            self._close()
            return RelayFailed(f"{self._server()} answered 421: {_words(answer)}.")
        sentence = f"The server refused {what}: {code} {_words(answer)}."
        return Refused(sentence, permanent=code >= 500)

    def _sentence(self, error: OSError) -> str:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return f"{self._server()} refused the login: {_words(error.smtp_error)}."
        if isinstance(error, smtplib.SMTPResponseException):
            return f"{self._server()} answered {error.smtp_code}: {_words(error.smtp_error)}."
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"{self._server()} has an untrusted certificate: {error.verify_message}."
        if isinstance(error, TimeoutError):
            return f"{self._server()} did not answer in time."
        return f"{self._server()} cannot be used: {_words(error.strerror or str(error))}."

    def _server(self) -> str:
        return f"The server of BUZON_SMTP_URL, {self._host},"


def _verifying_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.BUZON_CA_FILE:
        context.load_verify_locations(cafile=settings.BUZON_CA_FILE)
    return context


def _words(answer: bytes | str) -> str:
    """The server's answer as one line, cut, without its full stop."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:300].rstrip(".") or "no reason given"
