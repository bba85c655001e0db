"""One step of the connection doctor, in the language of whoever asked."""

from typing import NamedTuple

from django.utils import formats
from django.utils.translation import gettext_lazy as _

_TITLES = {
    "secret": _("Stored password"),
    "resolve": _("Server's name"),
    "connect": _("Connection"),
    "encryption": _("Encryption"),
    "certificate": _("Certificate"),
    "login": _("Login"),
    "folder": _("Folder"),
    "deletion": _("After download"),
    "messages": _("Messages"),
    "session": _("Conversation with the server"),
}


class Step(NamedTuple):
    """What was found, or what failed; `remedy` is what to do about it, or "".

    `name` is a code, which `step_title` puts into words. `field` is the field of the account to
    look at ("host", "secret"), or ""; `pin` is the SHA-256 of the certificate that would be
    accepted if it were pinned, or "". Page and terminal say in their own way how to change them.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    field: str = ""
    pin: str = ""


def step_title(name: str) -> str:
    """The step's name in the active language. Raises KeyError for a code that there is not."""
    return str(_TITLES[name])


def grouped(number: int) -> str:
    """A whole number as the active language writes it: 12,345 or 12 345."""
    return formats.number_format(number, force_grouping=True)
