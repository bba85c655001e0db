"""Groups: who shares new customers, whose turn is next and why, and what was handed out (R10)."""

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from buzon.desk.assignment import Turn, Turns, preview, turns
from buzon.desk.models import Agent, AgentGroup, Assignment
from buzon.desk.people import add_group, change_group, remove_group
from buzon.intake.models import CollectionAccount
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, PickSeveralField, sent
from buzon.web.paging import page_of

HERE = {"here": "groups"}
_LATEST = 20  # hand-outs on a group's page
_AHEAD = 10  # new customers whose agents are told beforehand


class MembersField(PickSeveralField):
    """Agents; those who are deactivated say so."""

    def label_from_instance(self, obj: Agent) -> str:
        return obj.name if obj.active else _("{name} (deactivated)").format(name=obj.name)


class GroupForm(PageForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("What its agents do together, such as Sales or Repairs."),
    )
    agents = MembersField(
        label=gettext_lazy("Members"),
        required=False,
        help_text=gettext_lazy("Who joins is the next in turn; who stays keeps the turn."),
    )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as the list shows it."""

    group: AgentGroup
    turns: Turns
    collection_accounts: list[CollectionAccount]


@require_GET
@for_administrators
def groups(request: PersonRequest) -> HttpResponse:
    """Every group: its members, whose turn is next and why, and which mailboxes use it.

    A page that is open asks for it again, because statuses change.
    """
    page = page_of(request, request.person.groups())
    next_in = turns(page.rows)
    using: dict[int | None, list[CollectionAccount]] = {}
    for account in request.person.collection_accounts().filter(group__in=page.rows):
        using.setdefault(account.group_id, []).append(account)
    rows = [GroupRow(row, next_in[row.pk], using.get(row.pk, [])) for row in page.rows]
    template = "groups/rows.html" if request.htmx else "groups/list.html"
    return render(request, template, {"page": page, "rows": rows} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def new_group(request: PersonRequest) -> HttpResponse:
    """The form of a new group."""
    form = _form(request, request.person.agents().filter(active=True))
    if form.is_valid():
        typed, here = form.cleaned_data, request.person.organization
        added = form.does(lambda: add_group(here, typed["name"], agents=typed["agents"]))
        if added is not None:
            messages.success(request, _("Added the group {name}.").format(name=added.name))
            return redirect("group", added.pk)
    return render(request, "groups/form.html", {"form": form, "group": None} | HERE)


@require_GET
@for_administrators
def group(request: PersonRequest, pk: int) -> HttpResponse:
    """One group: its members in the order of their turns, and the last that were handed out."""
    row = get_object_or_404(request.person.groups(), pk=pk)
    next_in = turns([row])[row.pk]
    handed_out = Assignment.objects.filter(group=row, turn__isnull=False)
    latest = handed_out.select_related("customer", "agent").prefetch_related("customer__addresses")
    shown = {
        "group": row,
        "turns": next_in,
        "had_at": _had_at(handed_out, next_in.members),
        "given": latest.order_by("-turn")[:_LATEST],
        "ahead": preview(row, _AHEAD),
        "ahead_count": _AHEAD,
        "collection_accounts": request.person.collection_accounts().filter(group=row),
    }
    template = "groups/live.html" if request.htmx else "groups/one.html"
    return render(request, template, shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def group_change(request: PersonRequest, pk: int) -> HttpResponse:
    """Its name and its members."""
    row = get_object_or_404(request.person.groups(), pk=pk)
    called, members = row.name, list(row.members.values_list("pk", flat=True))
    offered = request.person.agents().filter(Q(active=True) | Q(pk__in=members))
    form = _form(request, offered, initial={"name": called, "agents": members})
    if form.is_valid():
        changed = form.does(lambda: change_group(row, **form.cleaned_data))
        if changed is not None:
            messages.success(request, _("Changed the group {name}.").format(name=changed.name))
            return redirect("group", row.pk)
    shown = {"form": form, "group": row, "called": called}
    return render(request, "groups/form.html", shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def group_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more; a group that mailboxes use says which, and stays."""
    row = get_object_or_404(request.person.groups(), pk=pk)
    form = PageForm(sent(request))
    if form.is_valid() and form.did(lambda: remove_group(row)):
        messages.success(request, _("Removed the group {name}.").format(name=row.name))
        return redirect("groups")
    using = request.person.collection_accounts().filter(group=row)
    shown = {"form": form, "group": row, "collection_accounts": using}
    return render(request, "groups/removal.html", shown | HERE)


def _form(
    request: PersonRequest,
    offered: "QuerySet[Agent]",
    *,
    initial: dict[str, object] | None = None,
) -> GroupForm:
    form = GroupForm(sent(request), initial=initial)
    form.choose_among(agents=offered)
    return form


def _had_at(handed_out: "QuerySet[Assignment]", members: list[Turn]) -> dict[int, datetime]:
    """Turn → when, of each member's last one."""
    last = [member.last_turn for member in members if member.last_turn]
    return {
        turn: at
        for turn, at in handed_out.filter(turn__in=last).values_list("turn", "at")
        if turn is not None
    }


paths = [
    path("groups/", groups, name="groups"),
    path("groups/new", new_group, name="new_group"),
    path("groups/<int:pk>", group, name="group"),
    path("groups/<int:pk>/change", group_change, name="group_change"),
    path("groups/<int:pk>/removal", group_removal, name="group_removal"),
]
