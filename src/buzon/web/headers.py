"""What every answer tells the browser: run nothing but our own files, send nothing elsewhere.

No inline script or style, no frame, no plug-in, no other origin: the strictest policy that a page
with forms and images can have. A view that needs another one sets its own header.
"""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@sync_and_async_middleware
def headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware, the outermost: static files and errors have these headers too."""
    if iscoroutinefunction(get_response):

        async def awaited(request: HttpRequest) -> HttpResponse:
            return _told(request, await get_response(request))

        return awaited

    def answered(request: HttpRequest) -> HttpResponse:
        return _told(request, get_response(request))

    return answered


def _told(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    if request.is_secure():
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in response.headers:
        # A page is one person's; the back button of the next one at this desk shows nothing.
        response.headers["Cache-Control"] = "no-store"
    return response
