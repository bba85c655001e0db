"""Where one is signed in, ending that, and the password: what keeps others out."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from buzon.desk.models import User
from buzon.web import sessions
from buzon.web.access import PersonRequest, for_agents
from buzon.web.forms import PageForm, sent
from buzon.web.paging import page_of
from buzon.web.passwords import LONGEST, NewPasswordField, replace_password

HERE = {"here": "me"}


class PasswordForm(PageForm):
    current = forms.CharField(
        label=gettext_lazy("Current password"),
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = NewPasswordField(label=gettext_lazy("New password"))


@require_GET
@for_agents
def my_sessions(request: PersonRequest) -> HttpResponse:
    """Every browser in which this login is signed in, the one that asks among them."""
    page = page_of(request, sessions.open_sessions(request.person.user))
    shown = {"page": page, "this_one": request.session.session_key}
    return render(request, "me/sessions.html", shown | HERE)


@require_POST
@for_agents
def my_session_end(request: PersonRequest, pk: int) -> HttpResponse:
    """Ends one of them; ending this one is signing out."""
    row = get_object_or_404(sessions.open_sessions(request.person.user), pk=pk)
    if row.session_key == request.session.session_key:
        sessions.end(request)
        return redirect("sign_in")
    sessions.end_session(row)
    messages.success(request, _("That browser is signed out."))
    return redirect("my_sessions")


@require_POST
@for_agents
def my_other_sessions_end(request: PersonRequest) -> HttpResponse:
    """Ends all but this one."""
    ended = sessions.end_other_sessions(request, request.person.user)
    told = ngettext("{n} browser was signed out.", "{n} browsers were signed out.", ended)
    messages.success(request, told.format(n=ended))
    return redirect("my_sessions")


@require_http_methods(["GET", "POST"])
@for_agents
def my_password(request: PersonRequest) -> HttpResponse:
    """A new password, for who knows the current one; all other browsers are signed out."""
    form = PasswordForm(sent(request))
    user = request.person.user
    if form.is_valid() and form.did(lambda: _replace(user, form.cleaned_data)):
        sessions.keep_after_new_password(request, user)
        told = _("Your password is changed; your other browsers are signed out.")
        messages.success(request, told)
        return redirect("me")
    return render(request, "me/password.html", {"form": form} | HERE)


def _replace(user: User, typed: dict[str, str]) -> None:
    replace_password(user, current=typed["current"], new=typed["password"])


paths = [
    path("me/sessions", my_sessions, name="my_sessions"),
    path("me/sessions/<int:pk>/end", my_session_end, name="my_session_end"),
    path("me/sessions/end-others", my_other_sessions_end, name="my_other_sessions_end"),
    path("me/password", my_password, name="my_password"),
]
