"""What happens now, as it happens (server-sent events)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def stream(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "stream", "sentence": ""})


paths = [
    path("notifications/stream", stream, name="stream"),
]
