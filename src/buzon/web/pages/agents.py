"""Agents and administrators."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_administrators


@for_administrators
def agents(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "agents", "sentence": ""})


paths = [
    path("agents/", agents, name="agents"),
]
