"""Customers: added, changed, given to another agent, imported from a list, removed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from buzon.desk.customers import (
    Imported,
    add_customer,
    change_customer,
    import_csv,
    remove_customer,
)
from buzon.desk.models import Agent, Customer, User
from buzon.web.access import Person, PersonRequest, for_administrators, for_agents
from buzon.web.forms import LinesField, PageForm, PickField, sent

HERE = {"here": "customers"}
LARGEST_LIST = 10_000_000  # octets: some 200,000 customers


class CustomerForm(PageForm):
    """What a person knows of a customer. The store is decided when the customer is added."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Without one, the first address is shown."),
    )
    addresses = LinesField(
        label=gettext_lazy("E-mail addresses"),
        help_text=gettext_lazy(
            "One on each line. Letters from these addresses are linked to this customer."
        ),
    )


class NewCustomerForm(CustomerForm):
    """With where it belongs, and (for an administrator) whose it is."""

    store = PickField(
        label=gettext_lazy("Store"),
        required=False,
        none=gettext_lazy("No store: a customer of all of them"),
        help_text=gettext_lazy(
            "Letters to this store are looked up among its customers first. This cannot be"
            " changed later."
        ),
    )
    agent = PickField(
        label=gettext_lazy("Agent"),
        required=False,
        none=gettext_lazy("Nobody yet"),
        help_text=gettext_lazy("Who answers this customer, and is told of it."),
    )

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose_among(store=person.stores(), agent=_working(person))
        if not person.is_administrator:  # an agent's new customer is that agent's
            del self.fields["agent"]


class AgentForm(PageForm):
    agent = PickField(
        label=gettext_lazy("Agent"),
        required=False,
        none=gettext_lazy("Nobody"),
        help_text=gettext_lazy("The new agent is told, and sees all letters of this customer."),
    )

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose_among(agent=_working(person))


class ImportForm(PageForm):
    lines = forms.FileField(
        label=gettext_lazy("CSV file"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )
    store = PickField(
        label=gettext_lazy("Store"),
        required=False,
        none=gettext_lazy("No store: customers of all of them"),
        help_text=gettext_lazy("For the customers for whom the list names none."),
    )

    def __init__(self, person: Person, *args: Any) -> None:
        super().__init__(*args)
        self.choose_among(store=person.stores())

    def clean_lines(self) -> Any:
        given = self.cleaned_data["lines"]
        if given.size > LARGEST_LIST:
            told = _("The list may have {most} MB at most; split it.")
            raise forms.ValidationError(told.format(most=LARGEST_LIST // 1_000_000))
        return given


@require_http_methods(["GET", "POST"])
@for_agents
def new_customer(request: PersonRequest) -> HttpResponse:
    """The form of a new customer; an agent's new customer is that agent's."""
    person = request.person
    offered = {"addresses": request.GET.getlist("address")}
    form = NewCustomerForm(person, sent(request), initial=offered)
    if form.is_valid():
        typed = {"agent": person.agent} | form.cleaned_data
        added = form.does(lambda: add_customer(person.organization, **typed, by=_giver(person)))
        if added is not None:
            told = _("Added the customer {name}.").format(name=added.shown_name())
            messages.success(request, told)
            return redirect("customer", pk=added.pk)
    return render(request, "customers/form.html", {"form": form, "customer": None} | HERE)


@require_http_methods(["GET", "POST"])
@for_agents
def customer_change(request: PersonRequest, pk: int) -> HttpResponse:
    """Name and addresses."""
    row = get_object_or_404(request.person.customers().select_related("store"), pk=pk)
    addresses = list(row.addresses.order_by("pk").values_list("address", flat=True))
    known = {"name": row.name, "addresses": addresses}
    form = CustomerForm(sent(request), initial=known)
    if form.is_valid():
        changed = form.does(lambda: change_customer(row, **form.cleaned_data))
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("customer", pk=row.pk)
    return render(request, "customers/form.html", {"form": form, "customer": row} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def customer_agent(request: PersonRequest, pk: int) -> HttpResponse:
    """Given to another agent, or taken away."""
    row = get_object_or_404(request.person.customers().select_related("agent"), pk=pk)
    form = AgentForm(request.person, sent(request), initial={"agent": row.agent_id})
    if form.is_valid():
        agent = form.cleaned_data["agent"]
        giver = _giver(request.person)
        if form.does(lambda: _given(row, agent, giver)):
            told = _("{name} is now {agent}'s customer.") if agent else _("{name} has no agent.")
            name = row.shown_name()
            messages.success(request, told.format(name=name, agent=agent and agent.name))
            return redirect("customer", pk=row.pk)
    return render(request, "customers/agent.html", {"form": form, "customer": row} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def customer_import(request: PersonRequest) -> HttpResponse:
    """A CSV file: all of it, or nothing, with the line that is wrong."""
    form = ImportForm(request.person, sent(request), request.FILES or None)
    if form.is_valid():
        octets, store = form.cleaned_data["lines"].read(), form.cleaned_data["store"]
        organization = request.person.organization
        done = form.does(lambda: import_csv(organization, octets, store=store))
        if done is not None:
            _tell_imported(request, done)
            return redirect("customers")
    return render(request, "customers/import.html", {"form": form} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def customer_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more. The letters stay."""
    row = get_object_or_404(request.person.customers(), pk=pk)
    name = row.shown_name()
    if request.method == "POST":
        letters = remove_customer(row)
        told = ngettext(
            "Removed the customer {name}; {n} letter stays, without a customer.",
            "Removed the customer {name}; {n} letters stay, without a customer.",
            letters,
        )
        messages.success(request, told.format(name=name, n=letters))
        return redirect("customers")
    return render(request, "customers/removal.html", {"customer": row} | HERE)


def _working(person: Person) -> "QuerySet[Agent]":
    """The agents to whom a customer can be given."""
    return person.agents().filter(active=True)


def _giver(person: Person) -> Agent | User:
    return person.agent or person.user


def _given(row: Customer, agent: Agent | None, giver: Agent | User) -> Customer:
    if agent is not None and agent.pk == row.agent_id:
        return row  # nothing changes, and nobody is told
    return change_customer(row, agent=agent, take_away=agent is None, by=giver)


def _tell_imported(request: PersonRequest, done: Imported) -> None:
    told = ngettext("Imported {n} customer.", "Imported {n} customers.", done.count)
    messages.success(request, told.format(n=done.count))
    if done.ignored:
        heads = ", ".join(done.ignored)
        told = _("These columns mean nothing to Buzón and were left out: {heads}.")
        messages.warning(request, told.format(heads=heads))


paths = [
    path("customers/new", new_customer, name="new_customer"),
    path("customers/import", customer_import, name="customer_import"),
    path("customers/<int:pk>/change", customer_change, name="customer_change"),
    path("customers/<int:pk>/agent", customer_agent, name="customer_agent"),
    path("customers/<int:pk>/removal", customer_removal, name="customer_removal"),
]
