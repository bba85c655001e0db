"""Every address, asked for by a stranger, by people of another organization, by agents and by an
administrator: what is not theirs is not there, and never changed.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from buzon.desk.blocking import block_sender
from buzon.desk.customers import add_customer
from buzon.desk.models import Event
from buzon.desk.organizations import suspend_organization
from buzon.intake.models import Arrival
from buzon.notify.models import Notification
from buzon.web.models import SignIn
from buzon.web.urls import urlpatterns
from tests.organizations import crossings, rows_of
from tests.web.cast import Cast
from tests.web.letters import account_of, collected, written
from tests.web.urls_expected import ADMINISTRATORS, EXPECTED, PUBLIC, Expected

pytestmark = pytest.mark.django_db
WITH_FILE = (
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Disposition: attachment; filename=note.txt\r\n"
)
VIEWS: dict[str, Any] = {str(one.name): one.callback for one in urlpatterns}


@dataclass
class World:
    """Casa Olivo with a row of each kind; the letters, notifications and sessions are Ana's."""

    cast: Cast
    rows: dict[str, dict[str, Any]]
    browsers: dict[str, Client]

    def address(self, name: str) -> str:
        return reverse(name, kwargs=self.rows[EXPECTED[name].row])

    def ask(self, who: str, method: str, name: str) -> HttpResponse:
        browser = self.browsers[who]
        asked = browser.get if method == "GET" else browser.post
        return asked(self.address(name))  # type: ignore[return-value]


@pytest.fixture
def world(cast: Cast) -> World:
    browsers = {
        "stranger": cast.browser(),
        "charlie": cast.browser(cast.charlie),
        "luis": cast.browser(cast.luis),
        "ana": cast.browser(cast.ana),
        "olga": cast.browser(cast.olga),
    }
    return World(cast, _rows(cast, browsers["ana"]), browsers)


def _rows(cast: Cast, anas: Client) -> dict[str, dict[str, Any]]:
    account = account_of(cast.shop, port=9, host="127.0.0.1")
    customer = add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    (letter,) = collected(account, written("eva@example.com", head=WITH_FILE))
    assert letter.customer == customer
    now = timezone.now()
    session = SignIn.objects.create(
        user_id=cast.ana.user_id, session_key=anas.session.session_key, browser="Firefox",
        started_at=now, seen_at=now, network="192.0.2.1",
    )  # fmt: skip
    told = Notification.objects.filter(agent=cast.ana).first() or _told(cast)
    return {
        "": {},
        "forgotten_preview": {"name": "c0ffee"},
        "wrong_link": {"pk": cast.olga.pk, "token": "c0ffee-c0ffee"},
        "account": {"pk": account.pk},
        "arrival": {"pk": Arrival.objects.get(message=letter).pk},
        "letter": {"pk": letter.pk},
        "attachment": {"pk": letter.pk, "part": 0},
        "customer": {"pk": customer.pk},
        "agent": {"pk": cast.ana.pk},
        "administrator": {"pk": cast.olga.pk},
        "group": {"pk": cast.group.pk},
        "store": {"pk": cast.store.pk},
        "blocked": {"pk": block_sender(cast.shop, "@spam.example").pk},
        "notification": {"pk": told.pk},
        "session": {"pk": session.pk},
    }


def _told(cast: Cast) -> Notification:
    event = Event.objects.filter(organization=cast.shop).first()
    assert event is not None
    return Notification.objects.create(
        organization=cast.shop, event=event, agent=cast.ana,
        kind=Notification.Kind.MESSAGE_RECEIVED, channels={"list": True, "email": False},
    )  # fmt: skip


def expected_statuses(name: str, who: str, method: str) -> frozenset[int]:
    """What this person may get of that address."""
    page = EXPECTED[name]
    if method not in page.methods:
        return frozenset({405})
    answers = (method == "POST" and page.posted) or page.answers
    if page.audience == PUBLIC:
        return answers
    if who == "stranger":
        return frozenset({302})
    if page.audience == ADMINISTRATORS and who in ("ana", "luis"):
        return frozenset({404})
    if page.row and who not in _readers(page):
        return frozenset({404})
    return answers


def _readers(page: Expected) -> set[str]:
    if page.audience == ADMINISTRATORS:
        return {"olga"}
    return {"ana", page.only}


