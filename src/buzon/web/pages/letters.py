"""Letters: the list, a conversation a row."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from buzon.desk.letters import threads, unread
from buzon.desk.models import Conversation, Message
from buzon.intake.overview import waits_for_customers
from buzon.web.access import Person, PersonRequest, for_agents
from buzon.web.forms import Filters, PickField
from buzon.web.letter_rows import listed
from buzon.web.paging import page_of

HERE = {"here": "letters"}
MACHINES = [kind for kind in Message.Kind.values if kind != Message.Kind.PERSON]


class LetterFilters(Filters):
    """Which letters the list shows."""

    q = forms.CharField(
        label=gettext_lazy("Search in sender and subject"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    show = forms.ChoiceField(label=gettext_lazy("Show"), required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Written by"),
        required=False,
        choices=[
            ("", gettext_lazy("Anybody")),
            ("people", gettext_lazy("People")),
            ("machines", gettext_lazy("Machines and lists")),
        ],
    )
    store = PickField(label=gettext_lazy("Store"), required=False, none=gettext_lazy("All stores"))

    def __init__(self, person: Person, *args: Any) -> None:
        super().__init__(*args)
        shown = [("", gettext_lazy("All letters")), ("unread", gettext_lazy("Unread"))]
        if person.is_administrator:
            shown.append(("nobodys", gettext_lazy("Without a customer")))
        self.fields["show"].choices = shown  # type: ignore[attr-defined]  # a ChoiceField
        self.choose_among(store=person.stores())

    def chosen(self, letters: "QuerySet[Message]") -> "QuerySet[Message]":
        """Of these letters those that were asked for."""
        asked = self.asked
        if words := asked.get("q"):
            letters = letters.filter(
                Q(subject__folded__contains=words)
                | Q(from_name__folded__contains=words)
                | Q(from_address__folded__contains=words)
            )
        if asked.get("store"):
            letters = letters.filter(store=asked["store"])
        if asked.get("kind"):
            wanted = MACHINES if asked["kind"] == "machines" else [Message.Kind.PERSON]
            letters = letters.filter(kind__in=wanted)
        if asked.get("show") == "nobodys":
            letters = letters.filter(customer=None)
        return unread(letters) if asked.get("show") == "unread" else letters


@require_GET
@for_agents
def letters(request: PersonRequest) -> HttpResponse:
    """The conversations, newest first; each by its newest letter (of those that were asked for)."""
    person = request.person
    own = person.messages()
    form = LetterFilters(person, request.GET)
    asked = form.chosen(own)
    rows = Conversation.objects.filter(organization=person.organization)
    if form.is_asked or not person.is_administrator:
        rows = rows.filter(pk__in=asked.order_by().values("conversation"))
    page = page_of(request, rows.order_by("-last_message_at", "-pk").values_list("pk", flat=True))
    found = threads(own, page.rows, shown=listed(asked))
    shown = [found[pk] for pk in page.rows if pk in found]
    context = {"page": page, "threads": shown, "form": form, "is_asked": form.is_asked}
    context["waits_for_customers"] = not shown and waits_for_customers(person.organization)
    return render(request, "letters/list.html", context | HERE)


paths = [
    path("letters/", letters, name="letters"),
]
