"""Incoming mailboxes: adding and changing one, with a check of the connection before saving."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from buzon.intake.account_values import Protocol, Security, default_port
from buzon.intake.accounts import add_account
from buzon.intake.check import Step, step_title
from buzon.intake.check_in_time import check_form
from buzon.intake.models import CollectionAccount
from buzon.intake.overview import allowance
from buzon.intake.secret_use import change_with_secret_kept
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.checking import check_within_limit
from buzon.web.forms import sent
from buzon.web.pages.collection_account_fields import AccountForm

HERE = {"here": "collection_accounts"}
PORTS = {f"{p} {s}": default_port(p, s) for p in Protocol.values for s in Security.values}


@require_http_methods(["GET", "POST"])
@for_administrators
def new_collection_account(request: PersonRequest) -> HttpResponse:
    """The form of a new one."""
    form = AccountForm(_typed(request), person=request.person, is_first=_is_setup(request))
    if _is_check(request):
        return _checked(request, form, None)
    if form.is_valid():
        organization = request.person.organization
        added = form.does(lambda: add_account(organization, **form.whole()))
        if added is not None:
            told = _("Added {name}. Its mail is being collected from now on.")
            messages.success(request, told.format(name=added.name))
            if _is_setup(request):  # this was its last step
                return redirect("setup_done")
            return redirect("collection_account", added.pk)
    return _page(request, form, None)


@require_http_methods(["GET", "POST"])
@for_administrators
def collection_account_change(request: PersonRequest, pk: int) -> HttpResponse:
    """The form of one that is there. The password stays where none is typed."""
    rows = request.person.collection_accounts().select_related("organization")
    row = get_object_or_404(rows, pk=pk)
    form = AccountForm(_typed(request), person=request.person, account=row)
    if _is_check(request):
        return _checked(request, form, row)
    if form.is_valid():
        changed = form.does(lambda: change_with_secret_kept(row, **form.changes()))
        if changed is not None:
            messages.success(request, _("Changed {name}.").format(name=changed.name))
            return redirect("collection_account", row.pk)
    return _page(request, form, row)


def _typed(request: PersonRequest) -> QueryDict | None:
    """What was sent; None for a page that was only opened. `trust` is the certificate that the
    check has shown, from a browser without scripts.
    """
    typed = sent(request)
    if typed is None or "trust" not in typed:
        return typed
    trusting = typed.copy()
    trusting["pinned_sha256"] = typed.get("trust", "")
    return trusting


def _is_setup(request: PersonRequest) -> bool:
    """Whether the form is the last step of setting up the shop."""
    return "setup" in request.GET


def _is_check(request: PersonRequest) -> bool:
    return request.POST.get("verb") == "check" or "trust" in request.POST


def _checked(
    request: PersonRequest, form: AccountForm, account: CollectionAccount | None
) -> HttpResponse:
    """The steps beside the form, or alone for a page that has scripts. Nothing is saved."""
    steps: list[Step] | None = None
    if form.is_valid():
        steps = form.does(lambda: _steps(request, form, account))
    if not request.htmx:
        return _page(request, form, account, steps=steps)
    words = {"steps": steps, "step_title": step_title, "form": form, "in_form": True}
    return render(request, "collection_accounts/check.html", words)


def _steps(
    request: PersonRequest, form: AccountForm, account: CollectionAccount | None
) -> list[Step]:
    values = form.whole()
    if account is not None:
        values["secret"] = values["secret"] or None
    here = request.person.organization
    return check_within_limit(here, lambda: check_form(here, saved=account, **values))


def _page(
    request: PersonRequest,
    form: AccountForm,
    account: CollectionAccount | None,
    *,
    steps: list[Step] | None = None,
) -> HttpResponse:
    words: dict[str, Any] = {
        "form": form,
        "account": account,
        "allowance": None if account else allowance(request.person.organization),
        "has_customers": request.person.customers().exists(),
        "in_setup": account is None and _is_setup(request),
        "steps": steps,
        "step_title": step_title,
        "ports": PORTS,
        "in_form": True,
        "tab": "outgoing" if request.GET.get("tab") == "outgoing" else "incoming",
    }
    return render(request, "collection_accounts/form.html", words | HERE)


paths = [
    path("collection-accounts/new", new_collection_account, name="new_collection_account"),
    path(
        "collection-accounts/<int:pk>/change",
        collection_account_change,
        name="collection_account_change",
    ),
]
