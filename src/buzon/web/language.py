"""In which language and time zone a page speaks: the person's choice, else the browser's wish."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

SPOKEN = tuple(code for code, _ in settings.LANGUAGES)


def speak(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: activates both for the view, and says the language in the answer."""

    def answered(request: HttpRequest) -> HttpResponse:
        language = language_of(request)
        request.LANGUAGE_CODE = language
        zone = _zone_of(request)
        with translation.override(language), timezone.override(zone):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response

    return answered


def language_of(request: HttpRequest) -> str:
    """ "es" or "en": what the person chose, else what this browser chose before signing in, else
    the first of the browser's languages that we speak.
    """
    chosen = getattr(request.user, "language", "") or request.COOKIES.get(
        settings.LANGUAGE_COOKIE_NAME, ""
    )
    if chosen in SPOKEN:
        return chosen
    return translation.get_language_from_request(request)


def _zone_of(request: HttpRequest) -> ZoneInfo | None:
    organization = getattr(request.user, "organization", None)
    return ZoneInfo(organization.time_zone) if organization else None
