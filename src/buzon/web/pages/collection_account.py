"""One incoming mailbox: how it is doing, and what may be done with it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from buzon.intake.account_values import AccountError
from buzon.intake.accounts import (
    change_account,
    collect_now,
    only_here,
    remove_account,
    resume_account,
)
from buzon.intake.check import Step, step_title
from buzon.intake.check_in_time import check_saved
from buzon.intake.models import Arrival, CollectionAccount
from buzon.intake.overview import (
    Overview,
    failing_arrivals,
    folder_counts,
    latest_arrivals,
    overviews,
    waits_for_customers,
)
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.checking import check_within_limit
from buzon.web.forms import PageForm, sent
from buzon.web.pages.collection_account_history import paths as paths_of_history
from buzon.web.pages.collection_account_state import condition_of, pace_of
from buzon.web.shown import number

HERE = {"here": "collection_accounts"}
MOST_LATEST = 10
MOST_FAILING = 5


class Removal(PageForm):
    """What is asked where messages would be lost with the account."""

    discard = forms.BooleanField(
        label=gettext_lazy("They may be lost"),
        required=False,
    )


@require_GET
@for_administrators
def collection_account(request: PersonRequest, pk: int) -> HttpResponse:
    """The whole page; `?part=state` and `?part=mail` are what refreshes itself."""
    row = _row(request, pk)
    parts = {"state": _state, "mail": _mail}
    part = request.GET.get("part", "")
    if part in parts:
        (overview,) = overviews([row])
        return render(request, f"collection_accounts/{part}.html", parts[part](row, overview))
    return _page(request, row)


@require_POST
@for_administrators
def collection_account_due(request: PersonRequest, pk: int) -> HttpResponse:
    """Collect now, whatever the back-off says."""
    row = _row(request, pk)
    return _done(request, row, lambda: collect_now(row), _("{name} is being collected."))


@require_POST
@for_administrators
def collection_account_active(request: PersonRequest, pk: int) -> HttpResponse:
    """Pause it, or let it go on: `active` is yes or no."""
    row = _row(request, pk)
    active = request.POST.get("active") == "yes"
    told = _("{name} goes on.") if active else _("{name} is paused.")
    return _done(request, row, lambda: change_account(row, active=active), told)


@require_POST
@for_administrators
def collection_account_resumption(request: PersonRequest, pk: int) -> HttpResponse:
    """Go on after a stop: the question was read on the account's page."""
    row = _row(request, pk)
    return _done(request, row, lambda: resume_account(row), _("{name} goes on."))


@require_POST
@for_administrators
def collection_account_certificate(request: PersonRequest, pk: int) -> HttpResponse:
    """Accept exactly the certificate that the check has shown."""
    row = _row(request, pk)
    trusted = request.POST.get("trust", "")
    told = _("From now on {name} accepts exactly this certificate.")
    return _done(request, row, lambda: change_account(row, pinned_sha256=trusted), told)


@require_POST
@for_administrators
def collection_account_check(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask the server, step by step; changes nothing."""
    row = _row(request, pk)
    form = PageForm({})
    steps = form.does(lambda: check_within_limit(row.organization, lambda: check_saved(row)))
    if not request.htmx:
        return _page(request, row, steps=steps, form=form)
    words = {"steps": steps, "step_title": step_title, "form": form, "in_form": False}
    return render(request, "collection_accounts/check.html", {"account": row} | words)


@require_http_methods(["GET", "POST"])
@for_administrators
def collection_account_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more, and says what goes and what stays."""
    row = _row(request, pk)
    form = Removal(sent(request))
    removed = None
    if form.is_valid():
        removed = form.does(lambda: remove_account(row, discard=form.cleaned_data["discard"]))
    if removed is not None:
        told = ngettext(
            "Removed {name} and {number} row of its ledger.",
            "Removed {name} and {number} rows of its ledger.",
            removed.arrivals,
        )
        rows = number(removed.arrivals)
        messages.success(request, told.format(name=row.name, number=rows))
        return redirect("collection_accounts")
    words = {
        "form": form,
        "account": row,
        "arrivals": row.arrivals.count(),
        "only_here": only_here(row),
    }
    return render(request, "collection_accounts/removal.html", words | HERE)


def _row(request: PersonRequest, pk: int) -> CollectionAccount:
    rows = request.person.collection_accounts()
    return get_object_or_404(rows.select_related("organization", "store", "group"), pk=pk)


def _done(
    request: PersonRequest,
    row: CollectionAccount,
    verb: Callable[[], CollectionAccount],
    told: str,
) -> HttpResponse:
    """Do it, say what was done or why not, and show the account again."""
    try:
        messages.success(request, told.format(name=verb().name))
    except AccountError as refusal:
        for _field, sentence in refusal.all:
            messages.error(request, sentence)
    return redirect("collection_account", row.pk)


def _state(row: CollectionAccount, overview: Overview) -> dict[str, Any]:
    return {
        "account": row,
        "overview": overview,
        "condition": condition_of(overview),
        "outcomes": Arrival.Outcome.choices,
        "waits_for_customers": not row.create_customer and waits_for_customers(row.organization),
        "pace_of": pace_of,
    }


def _mail(row: CollectionAccount, overview: Overview) -> dict[str, Any]:
    first = overview.first_download
    return {
        "account": row,
        "reaches": first.folders if first and len(first.folders) > 1 else {},
        "pace_of": pace_of,
        "folders": folder_counts(row),
        "latest": list(latest_arrivals(row, most=MOST_LATEST)),
        "failing": list(failing_arrivals(row, most=MOST_FAILING)),
    }


def _page(
    request: PersonRequest,
    row: CollectionAccount,
    *,
    steps: list[Step] | None = None,
    form: PageForm | None = None,
) -> HttpResponse:
    words = {
        "steps": steps,
        "step_title": step_title,
        "form": form or PageForm(),
        "in_form": False,
    }
    (overview,) = overviews([row])
    words |= _state(row, overview) | _mail(row, overview) | HERE
    return render(request, "collection_accounts/account.html", words)


paths = [
    *paths_of_history,
    path("collection-accounts/<int:pk>", collection_account, name="collection_account"),
    path(
        "collection-accounts/<int:pk>/due",
        collection_account_due,
        name="collection_account_due",
    ),
    path(
        "collection-accounts/<int:pk>/active",
        collection_account_active,
        name="collection_account_active",
    ),
    path(
        "collection-accounts/<int:pk>/resumption",
        collection_account_resumption,
        name="collection_account_resumption",
    ),
    path(
        "collection-accounts/<int:pk>/certificate",
        collection_account_certificate,
        name="collection_account_certificate",
    ),
    path(
        "collection-accounts/<int:pk>/check",
        collection_account_check,
        name="collection_account_check",
    ),
    path(
        "collection-accounts/<int:pk>/removal",
        collection_account_removal,
        name="collection_account_removal",
    ),
]
