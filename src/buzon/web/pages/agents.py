"""Agents: the list, adding and changing one, its status, its login, leaving and coming back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from buzon.desk.alphabet import by_name
from buzon.desk.errors import DeskError
from buzon.desk.models import Agent, AgentGroup, Assignment, Customer, User
from buzon.desk.people import (
    add_agent,
    change_agent,
    deactivate_agent,
    give_login,
    reactivate_agent,
    set_status,
)
from buzon.notify.copies import are_set_up
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.counts import number_of
from buzon.web.forms import PageForm, PickSeveralField, keys, sent
from buzon.web.new_passwords import NewPasswordForm, shown_once
from buzon.web.paging import page_of
from buzon.web.sessions import end_sessions

HERE = {"here": "agents"}
_LATEST = 20  # hand-outs on an agent's page


class AnsweringForm(PageForm):
    """How somebody who answers customers is called, and in which groups they are."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As colleagues call them."),
    )
    groups = PickSeveralField(
        label=gettext_lazy("Groups"),
        required=False,
        help_text=gettext_lazy("New customers are shared out evenly among a group's agents."),
    )

    def __init__(self, request: PersonRequest, **options: Any) -> None:
        super().__init__(sent(request), **options)
        self.choose_among(groups=request.person.groups())


class AgentForm(AnsweringForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Copies of notifications go there, and they sign in with it."),
    )


class NewAgentForm(AgentForm, NewPasswordForm):
    """With a login, or without one."""

    signs_in = forms.BooleanField(
        label=gettext_lazy("Can sign in"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Without a login an agent still gets customers, and copies by e-mail."
        ),
    )
    field_order = ("name", "email", "groups", "signs_in", "password")

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        if self.data.get("password") and not typed.get("signs_in"):
            self.add_error(
                "password", _("Nobody signs in with it: say that they can, or empty it.")
            )
        return typed


class ChangeAgentForm(AgentForm):
    """With the wish for copies by e-mail (R13)."""

    copies = forms.ChoiceField(
        label=gettext_lazy("Copies of notifications by e-mail"),
        choices=Agent.Copies.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("The agent can change this, too."),
    )
    field_order = ("name", "email", "copies", "groups")


