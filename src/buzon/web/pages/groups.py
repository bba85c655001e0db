"""Groups, and whose turn is next."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_administrators


@for_administrators
def groups(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "groups", "sentence": ""})


paths = [
    path("groups/", groups, name="groups"),
]
