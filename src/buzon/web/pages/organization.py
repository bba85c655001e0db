"""The organization's settings, and what this installation can do for it."""

from importlib.metadata import version

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from buzon.desk.organizations import change_organization
from buzon.intake.accounts import most_accounts
from buzon.notify.copies import are_set_up
from buzon.web.access import PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent
from buzon.web.time_zones import time_zones

HERE = {"here": "organization"}


class OrganizationForm(PageForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As it stands at the top of every page and in e-mails."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the shop"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy(
            "Of copies by e-mail to those who chose none. Pages speak each person's language."
        ),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("All times on the pages are of this zone."),
    )


@require_http_methods(["GET", "POST"])
@for_administrators
def organization(request: PersonRequest) -> HttpResponse:
    """Name, language and time zone; and facts that only the operator changes."""
    row = request.person.organization
    before = {"name": row.name, "language": row.language, "time_zone": row.time_zone}
    form = OrganizationForm(sent(request), initial=before)
    zone: forms.ChoiceField = form.fields["time_zone"]  # type: ignore[assignment]
    zone.choices = time_zones(also=row.time_zone)
    if form.is_valid():
        changed = form.does(lambda: change_organization(row, **form.cleaned_data))
        if changed is not None:
            messages.success(request, _("The settings are saved."))
            return redirect("organization")
    shown = {
        "form": form,
        "used": request.person.collection_accounts().count(),
        "most": most_accounts(row),
        "copies_are_set_up": are_set_up(),
        "sender": settings.BUZON_MAIL_FROM,
        "version": version("buzon"),
        "database": _database(),
    }
    return render(request, "organization/settings.html", shown | HERE)


def _database() -> str:
    """As in "PostgreSQL 15.4"."""
    numbers = ".".join(str(part) for part in connection.get_database_version())
    return f"{connection.display_name} {numbers}"


paths = [
    path("settings", organization, name="organization"),
]
