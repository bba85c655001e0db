"""How much a request may bring along, before anybody knows whose it is.

    socket ──▶ Bounded ──▶ Django, which keeps all of a request's body before it looks at anything
                  └── more than MOST (LARGE for a list of customers): dropped as it comes, and the
                      page says so

Without it a stranger fills the disk on which mail is collected.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from buzon.web.refusals import too_large

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST = 1_000_000  # octets of a form
LARGE = 11_000_000  # of a form with a file
LARGE_AT_ONCE = 8  # such forms under way; they wait in memory and on disk
_IS_TOO_LARGE = "buzon.too_large"


class Bounded:
    """The pages' application, which is given no more of a body than the address may want."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._large = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        is_large = scope["path"] == reverse("customer_import") and self._large < LARGE_AT_ONCE
        self._large += is_large
        try:
            known = {**scope, _IS_TOO_LARGE: False}
            counted = _Counted(known, receive, LARGE if is_large else MOST)
            await self._application(known, counted, send)
        finally:
            self._large -= is_large


class _Counted:
    """The body so far; where it is too large it ends here for Django, and the rest is dropped."""

    def __init__(self, scope: Scope, receive: Receive, most: int) -> None:
        self._scope = scope
        self._receive = receive
        self._left = most
        self._has_ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        while self._has_ended and message["type"] == "http.request":
            message = await self._receive()
        if message["type"] != "http.request":
            return message
        self._left -= len(message.get("body", b""))
        if self._left >= 0:
            self._has_ended = not message.get("more_body", False)
            return message
        return await self._dropped(message)

    async def _dropped(self, message: Message) -> Message:
        # Read to its end: a browser that is still sending listens to no answer.
        self._scope[_IS_TOO_LARGE] = self._has_ended = True
        while message["type"] == "http.request" and message.get("more_body", False):
            message = await self._receive()
        if message["type"] != "http.request":
            return message
        return {"type": "http.request", "body": b"", "more_body": False}


def refuse_too_large(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., Any]:
    """Middleware, where the language is known already: no view sees half a form."""

    def answered(request: HttpRequest) -> HttpResponse:
        if getattr(request, "scope", {}).get(_IS_TOO_LARGE, False):
            return too_large(request)
        return get_response(request)

    return answered
