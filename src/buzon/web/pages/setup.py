"""From nothing to the first letter: the steps of setting up."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, public


@public
def setup(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "setup", "sentence": ""})


paths = [
    path("setup", setup, name="setup"),
]
