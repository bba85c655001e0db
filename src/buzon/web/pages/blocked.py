"""Blocked senders and domains, whose mail is ignored."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from buzon.desk.blocking import block_sender, blocked_senders, unblock_sender
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent
from buzon.web.paging import page_of

HERE = {"here": "organization"}


class BlockForm(PageForm):
    written = forms.CharField(
        label=gettext_lazy("E-mail address or domain"),
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A domain blocks all its addresses, but not those of its subdomains."
        ),
    )


@require_http_methods(["GET", "POST"])
@for_administrators
def blocked(request: PersonRequest) -> HttpResponse:
    """All that is blocked, and a field to block more."""
    form = BlockForm(sent(request))
    if form.is_valid():
        written = form.cleaned_data["written"]
        added = form.does(lambda: block_sender(request.person.organization, written))
        if added is not None:
            messages.success(request, _("Blocked {pattern}.").format(pattern=added.pattern))
            return redirect("blocked")
    page = page_of(request, blocked_senders(request.person.organization))
    return render(request, "blocked/list.html", {"form": form, "page": page} | HERE)


@require_POST
@for_administrators
def blocked_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Mail of this sender is collected again from now on."""
    row = get_object_or_404(blocked_senders(request.person.organization), pk=pk)
    unblock_sender(request.person.organization, row.pattern)
    messages.success(request, _("{pattern} is not blocked any more.").format(pattern=row.pattern))
    return redirect("blocked")


paths = [
    path("settings/blocked", blocked, name="blocked"),
    path("settings/blocked/<int:pk>/removal", blocked_removal, name="blocked_removal"),
]
