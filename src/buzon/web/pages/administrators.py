"""Administrators: who may change everything of the organization."""

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from buzon.desk.models import Agent, User
from buzon.desk.people import (
    add_administrator,
    administrators,
    change_password,
    let_answer,
    remove_administrator,
)
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent
from buzon.web.new_passwords import NewPasswordForm, shown_once
from buzon.web.pages.agents import AnsweringForm
from buzon.web.sessions import end_sessions

HERE = {"here": "agents"}


class NewAdministratorForm(NewPasswordForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("They sign in with it, and are told of troubles there."),
    )
    field_order = ("email", "password")


@require_GET
@for_administrators
def all_administrators(request: PersonRequest) -> HttpResponse:
    """Each with the agent who has the same login, if there is one."""
    shown = {
        "administrators": _theirs(request).select_related("agent"),
        "has_gone": request.person.agents().filter(active=False).exists(),
    }
    return render(request, "administrators/list.html", shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def new_administrator(request: PersonRequest) -> HttpResponse:
    """Another login that may change everything."""
    form = NewAdministratorForm(sent(request))
    if form.is_valid():
        typed, here = form.cleaned_data, request.person.organization
        added = form.does(
            lambda: add_administrator(here, email=typed["email"], password=typed["password"])
        )
        if added is not None:
            if form.password_made:
                return _told_once(request, added, typed["password"])
            messages.success(request, _("Added the administrator {email}.").format(email=added))
            return redirect("administrators")
    return render(request, "administrators/form.html", {"form": form} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def administrator_password(request: PersonRequest, pk: int) -> HttpResponse:
    """A new password for another administrator, which ends their sessions."""
    login = get_object_or_404(_theirs(request), pk=pk)
    if login == request.person.user:
        return redirect("me")  # one's own password is changed by who knows the old one
    form = NewPasswordForm(sent(request))
    if form.is_valid():
        password = form.cleaned_data["password"]
        if form.did(lambda: change_password(login, password)):
            end_sessions(login)
            if form.password_made:
                return _told_once(request, login, password)
            told = _("{email} signs in with the new password.")
            messages.success(request, told.format(email=login.email))
            return redirect("administrators")
    return render(request, "administrators/password.html", {"form": form, "login": login} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def administrator_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more, and says so where it is oneself. The last one stays."""
    login = get_object_or_404(_theirs(request), pk=pk)
    answers = Agent.objects.filter(user=login, active=True).first()
    oneself, email = login == request.person.user, login.email
    form = PageForm(sent(request))
    if form.is_valid() and form.did(lambda: remove_administrator(login)):
        told = _("{email} is no longer an administrator.").format(email=email)
        messages.success(request, told)
        return redirect("home" if oneself else "administrators")
    shown = {"form": form, "login": login, "oneself": oneself, "answers": answers}
    return render(request, "administrators/removal.html", shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def administrator_agent(request: PersonRequest, pk: int) -> HttpResponse:
    """An administrator answers customers too: an agent with the same login."""
    login = get_object_or_404(_theirs(request).filter(agent=None), pk=pk)
    form = AnsweringForm(request)
    if form.is_valid():
        typed = form.cleaned_data
        made = form.does(lambda: let_answer(login, name=typed["name"], groups=typed["groups"]))
        if made is not None:
            messages.success(request, _("{name} answers customers too.").format(name=made.name))
            return redirect("agent", made.pk)
    return render(request, "administrators/agent.html", {"form": form, "login": login} | HERE)


def _theirs(request: PersonRequest) -> "QuerySet[User]":
    return administrators(request.person.organization)


def _told_once(request: PersonRequest, login: User, password: str) -> HttpResponse:
    back = reverse("administrators")
    return shown_once(request, who=login.email, email=login.email, password=password, back=back)


paths = [
    path("administrators/", all_administrators, name="administrators"),
    path("administrators/new", new_administrator, name="new_administrator"),
    path("administrators/<int:pk>/password", administrator_password, name="administrator_password"),
    path("administrators/<int:pk>/removal", administrator_removal, name="administrator_removal"),
    path("administrators/<int:pk>/agent", administrator_agent, name="administrator_agent"),
]
