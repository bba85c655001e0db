"""Customers: the list, the card, adding, importing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from buzon.web.access import PersonRequest, for_agents


@for_agents
def customers(request: PersonRequest) -> HttpResponse:
    return render(request, "refusal.html", {"title": "customers", "sentence": ""})


paths = [
    path("customers/", customers, name="customers"),
]
