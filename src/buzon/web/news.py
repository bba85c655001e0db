"""What a stream says, asked of the database in one short visit: frames of server-sent events.

Nothing here keeps a row or a connection: an Ear is plain values, a frame is octets. The format is
that of the HTML standard, section 9.2 (event, id, data, retry; an empty line ends an event).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.sessions.models import Session
from django.template.loader import render_to_string
from django.utils import timezone, translation

from buzon.desk.models import Agent, User
from buzon.notify import inbox
from buzon.notify.inbox import Reader
from buzon.notify.models import Notification
from buzon.web.told import shown

RETRY = b"retry: 1000\n\n"  # milliseconds until the browser comes back after the end
STILL_HERE = b": still here\n\n"  # a comment, so that nothing in between takes us for dead


@dataclass(frozen=True, slots=True)
class Ear:
    """Who listens to a stream, and in which words. `number` is the stream's own: two tabs of one
    browser have each heard something else.
    """

    number: int
    reader: Reader
    session_key: str
    language: str
    time_zone: str


class Heard(NamedTuple):
    """How far an ear has heard: the key of the last notification, and the unread count."""

    last: int
    unread: int


class News(NamedTuple):
    """What is new for one ear, and how far it has then heard."""

    frames: list[bytes]
    heard: Heard


def opening(ear: Ear, *, after: int | None) -> News:
    """The first frames of a stream: what popped up after this key and is unread, then the count.
    None: this browser has heard nothing before, and is told only of what comes from now on.
    """
    newest = inbox.newest_id(ear.reader)
    missed = [] if after is None else inbox.missed(ear.reader, after=min(after, newest))
    unread = inbox.unread_count_of(ear.reader)
    count = _frame("unread", {"count": _shown_count(unread), "newest": newest}, key=newest)
    return News([RETRY, *_told(ear, missed), count], Heard(newest, unread))


def latest(ears: Mapping[Ear, Heard], *, after: int, since: datetime) -> dict[Ear, News]:
    """For each ear that there is something new for. `after`: nothing older can be new to anyone;
    `since`: from when on reading elsewhere may have changed a count.
    """
    readers = {ear.reader for ear in ears}
    rows = inbox.fresh(readers, after=after)
    new = {
        ear: [row.pk for row in rows if row.pk > heard.last and row.is_for(ear.reader)]
        for ear, heard in ears.items()
    }
    changed = {ear.reader for ear, keys in new.items() if keys}
    changed |= inbox.who_read(readers, since=since)
    counts = {reader: inbox.unread_count_of(reader) for reader in changed}
    full = inbox.in_full(key for keys in new.values() for key in keys[-inbox.MOST_MISSED :])
    news = {}
    for ear, heard in ears.items():
        unread = counts.get(ear.reader, heard.unread)
        if new[ear] or unread != heard.unread:
            news[ear] = _news(ear, heard, new[ear], full, unread)
    return news


def who_may_not(ears: Collection[Ear]) -> set[Ear]:
    """Those whose session ended, whose login or agent is not active, whose shop is suspended."""
    now = timezone.now()
    sessions = Session.objects.filter(session_key__in={ear.session_key for ear in ears})
    alive = set(sessions.filter(expire_date__gt=now).values_list("session_key", flat=True))
    users = User.objects.filter(pk__in={ear.reader.user_id for ear in ears}, is_active=True)
    active = set(users.filter(organization__suspended_at=None).values_list("pk", flat=True))
    agents = {ear.reader.agent_id for ear in ears if ear.reader.agent_id is not None}
    left = Agent.objects.filter(pk__in=agents, active=False).values_list("pk", flat=True)
    gone = set(left)
    return {
        ear
        for ear in ears
        if ear.session_key not in alive
        or ear.reader.user_id not in active
        or ear.reader.agent_id in gone
    }


def _news(
    ear: Ear, heard: Heard, keys: list[int], full: Mapping[int, Notification], unread: int
) -> News:
    rows = [full[key] for key in keys if key in full]
    last = max([heard.last, *keys])
    count = _frame("unread", {"count": _shown_count(unread), "newest": last}, key=last)
    return News([*_told(ear, rows), count], Heard(last, unread))


def _told(ear: Ear, rows: Collection[Notification]) -> list[bytes]:
    if not rows:
        return []
    with translation.override(ear.language), timezone.override(ZoneInfo(ear.time_zone)):
        return [_frame("notification", _data(row), key=row.pk) for row in rows]


def _data(row: Notification) -> dict[str, Any]:
    """`html` is the whole pop-up, in the person's language; the script has no words of its own."""
    one = shown(row)
    popup = bool(row.channels.get("popup"))
    return {
        "id": row.pk,
        "kind": row.kind,
        "headline": one.headline,
        "link": one.link,
        "at": row.created_at.isoformat(timespec="seconds"),
        "popup": popup,
        "html": render_to_string("notifications/popup.html", {"one": one}) if popup else "",
    }


def _shown_count(unread: int) -> str:
    """ "" for none, "99+" for many."""
    if not unread:
        return ""
    return f"{inbox.MOST_COUNTED - 1}+" if unread >= inbox.MOST_COUNTED else str(unread)


def _frame(event: str, data: dict[str, Any], *, key: int) -> bytes:
    # JSON has no line break outside its strings and escapes those inside, so data is one line.
    return f"id: {key}\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode()