def test_every_address_has_an_expectation_and_is_for_whom_it_says() -> None:
    assert set(VIEWS) == set(EXPECTED), "extend tests/web/urls_expected.py"
    said = {name: getattr(view, "audience", "nobody") for name, view in VIEWS.items()}
    assert said == {name: page.audience for name, page in EXPECTED.items()}


def test_every_number_in_an_address_is_filled_with_a_row() -> None:
    for one in urlpatterns:
        page = EXPECTED[str(one.name)]
        assert bool(one.pattern.converters) == bool(page.row), one.name


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_person_sees_what_is_theirs_and_nothing_else(world: World, name: str) -> None:
    page = EXPECTED[name]
    before = rows_of(world.cast.shop)
    for who, method in _tries("stranger", "charlie"):
        answer = world.ask(who, method, name)
        assert answer.status_code in expected_statuses(name, who, method), (who, method)
        assert "Casa Olivo" not in _text(answer), (who, method)
        if answer.status_code == 302 and who == "stranger" and page.audience != PUBLIC:
            assert answer["Location"].startswith("/sign-in?next=/"), method
    others = ("luis",) if page.row else ()
    for who, method in _tries(*others):
        answer = world.ask(who, method, name)
        assert answer.status_code in expected_statuses(name, who, method), (who, method)
    assert rows_of(world.cast.shop) == before
    for who, method in _tries("ana", "olga"):
        answer = world.ask(who, method, name)
        assert answer.status_code in expected_statuses(name, who, method), (who, method)
    assert crossings() == []


@pytest.mark.parametrize(
    "name", sorted(name for name, page in EXPECTED.items() if "POST" in page.methods)
)
def test_a_form_of_another_site_is_refused(world: World, name: str) -> None:
    """No page of ours sent it, so it has no token."""
    browser = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    browser.force_login(world.cast.olga)
    before = rows_of(world.cast.shop)
    answer = browser.post(world.address(name))
    assert answer.status_code == 403
    assert "This form is too old" in answer.text
    assert rows_of(world.cast.shop) == before


@pytest.mark.parametrize(("language", "told"), [("en", "does not exist"), ("es", "no existe")])
def test_what_is_not_there_says_so_in_the_persons_language(
    cast: Cast, language: str, told: str
) -> None:
    for who in (None, cast.ana, cast.olga):
        answer = cast.browser(who, language=language).get("/nowhere")
        assert answer.status_code == 404
        assert told in answer.text


def test_a_row_that_never_was_is_answered_like_anothers(world: World) -> None:
    for who, known in (("charlie", world.rows["store"]["pk"]), ("olga", 10**9)):
        answer = world.browsers[who].get(f"/stores/{known}")
        assert (answer.status_code, "This page does not exist" in answer.text) == (404, True)


def test_everybody_of_a_suspended_organization_is_a_stranger(world: World) -> None:
    suspend_organization(world.cast.shop)
    for who in ("ana", "olga"):
        assert world.browsers[who].get("/me")["Location"].startswith("/sign-in")
    assert world.browsers["charlie"].get("/me").status_code == 200


def test_a_part_of_a_page_leads_a_stranger_to_sign_in_and_back_to_the_page(cast: Cast) -> None:
    answer = cast.browser().get(
        "/notifications/latest",
        headers={"hx-request": "true", "hx-current-url": "http://localhost/letters/?page=2"},
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/sign-in?next=/letters/%3Fpage%3D2"


@pytest.mark.parametrize("url", ["http://[::1", "http://evil.example/letters/", "nonsense", ""])
def test_a_page_around_that_is_none_of_ours_is_not_where_one_comes_back_to(
    cast: Cast, url: str
) -> None:
    answer = cast.browser().get(
        "/notifications/latest", headers={"hx-request": "true", "hx-current-url": url}
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] in ("/sign-in?next=/", "/sign-in?next=nonsense")


def test_cookies_are_out_of_the_reach_of_scripts_and_other_sites(cast: Cast) -> None:
    browser = cast.browser()
    browser.get("/sign-in")
    browser.post("/sign-in", {"email": cast.olga.email, "password": "a long password 4711"})
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        cookie = browser.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def _tries(*people: str) -> list[tuple[str, str]]:
    return [(who, method) for who in people for method in ("GET", "POST")]


def _text(answer: HttpResponse) -> str:
    return "" if answer.streaming else answer.text  # type: ignore[attr-defined]
