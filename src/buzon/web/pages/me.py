"""What a person sets for themselves: status, language, appearance, copies by e-mail."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from buzon.desk.alphabet import by_name
from buzon.desk.errors import DeskError
from buzon.desk.logins import choose_copies, choose_pages
from buzon.desk.models import Agent
from buzon.desk.people import set_status
from buzon.notify.copies import are_set_up
from buzon.web import sessions
from buzon.web.access import Person, PersonRequest, for_agents
from buzon.web.forms import PageForm, sent
from buzon.web.language import language_of
from buzon.web.pages.sign_in import keep_language
from buzon.web.way_back import way_back

HERE = {"here": "me"}
AUTOMATIC = "auto"  # in the form: nothing chosen, the browser or the system decides


def _or_none(chosen: str) -> str:
    return "" if chosen == AUTOMATIC else chosen


class WishesForm(PageForm):
    language = forms.TypedChoiceField(
        label=gettext_lazy("Language"),
        coerce=_or_none,
        choices=[
            (AUTOMATIC, gettext_lazy("As the browser says")),
            ("es", "Español"),
            ("en", "English"),
        ],
    )
    appearance = forms.TypedChoiceField(
        label=gettext_lazy("Appearance"),
        coerce=_or_none,
        choices=[
            (AUTOMATIC, gettext_lazy("As the system says")),
            ("light", gettext_lazy("Light")),
            ("dark", gettext_lazy("Dark")),
        ],
    )
    copies = forms.ChoiceField(
        label=gettext_lazy("Copies of notifications by e-mail"),
        choices=Agent.Copies.choices,
        help_text=gettext_lazy("They go to your address, beside the notification on the page."),
    )

    def __init__(self, person: Person, *args: object) -> None:
        user, agent = person.user, person.agent
        initial = {
            "language": user.language or AUTOMATIC,
            "appearance": user.appearance or AUTOMATIC,
        }
        super().__init__(*args, initial=initial | {"copies": agent and agent.email_copies})
        if agent is None:
            del self.fields["copies"]


@require_http_methods(["GET", "POST"])
@for_agents
def me(request: PersonRequest) -> HttpResponse:
    """Who one is, and what one wishes."""
    person = request.person
    form = WishesForm(person, sent(request))
    if form.is_valid() and form.did(lambda: _choose(person, form.cleaned_data)):
        return _saved(request)
    shown = {
        "form": form,
        "copies_are_set_up": are_set_up(),
        "sessions": sessions.open_sessions(person.user).count(),
        "groups": list(by_name(person.agent.groups.all())) if person.agent else [],
    }
    return render(request, "me/page.html", shown | HERE)


@require_POST
@for_agents
def my_status(request: PersonRequest) -> HttpResponse:
    """From the header's menu: the agent's own status, kept over signing out (R12)."""
    agent = request.person.agent
    if agent is None:
        raise Http404
    try:
        set_status(agent, request.POST.get("status", ""))
    except DeskError as refusal:
        messages.error(request, refusal.sentence)
    return redirect(way_back(request))


def _choose(person: Person, wished: dict[str, str]) -> None:
    choose_pages(person.user, language=wished["language"], appearance=wished["appearance"])
    if person.agent is not None:
        choose_copies(person.agent, wished["copies"])


def _saved(request: PersonRequest) -> HttpResponse:
    """Told in the language that was just chosen, which signing out is to keep."""
    with translation.override(language_of(request)):
        messages.success(request, _("Saved."))
    response = redirect("me")
    if request.person.user.language:
        keep_language(response, request.person.user.language)
    return response


paths = [
    path("me", me, name="me"),
    path("me/status", my_status, name="my_status"),
]
