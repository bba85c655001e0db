"""What happens now, as it happens: a stream of server-sent events for each browser.

Each connecting is a sign of life of the agent (`desk.models.people.PRESENCE`), and is checked like
any request; a stream ends after less than a minute, and the browser comes back by itself. So a
browser that vanished without a word is noticed as well as one that was closed.
"""

import itertools
import random
from collections.abc import AsyncIterator

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation
from django.views.decorators.http import require_safe

from buzon.notify.inbox import Reader
from buzon.web.access import PersonRequest, for_agents
from buzon.web.news import Ear, News, opening
from buzon.web.switchboard import switchboard

LASTS = 55.0  # seconds
SPREAD = 0.1  # of that, up or down, so that not all browsers come back at once

_numbers = itertools.count(1)


@require_safe
@for_agents
def stream(request: PersonRequest) -> StreamingHttpResponse | HttpResponse:
    """The stream; 204, on which a browser does not come back, for whoever is not signed in. HEAD
    asks only whether there would be one.
    """
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream")
    if not _is_present(request):
        return HttpResponse(status=204)
    ear = _ear(request)
    answer = StreamingHttpResponse(
        _frames(ear, opening(ear, after=_heard_before(request))), content_type="text/event-stream"
    )
    answer["X-Accel-Buffering"] = "no"  # nginx would hold events back until it has a bufferful
    return answer


async def _frames(ear: Ear, first: News) -> AsyncIterator[bytes]:
    await _let_go()
    board = switchboard()
    listener = board.join(ear, first.heard)
    try:
        yield b"".join(first.frames)
        seconds = LASTS * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 (spread, no secret)
        async for frame in listener.frames(seconds=seconds):
            yield frame
    finally:
        board.leave(listener)


async def _let_go() -> None:
    """The request ran in a thread that is kept for it until its answer has ended, and that holds a
    connection to the database. A stream is one coroutine and nothing else, so both go now.
    """
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is not None:
        executor = SyncToAsync.context_to_thread_executor.pop(context, None)
        if executor is not None:
            executor.shutdown(wait=False)


def _is_present(request: PersonRequest) -> bool:
    """A sign of life. False where the session ended meanwhile: signing out has the last word."""
    agent = request.person.agent
    if agent is None:
        return True
    agent.heard_from()
    key = request.session.session_key
    if key and not request.session.exists(key):
        agent.signed_out()
        return False
    return True


def _ear(request: PersonRequest) -> Ear:
    person = request.person
    return Ear(
        number=next(_numbers),
        reader=Reader(person.user.pk, person.agent.pk if person.agent else None),
        session_key=request.session.session_key or "",
        language=translation.get_language() or "en",
        time_zone=person.organization.time_zone,
    )


def _heard_before(request: HttpRequest) -> int | None:
    """The last that this browser heard: of this stream before it was cut, else of the page before.
    None where it is new here.
    """
    for said in (request.headers.get("Last-Event-ID"), request.GET.get("after")):
        if said and said.isascii() and said.isdigit() and len(said) < 19:
            return int(said)
    return None


paths = [
    path("notifications/stream", stream, name="stream"),
]
