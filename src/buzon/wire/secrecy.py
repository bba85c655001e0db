"""A server may repeat what we sent: the secret is taken out of its answer.

Some say which command they did not understand, with all its arguments. What they said is shown to
people, kept in rows and sent by e-mail; the secret must not be.
"""

import base64
import contextlib
from collections.abc import Iterator

from buzon.wire import sasl
from buzon.wire.endpoint import Credentials, Endpoint
from buzon.wire.errors import MailError

HIDDEN = "***"
SHORTEST_CUT = 8  # characters of a secret at the end of an answer that was cut


@contextlib.contextmanager
def secret_hidden(credentials: Credentials, endpoint: Endpoint) -> Iterator[None]:
    """Around a login: no MailError that leaves it has the secret in its answer."""
    try:
        yield
    except MailError as error:
        error.answer = _without(_as_sent(credentials, endpoint), error.answer)
        error.args = (error.sentence, error.answer)
        raise


def _as_sent(credentials: Credentials, endpoint: Endpoint) -> list[str]:
    """The forms in which the secret goes to the server, the longest first."""
    secret = credentials.secret
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')  # RFC 9051 section 9, quoted
    messages = (
        sasl.initial_response(mechanism, credentials, endpoint)
        for mechanism in ("PLAIN", "XOAUTH2", "OAUTHBEARER")
    )
    forms = {secret, quoted, *(base64.b64encode(one).decode("ascii") for one in messages)}
    return sorted(forms - {""}, key=len, reverse=True)


def _without(forms: list[str], answer: str) -> str:
    for form in forms:
        answer = answer.replace(form, HIDDEN)
        cut = range(len(form) - 1, SHORTEST_CUT - 1, -1)
        begun = next((length for length in cut if answer.endswith(form[:length])), 0)
        if begun:
            answer = answer[:-begun] + HIDDEN
    return answer
