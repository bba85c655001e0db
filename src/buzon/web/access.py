"""Who may see a page, and whose rows it sees: every view says its audience, and gets a Person.

    @public          anybody
    @for_agents      whoever is signed in, of an organization that is not suspended
    @for_administrators

A stranger is led to the sign-in page and back; a page or a row that is not the person's does not
exist (404), so that nobody learns what others have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from buzon.desk.alphabet import by_name
from buzon.desk.models import (
    Agent,
    AgentGroup,
    Conversation,
    Customer,
    Message,
    Organization,
    Store,
    User,
)
from buzon.intake.models import Arrival, CollectionAccount
from buzon.notify.inbox import notifications_of
from buzon.notify.models import Notification
from buzon.web import sessions

P = ParamSpec("P")
View = Callable[Concatenate["PersonRequest", P], HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is signed in, and all that is theirs to see. `agent` is None for an administrator
    who does not answer customers.
    """

    user: User
    organization: Organization
    agent: Agent | None

    @property
    def is_administrator(self) -> bool:
        return self.user.role == User.Role.ADMINISTRATOR

    @property
    def name(self) -> str:
        return self.agent.name if self.agent else self.user.email

    @property
    def tone(self) -> int:
        """Of the avatar: an agent's, wherever it is seen, and to everybody."""
        return self.agent.pk if self.agent else self.user.pk

    def customers(self) -> "QuerySet[Customer]":
        """An administrator's: all of the organization; an agent's: those assigned to them."""
        return self._theirs(Customer.objects.filter(organization=self.organization))

    def messages(self) -> "QuerySet[Message]":
        """The letters of those customers; an administrator's also those of nobody."""
        rows = Message.objects.filter(organization=self.organization)
        return rows if self.is_administrator else rows.filter(customer__agent=self.agent)

    def conversations(self) -> "QuerySet[Conversation]":
        """Likewise."""
        rows = Conversation.objects.filter(organization=self.organization)
        return rows if self.is_administrator else rows.filter(customer__agent=self.agent)

    def notifications(self) -> "QuerySet[Notification]":
        """What this person was told, in no order."""
        return notifications_of(self.user, self.agent)

    def stores(self) -> "QuerySet[Store]":
        return by_name(Store.objects.filter(organization=self.organization))

    def agents(self) -> "QuerySet[Agent]":
        return by_name(Agent.objects.filter(organization=self.organization))

    def groups(self) -> "QuerySet[AgentGroup]":
        return by_name(AgentGroup.objects.filter(organization=self.organization))

    def collection_accounts(self) -> "QuerySet[CollectionAccount]":
        return by_name(CollectionAccount.objects.filter(organization=self.organization))

    def arrivals(self) -> "QuerySet[Arrival]":
        return Arrival.objects.filter(organization=self.organization)

    def _theirs(self, rows: "QuerySet[Customer]") -> "QuerySet[Customer]":
        return rows if self.is_administrator else rows.filter(agent=self.agent)


class PersonRequest(HttpRequest):
    """A request whose sender is known."""

    person: Person
    htmx: Any


def public(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Anybody may see it. It has a `request.person` only where somebody is signed in."""
    return _said(view, "public")


def for_agents(view: "View[P]") -> "View[P]":
    """Whoever is signed in."""
    return _guarded(view, administrators_only=False)


def for_administrators(view: "View[P]") -> "View[P]":
    """Administrators of the organization; for anybody else who is signed in there is no page."""
    return _guarded(view, administrators_only=True)


def person_of(request: HttpRequest) -> Person | None:
    """Who is signed in; None for nobody, or for one who may no longer be."""
    user = request.user
    if not isinstance(user, User) or user.organization.suspended_at is not None:
        return None
    agent = Agent.objects.filter(user=user).first()
    if agent is not None and not agent.active:
        agent = None
    if agent is None and user.role != User.Role.ADMINISTRATOR:
        return None
    return Person(user=user, organization=user.organization, agent=agent)


def _guarded(view: "View[P]", *, administrators_only: bool) -> "View[P]":
    @wraps(view)
    def seen(request: PersonRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        person = person_of(request)
        if person is None:
            return _to_sign_in(request)
        if administrators_only and not person.is_administrator:
            raise Http404
        request.person = person
        sessions.heard(request)
        return view(request, *args, **kwargs)

    return _said(seen, "administrators" if administrators_only else "agents")


def _said(view: Callable[P, Answer], audience: str) -> Callable[P, Answer]:
    """Read by the test that walks every URL."""
    view.audience = audience  # type: ignore[attr-defined]  # a function has room for it
    return view


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """And back to the same page afterwards, if it can be asked for again."""
    logout(request)
    if request.headers.get("Accept") == "text/event-stream":
        return HttpResponse(status=204)  # on it the browser does not come back for the stream
    asked = request.get_full_path() if request.method == "GET" else "/"
    if request.headers.get("HX-Request"):
        asked = _page_around(request)
    target = f"{reverse('sign_in')}?next={quote(asked)}"
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = target
        return response
    return redirect(target)


def _page_around(request: HttpRequest) -> str:
    """Part of a page was asked for; the page itself is where to go back to."""
    try:
        known = getattr(request, "htmx")  # noqa: B009 (middleware's)
        return str(known.current_url_abs_path or "/")
    except ValueError:  # the header is no URL
        return "/"
