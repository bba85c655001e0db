"""What a person sets for themselves: status, language, password, copies; and their sessions."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def me(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "me", "sentence": ""})


@for_agents
def my_status(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "my_status", "sentence": ""})


paths = [
    path("me", me, name="me"),
    path("me/status", my_status, name="my_status"),
]
