"""A form that was opened before its person signed out and in again: its token is of another
session, and what was typed would be lost.

    POST, old token ─▶ (not from a page of ours, or from nobody: the words alone) ─▶ the same page
    asked for by GET, its form filled in with what was typed, and a new token ─▶ one more click

Nothing is done before that click: the view is asked by a GET, in which nothing was sent, and no
form is valid with what was `Kept`. Passwords and files do not come back.
"""

from copy import copy

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from buzon.web.access import person_of
from buzon.web.forms import Kept


def page_once_more(request: HttpRequest) -> HttpResponseBase | None:
    """The page with its form filled in; None where there is no such page, or nobody is signed in.

    Raises Http404 where the page is not this person's.
    """
    if not _is_of_this_site(request) or request.resolver_match is None:
        return None
    if person_of(request) is None or request.headers.get("HX-Request"):
        return None
    view, args, kwargs = request.resolver_match
    answer: HttpResponseBase = view(_by_get(request), *args, **kwargs)
    return answer if answer.status_code == 200 else None


def _by_get(request: HttpRequest) -> HttpRequest:
    """The view finds nothing sent, whatever it looks for; its form alone finds what was kept."""
    asked = copy(request)
    asked.method = "GET"
    asked.POST = QueryDict()
    kept = Kept(mutable=True)
    kept.update(request.POST)
    asked.kept = kept  # type: ignore[attr-defined]  # `sent` looks there
    return asked


def _is_of_this_site(request: HttpRequest) -> bool:
    """Whether the browser vouches for it; else a stranger's page could fill in a form of ours, and
    leave the click to the person.
    """
    own = f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Origin") in (own, *settings.CSRF_TRUSTED_ORIGINS)
