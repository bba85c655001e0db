"""The ledger: the fate of every message."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_administrators


@for_administrators
def ledger(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "ledger", "sentence": ""})


paths = [
    path("ledger/", ledger, name="ledger"),
]
