"""The stream: what happens comes within seconds, once, in the person's words (R13)."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from buzon.desk.models import Agent, Organization
from buzon.desk.people import deactivate_agent
from buzon.notify.inbox import Reader, mark_read
from buzon.notify.models import Notification
from buzon.web import switchboard
from buzon.web.news import Ear, Heard, News
from buzon.web.pages import stream as stream_page
from buzon.web.switchboard import Listener
from tests.notify import people
from tests.web.cast import Cast, make_cast
from tests.web.served import Served, Stream, served

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture
def pages(
    transactional_db: None, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    settings.BUZON_LISTEN = ("127.0.0.1", 0)
    monkeypatch.setattr(switchboard, "EVERY", 0.1)
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def shop(pages: Served) -> Cast:
    return make_cast()


def letter_for(agent: Agent, count: int = 1, **event: Any) -> list[Notification]:
    """That many letters to one of the agent's customers, told."""
    customer = people.customer(agent.organization, agent=agent)
    for _ in range(count):
        people.arrived(customer, **event)
    people.tell(agent.organization)
    return list(Notification.objects.filter(agent=agent).order_by("pk"))[-count:]


def heard(stream: Stream) -> int:
    """The id of the next notification."""
    event = stream.next("notification")
    assert event is not None
    return int(event.data["id"])


def unread(stream: Stream) -> str:
    event = stream.next("unread")
    assert event is not None
    return str(event.data["count"])


@pytest.mark.parametrize(
    ("language", "kind", "said"),
    [
        ("en", "Message received", "New message from"),
        ("es", "Mensaje recibido", "Nuevo mensaje de"),
    ],
)
def test_r13_a_letter_is_told_within_seconds_in_the_persons_language(
    pages: Served, shop: Cast, language: str, kind: str, said: str
) -> None:
    shop.ana.user.language = language
    shop.ana.user.save()
    with pages.listen(shop.browser(shop.ana)) as stream:
        assert stream.answer.getheader("Content-Type") == "text/event-stream"
        assert unread(stream) == ""
        began = time.monotonic()
        (row,) = letter_for(shop.ana)
        event = stream.next("notification")
        assert time.monotonic() - began < 5
        assert unread(stream) == "1"
    assert event is not None
    assert event.key == str(row.pk)
    assert event.data["headline"].startswith(said)
    assert event.data["link"] == f"/notifications/{row.pk}/open"
    assert (event.data["kind"], event.data["popup"]) == ("message_received", True)
    drawn = event.data["html"].replace("<wbr>", "")
    assert kind in drawn
    assert event.data["headline"].split(":")[0] in drawn


def test_what_a_stranger_wrote_is_text_in_the_pop_up(pages: Served, shop: Cast) -> None:
    customer = people.customer(shop.shop, agent=shop.ana)
    customer.name = "<img src=x onerror=alert(1)>\n\nid: 999"
    customer.save()
    with pages.listen(shop.browser(shop.ana)) as stream:
        unread(stream)
        people.arrived(customer)
        people.tell(shop.shop)
        event = stream.next("notification")
    assert event is not None
    assert event.key == str(event.data["id"]) != "999"
    assert "<img" not in event.data["html"]
    assert "&lt;img" in event.data["html"]


def test_everybody_hears_their_own(pages: Served, shop: Cast) -> None:
    with (
        pages.listen(shop.browser(shop.ana)) as ana,
        pages.listen(shop.browser(shop.luis)) as luis,
        pages.listen(shop.browser(shop.charlie)) as charlie,
    ):
        for stream in (ana, luis, charlie):
            unread(stream)
        (hers,), (his,) = letter_for(shop.ana), letter_for(shop.luis)
        people.event("account_failed", shop.elsewhere, data={"account": "x", "account_id": 1})
        people.tell(shop.elsewhere)
        assert (heard(ana), heard(luis)) == (hers.pk, his.pk)
        assert heard(charlie) == Notification.objects.get(user=shop.charlie).pk


