"""From nothing to the first letter: the first step, which makes the administrator, and how far the
steps are. The others are in `setup_steps`.
"""

from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from buzon.desk.models import Agent, Organization, Store, User
from buzon.intake.models import CollectionAccount
from buzon.web import sessions, setting_up, wiring
from buzon.web.access import public
from buzon.web.forms import PageForm, sent
from buzon.web.limits import network_of
from buzon.web.passwords import NewPasswordField
from buzon.web.time_zones import time_zones

_ZONES = {"es": "Europe/Madrid"}  # until the browser says its own


class Step(NamedTuple):
    """One step of setting up: `step` is its short name, `title` in the active language."""

    step: str
    title: str
    done: bool
    url: str


def setup_progress(organization: Organization) -> list[Step]:
    """What is left to do before mail arrives, in its order; each can be taken up at any time."""
    mine = {"organization": organization}
    collects = CollectionAccount.objects.filter(**mine).exists()
    stores = collects or Store.objects.filter(**mine).exists()  # with one shop there is no need
    people = Agent.objects.filter(**mine, active=True).exists()
    return [
        Step("stores", _("Your stores"), stores, reverse("setup_stores")),
        Step("people", _("Who answers"), people, reverse("setup_people")),
        Step("mailbox", _("The first mailbox"), collects, reverse("setup_mailbox")),
    ]


class SetupForm(PageForm):
    code = forms.CharField(
        label=gettext_lazy("Set-up code"),
        max_length=100,
        help_text=gettext_lazy("The terminal in which Buzón was started shows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = forms.CharField(
        label=gettext_lazy("Your e-mail"),
        max_length=254,
        help_text=gettext_lazy(
            "You sign in with it. Where e-mail can be sent from here, you are told there when "
            "collecting fails."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = NewPasswordField(label=gettext_lazy("A password"))
    name = forms.CharField(
        label=gettext_lazy("Name of the shop"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    language = forms.ChoiceField(label=gettext_lazy("Its language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), widget=forms.Select(attrs={"data-guess-zone": "yes"})
    )

    def __init__(self, *args: Any, code: str) -> None:
        spoken = translation.get_language() or "en"
        zone = _ZONES.get(spoken, "UTC")
        initial = {"code": code, "language": spoken, "time_zone": zone}
        super().__init__(*args, initial=initial)
        zones: forms.ChoiceField = self.fields["time_zone"]  # type: ignore[assignment]
        zones.choices = time_zones()


@require_http_methods(["GET", "POST"])
@public
def setup(request: HttpRequest) -> HttpResponse:
    """For whoever has the code of the terminal: the administrator, and the shop's name."""
    if not setting_up.is_open():
        raise Http404
    form = SetupForm(sent(request), code=request.GET.get("code", "")[:100])
    if form.is_valid():
        network = network_of(request)
        user = form.does(lambda: setting_up.set_up_shop(network=network, **form.cleaned_data))
        if user is not None:
            sessions.begin(request, user)
            return redirect("setup_stores")
    return _first_step(request, form)


@require_POST
@public
def setup_demonstration(request: HttpRequest) -> HttpResponse:
    """For whoever has the code: signs in as the demonstration shop's administrator. The shop itself
    can be set up later, with the same code.
    """
    if not setting_up.is_open() or wiring.demonstration is None:
        raise Http404
    code, network = request.POST.get("code", ""), network_of(request)
    form = SetupForm(request.POST, code="")
    form.errors.clear()  # of the rest of the form nothing was asked
    shown = form.does(lambda: setting_up.demonstration_with(code=code, network=network))
    if shown is None:
        return _first_step(request, form)
    return in_demonstration(request, *shown)


def in_demonstration(request: HttpRequest, administrator: User, password: str) -> HttpResponse:
    """This browser is signed in there, and its person told how to look at it as others."""
    sessions.begin(request, administrator)
    told = _(
        "This is the demonstration shop, as its administrator sees it. To see it as an agent, sign "
        "out, and sign in with an agent's e-mail address and the password {password}."
    )
    if setting_up.is_open():
        back = _("Your own shop is set up whenever you like, with the same code.")
    else:
        back = _("For your own shop, sign in with your own e-mail address again.")
    messages.info(request, f"{told.format(password=password)} {back}")
    return redirect("home")


def _first_step(request: HttpRequest, form: PageForm) -> HttpResponse:
    shown = {"form": form, "has_demonstration": wiring.demonstration is not None}
    return render(request, "setup/first.html", shown)


paths = [
    path("setup", setup, name="setup"),
    path("setup/demonstration", setup_demonstration, name="setup_demonstration"),
]