@require_GET
@for_administrators
def agents(request: PersonRequest) -> HttpResponse:
    """All agents, each with status and presence; those who are deactivated apart.

    A page that is open asks for its rows again, so that both facts stay true.
    """
    everybody, gone = request.person.agents(), request.GET.get("show") == "deactivated"
    rows = (
        everybody.filter(active=not gone)
        .select_related("user")
        .prefetch_related(Prefetch("groups", by_name(AgentGroup.objects.all())))
        .annotate(customer_count=number_of(Customer, "agent"))
    )
    shown = {
        "page": page_of(request, rows),
        "gone": gone,
        "has_gone": gone or everybody.filter(active=False).exists(),
    }
    template = "agents/rows.html" if request.htmx else "agents/list.html"
    return render(request, template, shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def new_agent(request: PersonRequest) -> HttpResponse:
    """The form of a new agent."""
    form = NewAgentForm(request)
    if form.is_valid():
        typed = form.cleaned_data
        password = typed["password"] if typed["signs_in"] else None
        added = form.does(
            lambda: add_agent(
                request.person.organization,
                name=typed["name"],
                email=typed["email"],
                groups=typed["groups"],
                password=password,
            )
        )
        if added is not None:
            if password is not None and form.password_made:
                return _told_once(request, added, password)
            messages.success(request, _("Added the agent {name}.").format(name=added.name))
            return redirect("agent", added.pk)
    return render(request, "agents/form.html", {"form": form, "agent": None} | HERE)


@require_GET
@for_administrators
def agent(request: PersonRequest, pk: int) -> HttpResponse:
    """One agent: status, presence, login, groups, customers, and what it was given and why."""
    row = get_object_or_404(request.person.agents().select_related("user"), pk=pk)
    given = Assignment.objects.filter(agent=row).select_related("customer", "group")
    shown = {
        "agent": row,
        "groups": by_name(row.groups.all()),
        "customer_count": row.customers.count(),
        "given": given.prefetch_related("customer__addresses").order_by("-pk")[:_LATEST],
        "copies_are_set_up": are_set_up(),
    }
    return render(request, "agents/one.html", shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def agent_change(request: PersonRequest, pk: int) -> HttpResponse:
    """Name, e-mail, copies, groups."""
    row = get_object_or_404(request.person.agents(), pk=pk)
    before = {"name": row.name, "email": row.email, "copies": row.email_copies}
    form = ChangeAgentForm(request, initial=before | {"groups": keys(row.groups.all())})
    if form.is_valid():
        changed = form.does(lambda: change_agent(row, **form.cleaned_data))
        if changed is not None:
            messages.success(request, _("Changed {name}.").format(name=changed.name))
            return redirect("agent", row.pk)
    shown = {"form": form, "agent": row, "called": before["name"]}
    return render(request, "agents/form.html", shown | HERE)


@require_POST
@for_administrators
def agent_status(request: PersonRequest, pk: int) -> HttpResponse:
    """An administrator sets somebody's status by hand (R12)."""
    row = get_object_or_404(request.person.agents(), pk=pk)
    try:
        set_status(row, request.POST.get("status", ""))
    except DeskError as error:
        messages.error(request, error.sentence)
    else:
        told = _("{name} is now: {status}.")
        messages.success(request, told.format(name=row.name, status=row.get_status_display()))
    return redirect("agent", row.pk)


@require_http_methods(["GET", "POST"])
@for_administrators
def agent_login(request: PersonRequest, pk: int) -> HttpResponse:
    """Gives a login, or a new password, which ends whatever was signed in with the old one."""
    row = get_object_or_404(request.person.agents().select_related("user"), pk=pk)
    if row.user == request.person.user:
        return redirect("me")  # one's own password is changed by who knows the old one
    form = NewPasswordForm(sent(request))
    if form.is_valid():
        password = form.cleaned_data["password"]
        login = form.does(lambda: give_login(row, password))
        if login is not None:
            end_sessions(login)
            if form.password_made:
                return _told_once(request, row, password)
            told = _("{name} signs in with {email} and the new password.")
            messages.success(request, told.format(name=row.name, email=login.email))
            return redirect("agent", row.pk)
    return render(request, "agents/login.html", {"form": form, "agent": row} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def agent_deactivation(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more: how many customers stay behind, and what becomes of them."""
    row = get_object_or_404(request.person.agents(), pk=pk)
    if request.method == "POST":
        deactivate_agent(row)
        if row.user is not None and row.user.role == User.Role.AGENT:
            end_sessions(row.user)
        messages.success(request, _("Deactivated {name}.").format(name=row.name))
        return redirect("agent", row.pk)
    shown = {"agent": row, "customer_count": row.customers.count()}
    return render(request, "agents/deactivation.html", shown | HERE)


@require_POST
@for_administrators
def agent_reactivation(request: PersonRequest, pk: int) -> HttpResponse:
    """The agent is back: gets customers again, and can sign in if there is a login."""
    row = get_object_or_404(request.person.agents(), pk=pk)
    reactivate_agent(row)
    messages.success(request, _("{name} is back.").format(name=row.name))
    return redirect("agent", row.pk)


def _told_once(request: PersonRequest, row: Agent, password: str) -> HttpResponse:
    back = reverse("agent", args=[row.pk])
    return shown_once(request, who=row.name, email=row.email, password=password, back=back)


paths = [
    path("agents/", agents, name="agents"),
    path("agents/new", new_agent, name="new_agent"),
    path("agents/<int:pk>", agent, name="agent"),
    path("agents/<int:pk>/change", agent_change, name="agent_change"),
    path("agents/<int:pk>/status", agent_status, name="agent_status"),
    path("agents/<int:pk>/login", agent_login, name="agent_login"),
    path("agents/<int:pk>/deactivation", agent_deactivation, name="agent_deactivation"),
    path("agents/<int:pk>/reactivation", agent_reactivation, name="agent_reactivation"),
]
