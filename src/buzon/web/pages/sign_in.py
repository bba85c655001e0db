"""Signing in and out."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents, public


@public
def sign_in(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "sign_in", "sentence": ""})


@for_agents
def sign_out(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "sign_out", "sentence": ""})


paths = [
    path("sign-in", sign_in, name="sign_in"),
    path("sign-out", sign_out, name="sign_out"),
]
