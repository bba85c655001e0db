"""What a person sets for themselves: status, language, password, copies; and their sessions."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from buzon.desk.errors import DeskError
from buzon.desk.people import set_status
from buzon.web.access import PersonRequest, for_agents
from buzon.web.way_back import way_back


@require_GET
@for_agents
def me(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "me", "sentence": ""})


@require_POST
@for_agents
def my_status(request: PersonRequest) -> HttpResponse:
    """From the header's menu: the agent's own status, kept over signing out (R12)."""
    agent = request.person.agent
    if agent is None:
        raise Http404
    try:
        set_status(agent, request.POST.get("status", ""))
    except DeskError as refusal:
        messages.error(request, refusal.sentence)
    return redirect(way_back(request))


paths = [
    path("me", me, name="me"),
    path("me/status", my_status, name="my_status"),
]
