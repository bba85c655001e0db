"""Every form of the pages, sent with the token of a session that is over: what was typed stands in
it once more, nothing is done, and the next click does it.
"""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from buzon.desk.models import Agent, Store, User
from buzon.intake.models import Arrival
from tests.organizations import rows_of
from tests.web.cast import PASSWORD, Cast
from tests.web.test_access import World, world
from tests.web.test_typed import FORMS, SECRET, Fields
from tests.web.urls_expected import EXPECTED, PUBLIC

__all__ = ["world"]  # a fixture
pytestmark = pytest.mark.django_db
OURS = {"origin": "http://localhost"}
TOLD = {"en": "Nothing was sent yet", "es": "Todavía no se ha enviado nada"}
# Olga's own password is changed elsewhere.
OWN_FORMS = [
    name for name in FORMS if EXPECTED[name].audience != PUBLIC and name != "administrator_password"
]
WORDS = "This form is too old"


@pytest.mark.parametrize("name", OWN_FORMS)
def test_what_was_typed_stands_in_the_same_form_and_nothing_was_done(
    world: World, name: str
) -> None:
    browser, address = signed_in(world.cast.olga), world.address(name)
    page = browser.get(address).text
    fields = Fields(page)
    typed = fields.sent | {one: [f"{one} <b>&é"] for one in fields.texts}
    sent = typed | {one: [SECRET] for one in fields.secrets} | _token(page)
    sign_in_again(browser, world.cast.olga)
    before = rows_of(world.cast.shop)
    answer = browser.post(address, sent, headers=OURS)
    assert answer.status_code == 403
    assert TOLD["en"] in answer.text
    assert rows_of(world.cast.shop) == before
    again = Fields(answer.text)
    assert {one: again.sent.get(one) for one in typed} == typed
    assert again.secrets == fields.secrets
    assert SECRET not in answer.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_more_click_sends_it(cast: Cast, language: str) -> None:
    browser = signed_in(cast.olga, language=language)
    answer = too_late(browser, cast.olga, "/stores/new", {"name": "Sur"})
    assert TOLD[language] in answer.text
    assert not Store.objects.filter(name="Sur").exists()
    again = browser.post("/stores/new", {"name": "Sur"} | _token(answer.text), headers=OURS)
    assert again.status_code == 302
    assert Store.objects.filter(name="Sur").exists()
    assert TOLD[language] not in browser.get("/stores/").text


def test_what_comes_from_elsewhere_is_not_put_into_a_form_of_ours(cast: Cast) -> None:
    browser = signed_in(cast.olga)
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
        answer = browser.post("/stores/new", {"name": "Sur"}, headers=headers)
        assert answer.status_code == 403
        assert WORDS in answer.text
        assert "Sur" not in answer.text


def test_a_button_without_a_page_of_its_own_says_what_happened(cast: Cast) -> None:
    browser = signed_in(cast.ana)
    answer = too_late(browser, cast.ana, "/me/status", {"status": "busy"}, opened="/me")
    assert (answer.status_code, WORDS in answer.text) == (403, True)
    assert TOLD["en"] not in answer.text
    cast.ana.refresh_from_db()
    assert cast.ana.status == Agent.Status.FREE


def test_a_view_that_asks_which_button_it_was_finds_none(world: World) -> None:
    Arrival.objects.update(outcome=Arrival.Outcome.FAILED)
    browser = signed_in(world.cast.olga)
    answer = too_late(browser, world.cast.olga, world.address("quarantine"), {"verb": "all"})
    assert (answer.status_code, TOLD["en"] in answer.text) == (403, True)
    assert not Arrival.objects.exclude(outcome=Arrival.Outcome.FAILED).exists()


def test_somebody_else_who_signs_in_sees_no_page_that_is_not_theirs(cast: Cast) -> None:
    browser = signed_in(cast.olga)
    answer = too_late(browser, cast.ana, "/stores/new", {"name": "Sur"})
    assert (answer.status_code, "Sur" in answer.text) == (404, False)


def test_a_part_of_a_page_is_not_answered_with_a_page(cast: Cast) -> None:
    browser = signed_in(cast.olga)
    typed = {"verb": "check", "name": "Info"}
    answer = browser.post("/collection-accounts/new", typed, headers=OURS | {"hx-request": "true"})
    assert (answer.status_code, WORDS in answer.text) == (403, True)


def signed_in(who: User | Agent, *, language: str = "en") -> Client:
    """As in life: through the page, with tokens that are looked at."""
    browser = Client(
        enforce_csrf_checks=True, headers={"host": "localhost", "accept-language": language}
    )
    _sign_in(browser, who)
    return browser


def sign_in_again(browser: Client, who: User | Agent) -> None:
    """In another tab."""
    assert browser.post("/sign-out", _token(browser.get("/me").text)).status_code == 302
    _sign_in(browser, who)


def too_late(
    browser: Client, who: User | Agent, place: str, typed: dict[str, str], *, opened: str = ""
) -> HttpResponse:
    """The form of `place`, opened before `who` signed in, and sent after it."""
    token = _token(browser.get(opened or place).text)
    sign_in_again(browser, who)
    return browser.post(place, typed | token, headers=OURS)  # type: ignore[return-value]


def _sign_in(browser: Client, who: User | Agent) -> None:
    typed = {"email": who.email, "password": PASSWORD}
    sent = browser.post("/sign-in", typed | _token(browser.get("/sign-in").text))
    assert sent.status_code == 302


def _token(page: str) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found is not None
    return {"csrfmiddlewaretoken": found[1]}
