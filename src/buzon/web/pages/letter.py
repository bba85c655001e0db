"""One letter: read, its attachments and its octets, fetched whole where only the header is here."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from buzon.desk.letters import read_by
from buzon.desk.models import Message
from buzon.intake.asked import AskedError, fetch
from buzon.intake.models import Arrival
from buzon.intake.opened import Opened, open_attachment, open_letter, raw_octets
from buzon.intake.vault import Damaged, NotHeld
from buzon.notify.inbox import mark_read
from buzon.web import oddities
from buzon.web.access import PersonRequest, for_agents
from buzon.web.file_names import file_name
from buzon.web.letter_rows import listed
from buzon.web.looked_at import is_looked_at

HERE = {"here": "letters"}
LONGEST = 200_000  # characters of text on a page; the rest is in the original
MOST_NEIGHBOURS = 25  # letters of the conversation that are listed before and after
# Pictures that a browser decodes and never runs; anything else is only ever saved.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BOX = "sandbox; default-src 'none'"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as the page lists it. `part` is None for one that was not downloaded."""

    name: str
    content_type: str
    size: int
    part: int | None


@require_GET
@for_agents
def letter(request: PersonRequest, pk: int) -> HttpResponse:
    """The letter, and that it was read.

    Its own unread mark is all that this GET changes. A POST by a script would miss readers
    without one; what a browser loads ahead, or into something that nobody sees, does not count.
    """
    person = request.person
    row = _letter(request, pk)
    if is_looked_at(request):
        read_by(row, agent=person.agent, administrator=person.is_administrator)
        mark_read(person.notifications().filter(message=row))
    opened = open_letter(row)
    text = opened.reading.text if opened.reading else ""
    arrivals = list(row.arrivals.select_related("account", "folder").order_by("pk"))
    context: dict[str, Any] = {
        "letter": row,
        "opened": opened,
        "reading": opened.reading,
        "text": text[:LONGEST],
        "is_cut": len(text) > LONGEST,
        "files": _files(opened),
        "doubtful": oddities.is_doubtful(row.warnings),
        "oddities": oddities.in_words(row.warnings),
        "arrivals": arrivals,
        "can_fetch": any(_is_fetchable(arrival) for arrival in arrivals),
        "is_coming": any(arrival.asked_by_person and _waits(arrival) for arrival in arrivals),
    }
    return render(request, "letters/letter.html", context | _neighbours(request, row) | HERE)


@require_GET
@for_agents
def letter_attachment(request: PersonRequest, pk: int, part: int) -> HttpResponse:
    """An attachment as a download, decoded anew from the octets."""
    row = _letter(request, pk)
    try:
        attachment, octets = open_attachment(row, part)
    except (NotHeld, Damaged, LookupError):
        raise Http404 from None
    is_picture = attachment.content_type in PICTURES
    kind = attachment.content_type if is_picture else "application/octet-stream"
    name = file_name(attachment.filename, attachment.content_type)
    return _download(octets, kind, name or _("attachment"))


@require_GET
@for_agents
def letter_raw(request: PersonRequest, pk: int) -> HttpResponse:
    """The octets exactly as received."""
    row = _letter(request, pk)
    try:
        octets = raw_octets(row)
    except (NotHeld, Damaged):
        raise Http404 from None
    return _download(octets, "message/rfc822", _("letter {n}").format(n=row.pk) + ".eml")


@require_POST
@for_agents
def letter_fetch(request: PersonRequest, pk: int) -> HttpResponse:
    """An oversized letter is downloaded whole, with the next collection."""
    row = _letter(request, pk)
    left = [arrival.pk for arrival in row.arrivals.all() if _is_fetchable(arrival)]
    try:
        asked = fetch(request.person.organization, left)
    except AskedError as refusal:
        messages.error(request, refusal.sentence)
    else:
        if asked:
            messages.success(request, _("The letter is downloaded with the next collection."))
        else:
            messages.warning(request, _("The letter is no longer on the server."))
    return redirect("letter", pk=row.pk)


def _letter(request: PersonRequest, pk: int) -> Message:
    return get_object_or_404(listed(request.person.messages()), pk=pk)


def _files(opened: Opened) -> list[File]:
    """The attachments, those of an oversized letter by what its server named."""
    if opened.parts:
        parts: list[Any] = list(opened.parts)
        return [_file(one, number, part=None) for number, one in enumerate(parts, 1)]
    attachments = opened.reading.attachments if opened.reading else ()
    return [_file(one, number, part=one.part) for number, one in enumerate(attachments, 1)]


def _file(one: Any, number: int, *, part: int | None) -> File:
    name = file_name(one.filename, one.content_type)
    unnamed = _("Attachment {n}, without a name").format(n=number)
    return File(name or unnamed, one.content_type, one.size, part)


def _neighbours(request: PersonRequest, row: Message) -> dict[str, Any]:
    """The conversation's other letters that are this person's, oldest first, and how many more."""
    rows = listed(request.person.messages().filter(conversation=row.conversation_id))
    keys = list(rows.values_list("pk", flat=True))
    place = keys.index(row.pk)
    newer = _nearest(rows, keys[max(0, place - MOST_NEIGHBOURS) : place])
    older = _nearest(rows, keys[place + 1 : place + 1 + MOST_NEIGHBOURS])
    unlisted = len(keys) - len(newer) - len(older) - 1
    told = ngettext("{n} letter more", "{n} letters more", unlisted).format(n=unlisted)
    return {"newer": newer, "older": older, "unlisted": told if unlisted else ""}


def _nearest(rows: "QuerySet[Message]", keys: list[int]) -> list[Message]:
    return list(rows.filter(pk__in=keys).reverse()) if keys else []


def _is_fetchable(arrival: Arrival) -> bool:
    return arrival.outcome == Arrival.Outcome.OVERSIZED and arrival.gone_at is None


def _waits(arrival: Arrival) -> bool:
    return arrival.outcome == Arrival.Outcome.WAITING


def _download(octets: bytes, content_type: str, name: str) -> HttpResponse:
    """For saving: what a stranger sent is never shown as a page of ours."""
    response = HttpResponse(octets, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Security-Policy"] = _BOX
    response["X-Content-Type-Options"] = "nosniff"
    return response


paths = [
    path("letters/<int:pk>", letter, name="letter"),
    path("letters/<int:pk>/raw", letter_raw, name="letter_raw"),
    path("letters/<int:pk>/attachments/<int:part>", letter_attachment, name="letter_attachment"),
    path("letters/<int:pk>/fetch", letter_fetch, name="letter_fetch"),
]
