"""What a person was told."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def notifications(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "notifications", "sentence": ""})


paths = [
    path("notifications/", notifications, name="notifications"),
]
