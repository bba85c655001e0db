"""Incoming mailboxes: the list, which refreshes itself, and the addresses of all their pages."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from buzon.intake.models import Arrival
from buzon.intake.overview import allowance, overviews
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.pages.collection_account import paths as paths_of_one
from buzon.web.pages.collection_account_form import paths as paths_of_form
from buzon.web.pages.collection_account_state import condition_of, pace_of

HERE = {"here": "collection_accounts"}


@require_GET
@for_administrators
def collection_accounts(request: PersonRequest) -> HttpResponse:
    """All of them with state, counts and progress; `?part=rows` is what refreshes itself."""
    rows = overviews(request.person.collection_accounts().select_related("store"))
    words: dict[str, Any] = {
        "rows": [(row, condition_of(row)) for row in rows],
        "outcomes": Arrival.Outcome.choices,
        "pace_of": pace_of,
    }
    if request.GET.get("part") == "rows":
        return render(request, "collection_accounts/rows.html", words)
    words |= {"allowance": allowance(request.person.organization)} | HERE
    return render(request, "collection_accounts/list.html", words)


paths = [
    path("collection-accounts/", collection_accounts, name="collection_accounts"),
    *paths_of_form,
    *paths_of_one,
]