def test_a_silent_one_is_counted_and_does_not_pop_up(pages: Served, shop: Cast) -> None:
    with pages.listen(shop.browser(shop.ana)) as stream:
        unread(stream)
        letter_for(shop.ana, silent=True)
        event = stream.next("notification")
        assert event is not None
        assert (event.data["popup"], event.data["html"]) == (False, "")
        assert unread(stream) == "1"


def test_reading_elsewhere_changes_the_count_of_every_tab(pages: Served, shop: Cast) -> None:
    letter_for(shop.ana, 3)
    with pages.listen(shop.browser(shop.ana)) as one, pages.listen(shop.browser(shop.ana)) as two:
        assert (unread(one), unread(two)) == ("3", "3")
        mark_read(Notification.objects.filter(agent=shop.ana))
        assert (unread(one), unread(two)) == ("", "")


def test_many_are_99_plus(pages: Served, shop: Cast) -> None:
    letter_for(shop.ana, 100)
    with pages.listen(shop.browser(shop.ana)) as stream:
        assert unread(stream) == "99+"


def test_after_a_gap_the_rest_comes_and_nothing_twice(pages: Served, shop: Cast) -> None:
    browser = shop.browser(shop.ana)
    first, second, third, fourth = letter_for(shop.ana, 4)
    mark_read(Notification.objects.filter(pk=third.pk))
    with pages.listen(browser, **{"Last-Event-ID": str(first.pk)}) as stream:
        assert [heard(stream), heard(stream)] == [second.pk, fourth.pk]
        (fifth,) = letter_for(shop.ana)
        assert heard(stream) == fifth.pk
    with pages.listen(browser, after=fourth.pk) as stream:
        assert heard(stream) == fifth.pk
        assert unread(stream) == "4"
    # What the stream itself said last counts more than the page's address.
    with pages.listen(browser, after=first.pk, **{"Last-Event-ID": str(fifth.pk)}) as stream:
        event = stream.next()
        assert event is not None
        assert (event.name, event.key) == ("unread", str(fifth.pk))


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "٣", "9" * 40])
def test_a_browser_that_is_new_here_hears_only_what_comes_now(
    pages: Served, shop: Cast, nonsense: str
) -> None:
    (old,) = letter_for(shop.ana)
    headers = {"Last-Event-ID": nonsense.encode().decode("latin-1")}
    with pages.listen(shop.browser(shop.ana), **headers) as stream:
        event = stream.next()
        assert event is not None
        assert (event.name, event.data["newest"]) == ("unread", old.pk)


def test_of_very_many_missed_the_newest_fifty(pages: Served, shop: Cast) -> None:
    rows = letter_for(shop.ana, 53)
    with pages.listen(shop.browser(shop.ana), after=0) as stream:
        assert [heard(stream) for _ in range(50)] == [row.pk for row in rows[3:]]


def test_a_number_given_earlier_and_committed_later_is_not_missed(
    pages: Served, shop: Cast
) -> None:
    """Two organizations are told at once; the one with the lower numbers commits last."""
    (early,) = letter_for(shop.luis)
    number = early.pk
    early.delete()
    with (
        pages.listen(shop.browser(shop.ana)) as ana,
        pages.listen(shop.browser(shop.charlie)) as charlie,
    ):
        unread(ana), unread(charlie)
        people.event("account_failed", shop.elsewhere, data={"account": "x", "account_id": 1})
        people.tell(shop.elsewhere)
        assert heard(charlie) > number
        early.pk, early.agent = number, shop.ana
        early.save(force_insert=True)
        assert heard(ana) == number


