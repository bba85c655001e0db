"""The steps of setting up after the first one: stores, people, the first mailbox. An administrator
may leave them, and take them up again from the start page.
"""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from buzon.web import setting_up
from buzon.web.access import Person, PersonRequest, for_administrators
from buzon.web.forms import PageForm, sent
from buzon.web.pages.setup import in_demonstration, setup_progress
from buzon.web.pages.stores import StoreForm, is_added
from buzon.web.setting_up import NewAgent, add_people

ROWS = 4  # agents at once; the step may be taken several times
SHOWN = 50  # stores and agents that are there already; the menu has them all


class PeopleForm(PageForm):
    """Rows of a name and an e-mail, and whether the administrator answers customers too."""

    group = forms.CharField(
        label=gettext_lazy("Group"),
        max_length=200,
        help_text=gettext_lazy("New customers are shared out evenly among its agents."),
    )
    answers = forms.BooleanField(
        label=gettext_lazy("I answer customers myself"),
        required=False,
    )
    own_name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, person: Person, *args: Any) -> None:
        first = person.groups().first()
        super().__init__(*args, initial={"group": first.name if first else _("Customer service")})
        if person.agent is not None:
            del self.fields["answers"], self.fields["own_name"]
        for number in range(1, ROWS + 1):
            self._add_row(number)

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The fields of each row, for the page."""
        return [(self[f"name_{n}"], self[f"email_{n}"]) for n in range(1, ROWS + 1)]

    def typed(self) -> list[tuple[int, str, str]]:
        """(number, name, e-mail) of the rows in which something was typed."""
        given = self.cleaned_data
        rows = ((n, given[f"name_{n}"], given[f"email_{n}"]) for n in range(1, ROWS + 1))
        return [row for row in rows if row[1] or row[2]]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("answers") and not given.get("own_name"):
            self.add_error("own_name", _("Say the name by which your customers know you."))
        if not self.errors and not given.get("answers") and not self.typed():
            self.add_error(None, _("Name at least one agent, or go on without."))
        return given

    def _add_row(self, number: int) -> None:
        described = {"autocomplete": "off"}
        self.fields[f"name_{number}"] = forms.CharField(
            label=_("Name"), max_length=200, required=False, widget=forms.TextInput(attrs=described)
        )
        self.fields[f"email_{number}"] = forms.CharField(
            label=_("E-mail"), max_length=254, required=False, widget=forms.EmailInput(described)
        )
        for name in (f"name_{number}", f"email_{number}"):
            self.fields[name].widget.attrs["aria-describedby"] = f"help-{name} error-{name}"


@require_http_methods(["GET", "POST"])
@for_administrators
def setup_stores(request: PersonRequest) -> HttpResponse:
    """One store after the other, or none: with one shop there is no need."""
    form = StoreForm(sent(request))
    if is_added(request, form):
        return redirect("setup_stores")
    stores = list(request.person.stores()[:SHOWN])
    return _step(request, "stores", {"form": form, "stores": stores})


@require_http_methods(["GET", "POST"])
@for_administrators
def setup_people(request: PersonRequest) -> HttpResponse:
    """Agents and their group; the answer to the form shows their first passwords, once."""
    person = request.person
    form = PeopleForm(person, sent(request))
    if form.is_valid():
        added = form.does(lambda: _added(person, form))
        if added is not None:
            return _step(request, "people", {"added": added}, template="setup/people_added.html")
    agents = list(person.agents().filter(active=True)[:SHOWN])
    return _step(request, "people", {"form": form, "agents": agents})


@require_http_methods(["GET", "POST"])
@for_administrators
def setup_mailbox(request: PersonRequest) -> HttpResponse:
    """What to have at hand, before the form. Sent, it is the button of the demonstration shop."""
    can_try = setting_up.may_try_demonstration(request.person.organization)
    form = PageForm(sent(request) if can_try else None)
    if form.is_valid():
        demonstrated = form.does(setting_up.demonstration)
        if demonstrated is not None:
            return in_demonstration(request, *demonstrated)
    return _step(request, "mailbox", {"form": form, "can_try": can_try})


@require_GET
@for_administrators
def setup_done(request: PersonRequest) -> HttpResponse:
    """What happens from now on."""
    return _step(request, "done", {})


def _added(person: Person, form: PeopleForm) -> list[NewAgent]:
    given = form.cleaned_data
    own_name = given["own_name"] if given.get("answers") else ""
    return add_people(person.user, group=given["group"], own_name=own_name, rows=form.typed())


def _step(
    request: PersonRequest, step: str, shown: dict[str, Any], *, template: str = ""
) -> HttpResponse:
    progress = setup_progress(request.person.organization)
    return render(
        request, template or f"setup/{step}.html", shown | {"step": step, "progress": progress}
    )


paths = [
    path("setup/stores", setup_stores, name="setup_stores"),
    path("setup/people", setup_people, name="setup_people"),
    path("setup/mailbox", setup_mailbox, name="setup_mailbox"),
    path("setup/done", setup_done, name="setup_done"),
]
