"""The organization's settings."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_administrators


@for_administrators
def organization(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "organization", "sentence": ""})


paths = [
    path("settings", organization, name="organization"),
]
