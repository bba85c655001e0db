"""Customers: the list, and the card of one: addresses, letters, who got them and why."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from buzon.desk.models import Assignment, Customer, CustomerAddress
from buzon.intake.asked import AskedError, earlier_letters, fetch_earlier_letters
from buzon.web.access import Person, PersonRequest, for_agents
from buzon.web.forms import Filters, PickField
from buzon.web.letter_rows import listed
from buzon.web.paging import page_of

HERE = {"here": "customers"}
MOST_ASSIGNMENTS = 20  # on a card


class CustomerFilters(Filters):
    """Which customers the list shows."""

    q = forms.CharField(
        label=gettext_lazy("Search in names and addresses"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    store = PickField(label=gettext_lazy("Store"), required=False, none=gettext_lazy("All stores"))
    agent = PickField(label=gettext_lazy("Agent"), required=False, none=gettext_lazy("All agents"))
    show = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[
            ("", gettext_lazy("All customers")),
            ("unassigned", gettext_lazy("Without an agent")),
            ("left_behind", gettext_lazy("Of deactivated agents")),
        ],
    )

    def __init__(self, person: Person, *args: Any) -> None:
        super().__init__(*args)
        self.choose_among(store=person.stores(), agent=person.agents())
        if not person.is_administrator:  # all of them are this agent's own
            del self.fields["agent"], self.fields["show"]

    def chosen(self, customers: "QuerySet[Customer]") -> "QuerySet[Customer]":
        """Of these customers those that were asked for."""
        asked = self.asked
        if words := asked.get("q"):
            found = CustomerAddress.objects.filter(address__folded__contains=words).values(
                "customer"
            )
            customers = customers.filter(Q(name__folded__contains=words) | Q(pk__in=found))
        for name in ("store", "agent"):
            if asked.get(name):
                customers = customers.filter(**{name: asked[name]})
        if asked.get("show") == "unassigned":
            customers = customers.filter(agent=None)
        elif asked.get("show") == "left_behind":
            customers = customers.filter(agent__active=False)
        return customers


@require_GET
@for_agents
def customers(request: PersonRequest) -> HttpResponse:
    """Whose letter came last first."""
    form = CustomerFilters(request.person, request.GET)
    rows = form.chosen(request.person.customers())
    newest = rows.order_by(F("last_active_at").desc(nulls_last=True), "-pk")
    page = page_of(request, newest.select_related("store", "agent").prefetch_related("addresses"))
    context = {"page": page, "form": form, "is_asked": form.is_asked}
    return render(request, "customers/list.html", context | HERE)


@require_GET
@for_agents
def customer(request: PersonRequest, pk: int) -> HttpResponse:
    """The card."""
    row = get_object_or_404(_with_its_own(request), pk=pk)
    # An agent's customers' letters are that agent's: all of them are here.
    page = page_of(request, listed(row.messages.all()))
    assignments = Assignment.objects.filter(customer=row).order_by("-pk")
    context = {
        "customer": row,
        "page": page,
        "assignments": assignments.select_related("agent", "group")[:MOST_ASSIGNMENTS],
        "earlier": earlier_letters(row),
    }
    return render(request, "customers/card.html", context | HERE)


@require_POST
@for_agents
def customer_earlier_letters(request: PersonRequest, pk: int) -> HttpResponse:
    """What lies on the servers from before this was a customer is downloaded next."""
    row = get_object_or_404(_with_its_own(request), pk=pk)
    address = row.addresses.all()[0].address
    try:
        number = fetch_earlier_letters(request.person.organization, address)
    except AskedError as refusal:
        messages.error(request, refusal.sentence)
    else:
        told = ngettext(
            "{n} letter is downloaded with the next collection.",
            "{n} letters are downloaded with the next collection.",
            number,
        )
        messages.success(request, told.format(n=number))
    return redirect("customer", pk=row.pk)


def _with_its_own(request: PersonRequest) -> "QuerySet[Customer]":
    rows = request.person.customers().select_related("store", "agent")
    return rows.prefetch_related("addresses")


paths = [
    path("customers/", customers, name="customers"),
    path("customers/<int:pk>", customer, name="customer"),
    path(
        "customers/<int:pk>/earlier-letters",
        customer_earlier_letters,
        name="customer_earlier_letters",
    ),
]
