"""The pages that say no: not found, a form that is too old, a fault of ours."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from buzon.web.access import person_of
from buzon.web.too_late import page_once_more


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: what is not there, and what is somebody else's."""
    return _page(
        request,
        404,
        _("This page does not exist"),
        _("It was removed, it never was, or it belongs to somebody else."),
    )


def wrong_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what no page of ours sends."""
    return _page(
        request,
        400,
        _("The request makes no sense"),
        _("Go back, load the page again, and try once more."),
    )


def too_large(request: HttpRequest) -> HttpResponse:
    """413: more than any form of ours holds (`bodies.py`); it was not looked at."""
    return _page(
        request,
        413,
        _("That was too much at once"),
        _("A form may hold 1 MB, and a list of customers 10 MB: split it, and send one after one."),
    )


def say_where_only_a_button_leads(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: 405 for a person who loads the answer to a button again, or types its address."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 405 or request.method != "GET":
            return response
        page = _page(
            request,
            405,
            _("Only a button leads here"),
            _("There is nothing to see at this address. Go back to the page with the button."),
        )
        page["Allow"] = response["Allow"]
        return page

    return answered


def fault(request: HttpRequest) -> HttpResponse:
    """500: the log says what happened. The database may be what is broken: it is not asked."""
    return render(
        request,
        "refusal.html",
        {
            "request": request,
            "person": None,
            "title": _("Something went wrong here"),
            "sentence": _("Nothing was lost. Try again; the log of Buzón says what happened."),
        },
        status=500,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """403: the form was made for another session, or the browser sends no cookies. What was typed
    stands in it once more, where that can be.
    """
    page = page_once_more(request)
    if page is not None:
        page.status_code = 403
        return page
    return _page(
        request,
        403,
        _("This form is too old"),
        _("You signed in or out since it was opened. Go back, load the page again, and send it."),
    )


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    person = person_of(request) if hasattr(request, "user") else None
    words = {"request": request, "person": person, "title": title, "sentence": sentence}
    return render(request, "refusal.html", words, status=status)
