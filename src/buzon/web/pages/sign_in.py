"""Signing in and out, and the language of who has not signed in yet."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from buzon.desk.logins import has_administrator
from buzon.web import sessions, setting_up
from buzon.web.access import PersonRequest, for_agents, person_of, public
from buzon.web.forms import PageForm, sent
from buzon.web.language import SPOKEN
from buzon.web.limits import network_of
from buzon.web.signing_in import login_with
from buzon.web.way_back import way_back

_YEAR = 365 * 24 * 3600  # seconds


class SignInForm(PageForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


@require_http_methods(["GET", "POST"])
@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form; whoever is signed in already is led on, and before anybody can, to the set-up."""
    if person_of(request) is not None:
        return redirect(way_back(request))
    if not has_administrator():
        return redirect("setup")
    form = SignInForm(sent(request))
    if form.is_valid():
        given = form.cleaned_data
        user = form.does(lambda: login_with(network=network_of(request), **given))
        if user is not None:
            sessions.begin(request, user)
            return redirect(way_back(request))
    shown = {"form": form, "next": way_back(request), "set_up_is_open": setting_up.is_open()}
    return render(request, "sign_in/page.html", shown)


@require_POST
@for_agents
def sign_out(request: PersonRequest) -> HttpResponse:
    """Ends this browser's session; the page that follows keeps the person's language."""
    spoken = request.person.user.language
    sessions.end(request)
    messages.success(request, _("You are signed out."))
    response = redirect("sign_in")
    if spoken:
        keep_language(response, spoken)
    return response


@require_POST
@public
def language(request: HttpRequest) -> HttpResponse:
    """The language of this browser, kept by a cookie until somebody signs in who chose another."""
    response = redirect(way_back(request))
    if (wanted := request.POST.get("language", "")) in SPOKEN:
        keep_language(response, wanted)
    return response


def keep_language(response: HttpResponse, code: str) -> None:
    """The cookie that `language.language_of` reads."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


paths = [
    path("sign-in", sign_in, name="sign_in"),
    path("sign-out", sign_out, name="sign_out"),
    path("language", language, name="language"),
]
