"""Where a person begins: what waits for them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def home(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "home", "sentence": ""})


paths = [
    path("", home, name="home"),
]
