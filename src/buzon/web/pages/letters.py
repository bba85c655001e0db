"""Letters: the list, and one with its attachments."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def letters(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "letters", "sentence": ""})


paths = [
    path("letters/", letters, name="letters"),
]
