"""Incoming mailboxes: adding and changing one; before saving, a check of the connection, and a
preview of what would come.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from buzon.intake.account_values import Protocol, Security, default_port
from buzon.intake.accounts import add_account
from buzon.intake.check import Step, step_title
from buzon.intake.check_in_time import check_form
from buzon.intake.models import CollectionAccount
from buzon.intake.overview import allowance
from buzon.intake.preview_in_time import State, begin, state
from buzon.intake.secret_use import change_with_secret_kept
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.checking import check_within_limit, preview_within_limit
from buzon.web.forms import sent
from buzon.web.pages.collection_account_fields import AccountForm
from buzon.web.pages.collection_account_state import time_left

HERE = {"here": "collection_accounts"}
WAITS = 50.0  # seconds that a page without scripts waits for a preview
PORTS = {f"{p} {s}": default_port(p, s) for p in Protocol.values for s in Security.values}


@require_http_methods(["GET", "POST"])
@for_administrators
def new_collection_account(request: PersonRequest) -> HttpResponse:
    """The form of a new one."""
    form = AccountForm(_typed(request), person=request.person, is_first=_is_setup(request))
    asks = _asked(request)
    if asks is not None:
        return asks(request, form, None)
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
    asks = _asked(request)
    if asks is not None:
        return asks(request, form, row)
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


@require_GET
@for_administrators
def collection_account_preview(request: PersonRequest, name: str) -> HttpResponse:
    """How far a preview is; it asks again by itself until that is over."""
    found = state(request.person.organization, name)
    if found is None and not request.htmx:
        raise Http404
    return render(request, "collection_accounts/preview.html", _words_of(found, name))


def _asked(request: PersonRequest) -> "_Asks | None":
    """What is asked of the server instead of saving."""
    verb = request.POST.get("verb")
    if verb == "preview":
        return _previewed
    return _checked if verb == "check" or "trust" in request.POST else None


def _previewed(
    request: PersonRequest, form: AccountForm, account: CollectionAccount | None
) -> HttpResponse:
    """How far the preview is beside the form, once it is over where the page has no scripts."""
    name = None
    if form.is_valid():
        name = form.does(lambda: _begun(request, form, account))
    if name is None:
        return _answered(request, form, account, steps=None)
    organization = request.person.organization
    if request.htmx:
        words = _words_of(state(organization, name), name)
        return render(request, "collection_accounts/preview.html", words)
    return _page(request, form, account, preview=state(organization, name, seconds=WAITS))


def _begun(request: PersonRequest, form: AccountForm, account: CollectionAccount | None) -> str:
    values, here = _values(form, account), request.person.organization
    return preview_within_limit(here, lambda: begin(here, saved=account, **values))


def _words_of(found: State | None, name: str) -> dict[str, Any]:
    return {"state": found, "preview_name": name, "time_left": time_left}


def _checked(
    request: PersonRequest, form: AccountForm, account: CollectionAccount | None
) -> HttpResponse:
    """The steps beside the form, or alone for a page that has scripts. Nothing is saved."""
    steps: list[Step] | None = None
    if form.is_valid():
        steps = form.does(lambda: _steps(request, form, account))
    return _answered(request, form, account, steps=steps)


def _answered(
    request: PersonRequest,
    form: AccountForm,
    account: CollectionAccount | None,
    *,
    steps: list[Step] | None,
) -> HttpResponse:
    if not request.htmx:
        return _page(request, form, account, steps=steps)
    words = {"steps": steps, "step_title": step_title, "form": form, "in_form": True}
    return render(request, "collection_accounts/check.html", words)


def _steps(
    request: PersonRequest, form: AccountForm, account: CollectionAccount | None
) -> list[Step]:
    values = _values(form, account)
    here = request.person.organization
    return check_within_limit(here, lambda: check_form(here, saved=account, **values))


def _values(form: AccountForm, account: CollectionAccount | None) -> dict[str, Any]:
    """All fields; `secret` None is the stored account's."""
    values = form.whole()
    if account is not None:
        values["secret"] = values["secret"] or None
    return values


def _page(
    request: PersonRequest,
    form: AccountForm,
    account: CollectionAccount | None,
    *,
    steps: list[Step] | None = None,
    preview: State | None = None,
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
        "shown_preview": preview is not None,
        "in_form": True,
        "tab": "outgoing" if request.GET.get("tab") == "outgoing" else "incoming",
    }
    words |= _words_of(preview, "")
    return render(request, "collection_accounts/form.html", words | HERE)


_Asks = Callable[[PersonRequest, AccountForm, CollectionAccount | None], HttpResponse]

paths = [
    path(
        "collection-accounts/preview/<str:name>",
        collection_account_preview,
        name="collection_account_preview",
    ),
    path("collection-accounts/new", new_collection_account, name="new_collection_account"),
    path(
        "collection-accounts/<int:pk>/change",
        collection_account_change,
        name="collection_account_change",
    ),
]
