"""Search: letters by their words, each with the place where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET

from buzon.desk.models import Customer, Message
from buzon.desk.search import Asked, excerpts, found
from buzon.web.access import Person, PersonRequest, for_agents
from buzon.web.forms import Filters, PickField
from buzon.web.letter_rows import listed
from buzon.web.paging import page_of

HERE = {"here": "search"}
LAST = 20  # pages; further back one says more of what one looks for


class SearchForm(Filters):
    """What is looked for, and among which letters."""

    q = forms.CharField(
        label=gettext_lazy("Words in letters"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    customer = PickField(label="", required=False, none="", widget=forms.HiddenInput)
    agent = PickField(label=gettext_lazy("Agent"), required=False, none=gettext_lazy("All agents"))
    store = PickField(label=gettext_lazy("Store"), required=False, none=gettext_lazy("All stores"))
    account = PickField(
        label=gettext_lazy("Incoming mailbox"),
        required=False,
        none=gettext_lazy("All mailboxes"),
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("letter", "Kind"),
        required=False,
        choices=lambda: [("", _("All kinds")), *Message.Kind.choices],
    )
    since = forms.DateField(
        label=pgettext_lazy("day", "From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=pgettext_lazy("day", "To"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    attachments = forms.ChoiceField(
        label=gettext_lazy("Attachments"),
        required=False,
        choices=[("", gettext_lazy("With or without")), ("with", gettext_lazy("With attachments"))],
    )

    def __init__(self, person: Person, *args: Any) -> None:
        super().__init__(*args)
        self._person = person
        self.choose_among(
            customer=person.customers(),
            agent=person.agents(),
            store=person.stores(),
            account=person.collection_accounts(),
        )
        if not person.is_administrator:  # all customers are this agent's own
            del self.fields["agent"], self.fields["account"]

    @property
    def others(self) -> list[forms.BoundField]:
        """The filters beside the words, as they are shown."""
        return [one for one in self.visible_fields() if one.name != "q"]

    def question(self) -> Asked:
        """The words, and whose letters; nobody sees more than what is theirs."""
        asked = self.asked
        return Asked(
            organization=self._person.organization,
            text=asked.get("q", ""),
            customers=self._customers(),
            since=asked.get("since"),
            until=asked.get("until"),
        )

    def letters(self) -> "QuerySet[Message]":
        """Of the person's letters those that the other filters leave."""
        asked, letters = self.asked, self._person.messages()
        if asked.get("store"):
            letters = letters.filter(store=asked["store"])
        if asked.get("account"):
            letters = letters.filter(arrivals__account=asked["account"])
        if asked.get("kind"):
            letters = letters.filter(kind=asked["kind"])
        return letters.filter(attachment_count__gt=0) if asked.get("attachments") else letters

    def _customers(self) -> "QuerySet[Customer] | None":
        asked, customers = self.asked, self._person.customers()
        if asked.get("customer"):
            return customers.filter(pk=asked["customer"].pk)
        if asked.get("agent"):
            return customers.filter(agent=asked["agent"])
        return None if self._person.is_administrator else customers


@dataclass(frozen=True, slots=True)
class Hits:
    """The keys of what is found, a slice at a time."""

    question: Asked
    letters: "QuerySet[Message]"

    def __getitem__(self, asked: slice, /) -> Iterable[int]:
        first = asked.start or 0
        return found(self.question, self.letters, first=first, number=asked.stop - first)


@require_GET
@for_agents
def search(request: PersonRequest) -> HttpResponse:
    """The letters that hold the words, the newest first."""
    form = SearchForm(request.person, request.GET)
    question = form.question()
    page = page_of(request, Hits(question, form.letters()), last=LAST)
    letters = listed(request.person.messages()).in_bulk(page.rows)
    told = excerpts(question.text, page.rows)
    shown = [(letters[key], told.get(key)) for key in page.rows if key in letters]
    context = {"page": page, "found": shown, "form": form, "words": question.text}
    context["customer"] = form.asked.get("customer")
    context["is_last"] = page.number == LAST
    return render(request, "search/page.html", context | HERE)


paths = [
    path("search/", search, name="search"),
]
