"""A forgotten password: asking for a link, and the page that it leads to."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from buzon.web import sessions
from buzon.web.access import public
from buzon.web.forgotten import ask_for_link, links_are_sent, login_of_link, use_link
from buzon.web.forms import PageForm, sent
from buzon.web.limits import network_of
from buzon.web.passwords import NewPasswordField


class ForgottenForm(PageForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(PageForm):
    password = NewPasswordField(label=gettext_lazy("New password"))


@require_http_methods(["GET", "POST"])
@public
def forgotten(request: HttpRequest) -> HttpResponse:
    """The form; where no e-mail can be sent, whom to ask."""
    if not links_are_sent():
        return render(request, "sign_in/forgotten.html", {"form": None})
    form = ForgottenForm(sent(request))
    if form.is_valid() and form.did(lambda: _ask(request, form.cleaned_data["email"])):
        return redirect("forgotten_asked")
    return render(request, "sign_in/forgotten.html", {"form": form})


@require_GET
@public
def forgotten_asked(request: HttpRequest) -> HttpResponse:
    """The same for every address."""
    return render(request, "sign_in/forgotten_asked.html", {})


@require_http_methods(["GET", "POST"])
@public
def new_password(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Where the link leads to; a link that is not good any more says so."""
    user = login_of_link(pk, token)
    if user is None:
        return render(request, "sign_in/link_void.html", {}, status=404)
    form = NewPasswordForm(sent(request))
    if form.is_valid() and form.did(lambda: use_link(user, form.cleaned_data["password"])):
        sessions.begin(request, user)
        messages.success(request, _("Your password is changed, and you are signed in."))
        return redirect("home")
    return render(request, "sign_in/new_password.html", {"form": form, "email": user.email})


def _ask(request: HttpRequest, email: str) -> None:
    ask_for_link(email=email, network=network_of(request))


paths = [
    path("sign-in/forgotten", forgotten, name="forgotten"),
    path("sign-in/forgotten/asked", forgotten_asked, name="forgotten_asked"),
    path("sign-in/new-password/<int:pk>/<str:token>", new_password, name="new_password"),
]
