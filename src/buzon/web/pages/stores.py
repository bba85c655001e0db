"""Stores: the list, adding one, renaming it, removing one that nothing belongs to."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from buzon.desk.models import Customer
from buzon.desk.stores import add_store, remove_store, rename_store, why_it_stays
from buzon.intake.models import CollectionAccount
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.counts import number_of
from buzon.web.forms import PageForm, sent
from buzon.web.paging import page_of

HERE = {"here": "stores"}


class StoreForm(PageForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As your agents call the shop."),
    )


@require_GET
@for_administrators
def stores(request: PersonRequest) -> HttpResponse:
    """All stores, each with how much belongs to it."""
    rows = request.person.stores().annotate(
        customer_count=number_of(Customer, "store"),
        account_count=number_of(CollectionAccount, "store"),
    )
    return render(request, "stores/list.html", {"page": page_of(request, rows)} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def new_store(request: PersonRequest) -> HttpResponse:
    """The form of a new store."""
    form = StoreForm(sent(request))
    if is_added(request, form):
        return redirect("stores")
    return render(request, "stores/form.html", {"form": form, "store": None} | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def store(request: PersonRequest, pk: int) -> HttpResponse:
    """One store: its name, and what belongs to it."""
    row = get_object_or_404(request.person.stores(), pk=pk)
    called = row.name
    form = StoreForm(sent(request), initial={"name": called})
    if form.is_valid():
        renamed = form.does(lambda: rename_store(row, form.cleaned_data["name"]))
        if renamed is not None:
            messages.success(
                request, _("The store is now called {name}.").format(name=renamed.name)
            )
            return redirect("stores")
    shown = {
        "form": form,
        "store": row,
        "called": called,
        "customer_count": row.customers.count(),
        "collection_accounts": request.person.collection_accounts().filter(store=row),
    }
    return render(request, "stores/form.html", shown | HERE)


@require_http_methods(["GET", "POST"])
@for_administrators
def store_removal(request: PersonRequest, pk: int) -> HttpResponse:
    """Asks once more; a store with customers, letters or collection accounts says so and stays."""
    row = get_object_or_404(request.person.stores(), pk=pk)
    form = PageForm(sent(request))
    if form.is_valid() and form.did(lambda: remove_store(row)):
        messages.success(request, _("Removed the store {name}.").format(name=row.name))
        return redirect("stores")
    shown = {"form": form, "store": row, "stays": why_it_stays(row)}
    return render(request, "stores/removal.html", shown | HERE)


def is_added(request: PersonRequest, form: StoreForm) -> bool:
    """Whether a form that was sent has added its store, which is then told."""
    if not form.is_valid():
        return False
    name = form.cleaned_data["name"]
    added = form.does(lambda: add_store(request.person.organization, name))
    if added is not None:
        messages.success(request, _("Added the store {name}.").format(name=added.name))
    return added is not None


paths = [
    path("stores/", stores, name="stores"),
    path("stores/new", new_store, name="new_store"),
    path("stores/<int:pk>", store, name="store"),
    path("stores/<int:pk>/removal", store_removal, name="store_removal"),
]
