"""Incoming mailboxes: the list, the form, the check, one in detail."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_administrators


@for_administrators
def collection_accounts(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "collection_accounts", "sentence": ""})


paths = [
    path("collection-accounts/", collection_accounts, name="collection_accounts"),
]
