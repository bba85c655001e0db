"""A password for somebody else: typed by the administrator, or made here and shown once.

A password that was made is in the one answer to the form that asked for it, and nowhere else: no
session and no row holds it, so that page is the answer itself and not the target of a redirect.
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from buzon.web.access import PersonRequest
from buzon.web.forms import PageForm
from buzon.web.passwords import NewPasswordField
from buzon.web.spelled import spelled


class NewPasswordForm(PageForm):
    """A form with the field `password`; empty: one is made. `password_made` says whether."""

    password = NewPasswordField(
        label=gettext_lazy("Password"),
        required=False,
        help_text=gettext_lazy("Leave it empty and Buzón makes one and shows it to you once."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.password_made = False

    def clean_password(self) -> str:
        """What was typed, else what we made."""
        typed: str = self.cleaned_data["password"]
        self.password_made = not typed
        return typed or made_password()


def made_password() -> str:
    """Four groups of four letters and digits, easy to read out: 79 bits."""
    return spelled(groups=4, of=4)


def shown_once(
    request: PersonRequest, *, who: str, email: str, password: str, back: str
) -> HttpResponse:
    """The answer that shows a password that was made; `back` is where to go on."""
    shown = {"who": who, "email": email, "password": password, "back": back, "here": "agents"}
    return render(request, "agents/first_password.html", shown)