def test_it_ends_within_a_minute_and_says_when_to_come_back(
    pages: Served, shop: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 50 <= stream_page.LASTS * (1 + stream_page.SPREAD) <= 61
    monkeypatch.setattr(stream_page, "LASTS", 0.3)
    with pages.listen(shop.browser(shop.ana)) as stream:
        assert stream.answer.readline() == b"retry: 1000\n"
        assert stream.is_over()


def test_it_says_that_it_is_still_there(
    pages: Served, shop: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard, "SILENCE", 0.1)
    with pages.listen(shop.browser(shop.ana)) as stream:
        lines = [stream.answer.readline() for _ in range(8)]
    assert b": still here\n" in lines


def test_a_stranger_gets_no_stream_and_does_not_come_back(pages: Served, shop: Cast) -> None:
    headers = {"Accept": "text/event-stream"}
    with pages.listen(shop.browser(shop.ana)) as stream:
        Session.objects.all().delete()
        assert stream.is_over()
    for answer in (
        shop.browser().get("/notifications/stream", headers=headers),
        shop.browser().head("/notifications/stream", headers=headers),
    ):
        assert (answer.status_code, answer.content) == (204, b"")
    known = shop.browser(shop.ana).head("/notifications/stream", headers=headers)
    assert (known.status_code, known["Content-Type"]) == (200, "text/event-stream")
    assert shop.browser(shop.ana).post("/notifications/stream").status_code == 405


@pytest.mark.parametrize("end", ["agent", "login", "shop", "expired"])
def test_whoever_may_no_longer_sign_in_loses_the_stream(
    pages: Served, shop: Cast, end: str
) -> None:
    browser = shop.browser(shop.ana)
    with pages.listen(browser) as stream:
        unread(stream)
        if end == "agent":
            deactivate_agent(shop.ana)
        elif end == "login":
            type(shop.olga).objects.filter(agent=shop.ana).update(is_active=False)
        elif end == "shop":
            Organization.objects.filter(pk=shop.shop.pk).update(suspended_at=timezone.now())
        else:
            Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert stream.is_over()
    with pages.listen(browser) as again:
        assert again.status == 204


def test_fifty_streams_hold_no_connection_and_no_thread(pages: Served, shop: Cast) -> None:
    browser = shop.browser(shop.ana)
    with pages.listen(browser) as first:
        unread(first)
        calm_threads, calm_connections = _settled()
    streams = [pages.listen(browser) for _ in range(50)]
    try:
        for stream in streams:
            unread(stream)
        threads, open_connections = _settled()
        assert threads <= calm_threads + 2
        assert open_connections <= calm_connections + 1
        (row,) = letter_for(shop.ana)
        assert {heard(stream) for stream in streams} == {row.pk}
    finally:
        for stream in streams:
            stream.close()


def test_closing_the_last_stream_ends_the_looking(pages: Served, shop: Cast) -> None:
    with pages.listen(shop.browser(shop.ana)) as stream:
        unread(stream)
        (board,) = [one for one in list(switchboard._boards.values()) if one.listening]
    until = time.monotonic() + 5
    while board.listening or not (board._task and board._task.done()):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_slow_reader_loses_the_stream_and_not_our_memory() -> None:
    async def reads_nothing() -> list[bytes]:
        ear = Ear(1, Reader(1, None), "key", "en", "UTC")
        listener = Listener(ear, Heard(0, 0))
        taken = [listener.tell(News([b"x"], Heard(n, n))) for n in range(100)]
        assert sum(taken) < switchboard.WAITING
        assert not any(taken[sum(taken) :])
        return [frame async for frame in listener.frames(seconds=5)]

    assert len(asyncio.run(reads_nothing())) < switchboard.WAITING


def _settled() -> tuple[int, int]:
    """Threads of this process, and connections of the database, once both stay the same."""
    found: list[tuple[int, int]] = []
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found.append((threading.active_count(), _connections()))
        if len(found) > 5 and len(set(found[-5:])) == 1:
            break
        time.sleep(0.15)
    return min(found[-5:])


def _connections() -> int:
    """SQLite has no server to ask: there the threads are the measure."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
