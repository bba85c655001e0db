"""Presence (DESIGN §1): a connecting stream is a sign of life for two minutes; signing out ends it.

The clock is moved. A "tab" here is what connects when a browser comes for its stream.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django.fixtures import Settings

from buzon.desk.assignment import hand_out
from buzon.desk.models import Agent
from buzon.desk.models.people import PRESENCE
from buzon.desk.people import set_status
from buzon.web import switchboard
from buzon.web.pages import stream as stream_page
from tests.notify import people
from tests.web.cast import Cast, make_cast
from tests.web.clock import Clock
from tests.web.served import Served, served

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def connects(tab: Client) -> int:
    """As the browser does every minute; the status of the answer."""
    answer = tab.get("/notifications/stream", headers={"Accept": "text/event-stream"})
    return int(answer.status_code)


def is_present(agent: Agent) -> bool:
    return Agent.objects.get(pk=agent.pk).is_present()


def gets(cast: Cast, count: int) -> list[str]:
    """Who gets that many new customers, one after the other (R10)."""
    given = [hand_out(people.customer(cast.shop), cast.group) for _ in range(count)]
    return [row.agent.name if row.agent else "" for row in given]


def test_a_stream_is_a_sign_of_life_for_two_minutes(cast: Cast, clock: Clock) -> None:
    assert timedelta(minutes=2) == PRESENCE
    tab = cast.browser(cast.ana)
    assert not is_present(cast.ana)
    assert connects(tab) == 200
    clock.moves(seconds=119)
    assert is_present(cast.ana)
    clock.moves(seconds=1)
    assert not is_present(cast.ana)
    assert connects(tab) == 200
    assert is_present(cast.ana)
    assert not is_present(cast.luis)


def test_streams_come_back_often_enough_to_stay_present() -> None:
    longest = stream_page.LASTS * (1 + stream_page.SPREAD)
    assert timedelta(seconds=longest) < PRESENCE / 1.9


def test_other_pages_are_no_sign_of_life(cast: Cast) -> None:
    """A page that stays open speaks for itself; one that was only asked for says nothing."""
    tab = cast.browser(cast.ana)
    tab.get("/notifications/")
    tab.head("/notifications/stream", headers={"Accept": "text/event-stream"})
    assert not is_present(cast.ana)


def test_R10_who_is_free_and_signed_in_comes_first_as_long_as_it_lasts(
    cast: Cast, clock: Clock
) -> None:
    connects(cast.browser(cast.luis))
    assert gets(cast, 3) == ["Luis"] * 3
    clock.moves(minutes=2)  # Luis's browser was closed, or his laptop vanished: nothing says so
    assert gets(cast, 3) == ["Ana", "Luis", "Ana"]
    connects(cast.browser(cast.ana))
    assert gets(cast, 2) == ["Ana"] * 2


def test_R12_the_status_is_another_fact(cast: Cast) -> None:
    connects(cast.browser(cast.ana))
    set_status(cast.ana, "busy")
    assert is_present(cast.ana)
    assert set(gets(cast, 2)) == {"Ana", "Luis"}
    tab = cast.browser(cast.luis)
    connects(tab)
    assert gets(cast, 2) == ["Luis"] * 2
    tab.post("/sign-out")
    assert Agent.objects.get(pk=cast.luis.pk).status == "free"
    assert set(gets(cast, 2)) == {"Ana", "Luis"}


def test_signing_out_ends_it_at_once_and_keeps_it_ended(cast: Cast) -> None:
    one, other = cast.browser(cast.ana), Client(headers={"host": "localhost"})
    other.cookies = one.cookies  # two tabs of one browser
    assert (connects(one), connects(other)) == (200, 200)
    one.post("/sign-out")
    assert not is_present(cast.ana)
    assert connects(other) == 204
    assert not is_present(cast.ana)


def test_two_tabs_are_one_presence(cast: Cast, clock: Clock) -> None:
    tab = cast.browser(cast.ana)
    connects(tab), connects(tab)
    clock.moves(seconds=90)
    connects(tab)  # the other tab was closed
    clock.moves(seconds=90)
    assert is_present(cast.ana)
    assert gets(cast, 2) == ["Ana"] * 2


def test_signing_out_somewhere_else_is_made_good_by_the_next_sign_of_life(cast: Cast) -> None:
    office, home = cast.browser(cast.ana), cast.browser(cast.ana)
    connects(office), connects(home)
    office.post("/sign-out")
    assert (connects(office), connects(home)) == (204, 200)
    assert is_present(cast.ana)


def test_an_administrator_who_answers_nobody_is_nobody_to_share_with(cast: Cast) -> None:
    assert connects(cast.browser(cast.olga)) == 200
    assert not Agent.objects.filter(present_until__isnull=False).exists()


def test_signing_out_while_a_stream_connects_has_the_last_word(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = cast.browser(cast.ana)
    connects(tab)
    said = Agent.heard_from

    def meanwhile(agent: Agent) -> None:
        Session.objects.all().delete()
        said(agent)

    monkeypatch.setattr(Agent, "heard_from", meanwhile)
    assert connects(tab) == 204
    assert not is_present(cast.ana)


class TestOverASocket:
    """With streams that stay open."""

    pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]

    @pytest.fixture
    def pages(
        self,
        transactional_db: None,
        tmp_path: Path,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Served]:
        settings.BUZON_LISTEN = ("127.0.0.1", 0)
        monkeypatch.setattr(switchboard, "EVERY", 0.1)
        with served(tmp_path) as running:
            yield running

    def test_an_open_socket_alone_is_no_sign_of_life(
        self, pages: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A laptop that vanished leaves one behind."""
        cast = make_cast()
        with pages.listen(cast.browser(cast.ana)) as stream:
            assert stream.next("unread") is not None
            assert is_present(cast.ana)
            Clock(monkeypatch).moves(minutes=2, seconds=1)
            assert not is_present(cast.ana)

    def test_signing_out_ends_the_streams_of_that_session_within_seconds(
        self, pages: Served
    ) -> None:
        cast = make_cast()
        browser = cast.browser(cast.ana)
        with pages.listen(browser) as one, pages.listen(browser) as other:
            assert (one.status, other.status) == (200, 200)
            browser.post("/sign-out")
            assert one.is_over()
            assert other.is_over()
        with pages.listen(browser) as again:
            assert again.status == 204
        assert not is_present(cast.ana)

    def test_whoever_is_signed_in_elsewhere_too_says_so_at_once(self, pages: Served) -> None:
        cast = make_cast()
        office, home, luis = cast.browser(cast.ana), cast.browser(cast.ana), cast.browser(cast.luis)
        with (
            pages.listen(office),
            pages.listen(home) as at_home,
            pages.listen(luis) as his,
        ):
            office.post("/sign-out")
            assert at_home.is_over()
            assert not is_present(cast.ana)
            with pages.listen(home) as again:  # after the `retry` of the stream: one second
                assert again.status == 200
                assert is_present(cast.ana)
            assert his.next("unread") is not None
            people.arrived(people.customer(cast.shop, agent=cast.luis))
            people.tell(cast.shop)
            assert his.next("notification") is not None
