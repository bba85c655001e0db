"""What an incoming mailbox held before the first look: pause it, leave the rest, have it again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from buzon.intake.account_values import AccountError
from buzon.intake.asked_history import (
    cancel_history,
    collect_again,
    pause_history,
    resume_history,
)
from buzon.intake.models import CollectionAccount
from buzon.intake.overview import overviews
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent
from buzon.web.shown import number

HERE = {"here": "collection_accounts"}


class AgainForm(PageForm):
    """From which day on; empty is from the beginning."""

    since = forms.DateField(
        label=gettext_lazy("From this day on"),
        required=False,
        help_text=gettext_lazy("Leave it empty for all that is there."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@require_POST
@for_administrators
def collection_account_history(request: PersonRequest, pk: int) -> HttpResponse:
    """Pause the first download, or go on with it: `verb` is pause or resume."""
    row = _row(request, pk)
    try:
        if request.POST.get("verb") == "pause":
            pause_history(row)
            told = _("The first download of {name} waits. New letters are collected all the same.")
        else:
            resume_history(row)
            told = _("The first download of {name} goes on.")
        messages.success(request, told.format(name=row.name))
    except AccountError as refusal:
        for _field, sentence in refusal.all:
            messages.error(request, sentence)
    return redirect("collection_account", row.pk)


@require_http_methods(["GET", "POST"])
@for_administrators
def collection_account_cancelling(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more, and says what stays where."""
    row = _row(request, pk)
    if request.method == "POST":
        left = cancel_history(row)
        told = ngettext(
            "{number} letter stays on the server of {name}.",
            "{number} letters stay on the server of {name}.",
            left,
        )
        messages.success(request, told.format(number=number(left), name=row.name))
        return redirect("collection_account", row.pk)
    (overview,) = overviews([row])
    first = overview.first_download
    left = first.whole.total - first.whole.done if first else 0
    words: dict[str, Any] = {"account": row, "left": left}
    return render(request, "collection_accounts/cancelling.html", words | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def collection_account_again(request: PersonRequest, pk: int) -> HttpResponse:
    """Collect the mail of before once more, from a day on."""
    row = _row(request, pk)
    form = AgainForm(sent(request))
    if form.is_valid():
        since = form.cleaned_data["since"]
        if form.does(lambda: collect_again(row, since=since)) is not None:
            told = _("{name} is being looked through again. What is here already is recognised.")
            messages.success(request, told.format(name=row.name))
            return redirect("collection_account", row.pk)
    words: dict[str, Any] = {"account": row, "form": form}
    return render(request, "collection_accounts/again.html", words | HERE)


def _row(request: PersonRequest, pk: int) -> CollectionAccount:
    rows = request.person.collection_accounts().select_related("organization")
    return get_object_or_404(rows, pk=pk)


paths = [
    path(
        "collection-accounts/<int:pk>/history",
        collection_account_history,
        name="collection_account_history",
    ),
    path(
        "collection-accounts/<int:pk>/history/cancelling",
        collection_account_cancelling,
        name="collection_account_cancelling",
    ),
    path(
        "collection-accounts/<int:pk>/again",
        collection_account_again,
        name="collection_account_again",
    ),
]
