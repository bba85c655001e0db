"""What a person sets for themselves, and where they are signed in."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from buzon.desk.models import Agent, User
from buzon.desk.people import add_administrator, add_agent, let_answer
from buzon.web.models import FailedTry, SignIn
from buzon.web.sessions import end_sessions, open_sessions
from tests.web.cast import PASSWORD, Cast
from tests.web.clock import Clock

pytestmark = pytest.mark.django_db
NEW = "another long one 0815"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def signed_in(cast: Cast, who: User | Agent, *, language: str = "en") -> Client:
    """Through the page, so that there is a row of it."""
    browser = cast.browser(language=language)
    answer = browser.post("/sign-in", {"email": who.email, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/me").status_code == 200


def test_the_wishes_are_kept(cast: Cast) -> None:
    """R13: which copies go out by e-mail is the agent's wish."""
    browser = cast.browser(cast.ana, language="en")
    wishes = {"language": "es", "appearance": "dark", "copies": "assigned"}
    page = browser.post("/me", wishes, follow=True)
    assert '<html lang="es" data-appearance="dark">' in page.text
    assert "Guardado." in page.text
    ana = Agent.objects.select_related("user").get(pk=cast.ana.pk)
    assert ana.user is not None
    assert (ana.user.language, ana.user.appearance, ana.email_copies) == tuple(wishes.values())


def test_the_browser_and_the_system_decide_again(cast: Cast) -> None:
    browser = cast.browser(cast.olga, language="en")
    browser.post("/me", {"language": "es", "appearance": "light"})
    page = browser.post("/me", {"language": "auto", "appearance": "auto"}, follow=True)
    olga = User.objects.get(pk=cast.olga.pk)
    assert (olga.language, olga.appearance) == ("", "")
    assert "data-appearance" not in page.text


@pytest.mark.parametrize(("language", "told"), [("en", "Select a valid"), ("es", "Escoja una")])
def test_what_nobody_can_wish_is_refused_next_to_its_field(
    cast: Cast, language: str, told: str
) -> None:
    wishes = {"language": "auto", "appearance": "auto", "copies": "some"}
    page = cast.browser(cast.ana, language=language).post("/me", wishes)
    assert told in page.text.split('id="error-copies"')[1].split("</div>")[0]
    assert Agent.objects.get(pk=cast.ana.pk).email_copies == "none"


def test_who_answers_no_customers_is_not_asked_about_copies(cast: Cast) -> None:
    assert 'name="copies"' not in cast.browser(cast.olga).get("/me").text
    let_answer(cast.olga, name="Olga")
    assert 'name="copies"' in cast.browser(cast.olga).get("/me").text


def test_the_status_is_set_there_too(cast: Cast) -> None:
    """R12."""
    browser = cast.browser(cast.ana)
    page = browser.post("/me/status", {"status": "break", "next": "/me"}, follow=True)
    assert 'value="break" aria-current="true"' in page.text.split("me-statuses")[1]
    assert "me-statuses" not in cast.browser(cast.olga).get("/me").text


def test_a_person_has_one_colour_wherever_they_are_seen(cast: Cast) -> None:
    # One login more than agents: of one of the two, login and agent differ in their numbers.
    add_administrator(cast.shop, email="rosa@olivo.example", password=PASSWORD)
    eva = add_agent(cast.shop, name="Eva", email="eva@olivo.example", password=PASSWORD)
    for agent in (cast.ana, eva):
        (own,) = {tone for page in ("/", "/me") for tone in _tones(cast.browser(agent), page)}
        assert _tones(cast.browser(cast.olga), f"/agents/{agent.pk}")[1:] == [own]


@pytest.mark.parametrize("can_send", [True, False])
def test_an_installation_that_cannot_send_says_so(
    cast: Cast, settings: Settings, can_send: bool
) -> None:
    settings.BUZON_SMTP_URL = "smtp://mail.example" if can_send else ""
    settings.BUZON_MAIL_FROM = "buzon@olivo.example"
    page = cast.browser(cast.ana).get("/me").text
    assert ("cannot send e-mail yet" in page) is not can_send


def test_sessions_are_listed_and_this_one_is_marked(cast: Cast) -> None:
    signed_in(cast, cast.ana)
    browser = signed_in(cast, cast.ana)
    signed_in(cast, cast.luis)
    page = browser.get("/me/sessions").text
    assert page.count('/end">') + page.count("/end'>") >= 2
    assert page.count("this one") == 1
    mine = open_sessions(cast.ana.user or cast.olga)
    assert mine.count() == 2


def test_one_session_is_ended(cast: Cast) -> None:
    other, browser = signed_in(cast, cast.ana), signed_in(cast, cast.ana)
    row = SignIn.objects.get(session_key=other.cookies[settings.SESSION_COOKIE_NAME].value)
    cast.ana.heard_from()
    browser.post(f"/me/sessions/{row.pk}/end")
    assert (is_in(other), is_in(browser)) == (False, True)
    assert Agent.objects.get(pk=cast.ana.pk).is_present()  # in the other browser


def test_ending_this_session_is_signing_out(cast: Cast) -> None:
    browser = signed_in(cast, cast.ana)
    cast.ana.heard_from()
    row = SignIn.objects.get(ended_at=None)
    assert browser.post(f"/me/sessions/{row.pk}/end")["Location"] == "/sign-in"
    assert not is_in(browser)
    assert not Agent.objects.get(pk=cast.ana.pk).is_present()


def test_all_others_are_ended(cast: Cast) -> None:
    others = [signed_in(cast, cast.ana) for _ in range(3)]
    luis, browser = signed_in(cast, cast.luis), signed_in(cast, cast.ana)
    page = browser.post("/me/sessions/end-others", follow=True)
    assert "3 browsers were signed out." in page.text
    assert [is_in(one) for one in others] == [False] * 3
    assert is_in(browser)
    assert is_in(luis)


def test_nobody_ends_somebody_elses_session(cast: Cast) -> None:
    signed_in(cast, cast.luis)
    row = SignIn.objects.get(user=cast.luis.user)
    for who in (cast.ana, cast.olga, cast.charlie):
        assert cast.browser(who).post(f"/me/sessions/{row.pk}/end").status_code == 404
    row.refresh_from_db()
    assert row.ended_at is None


def test_all_sessions_of_a_login_are_ended_for_its_administrator(cast: Cast) -> None:
    browsers = [signed_in(cast, cast.ana), signed_in(cast, cast.ana)]
    luis = signed_in(cast, cast.luis)
    cast.ana.heard_from()
    assert cast.ana.user is not None
    assert end_sessions(cast.ana.user) == 2
    assert [is_in(one) for one in browsers] == [False, False]
    assert is_in(luis)
    assert not Agent.objects.get(pk=cast.ana.pk).is_present()


def test_changing_the_password_ends_all_other_sessions(cast: Cast) -> None:
    other, browser = signed_in(cast, cast.ana), signed_in(cast, cast.ana)
    typed = {"current": PASSWORD, "password": NEW}
    page = browser.post("/me/password", typed, follow=True)
    assert "Your password is changed" in page.text
    assert (is_in(other), is_in(browser)) == (False, True)
    assert [row.user for row in SignIn.objects.filter(ended_at=None)] == [cast.ana.user]
    assert "this one" in browser.get("/me/sessions").text
    assert User.objects.get(pk=cast.ana.user_id).check_password(NEW)


@pytest.mark.parametrize(
    ("language", "current", "new", "field", "told"),
    [
        ("en", "wrong", NEW, "current", "This is not your current password."),
        ("es", "wrong", NEW, "current", "Esta no es su contraseña actual."),
        ("en", PASSWORD, "short", "password", "at least 10 characters"),
        ("es", PASSWORD, "short", "password", "por lo menos 10 caracteres"),
        ("es", PASSWORD, "1234567890", "password", "demasiado común"),
        ("en", PASSWORD, "", "password", "This field is required."),
        ("en", PASSWORD, "a\x00bcdefghijk", "password", "Null characters are not allowed."),
    ],
)
def test_a_wrong_password_is_refused_next_to_its_field_and_never_shown(
    cast: Cast, language: str, current: str, new: str, field: str, told: str
) -> None:
    browser = signed_in(cast, cast.ana, language=language)
    page = browser.post("/me/password", {"current": current, "password": new}).text
    assert told in page.split(f'id="error-{field}"')[1].split("</div>")[0]
    assert not new or f'value="{new}"' not in page
    assert f'value="{current}"' not in page
    assert User.objects.get(pk=cast.ana.user_id).check_password(PASSWORD)


def test_the_current_password_cannot_be_guessed_in_a_session_left_open(
    cast: Cast, clock: Clock
) -> None:
    browser = signed_in(cast, cast.ana)
    for _ in range(10):
        browser.post("/me/password", {"current": "wrong", "password": NEW})
    page = browser.post("/me/password", {"current": PASSWORD, "password": NEW}).text
    assert "Try again in 15 minutes." in page
    clock.moves(minutes=16)
    assert browser.post("/me/password", {"current": PASSWORD, "password": NEW}).status_code == 302
    assert not FailedTry.objects.exists()


def test_a_session_goes_on_while_it_is_used_and_ends_fourteen_days_after(
    cast: Cast, clock: Clock
) -> None:
    browser = signed_in(cast, cast.ana)
    for _ in range(3):
        clock.moves(days=10)
        assert is_in(browser)
    assert SignIn.objects.get().seen_at == clock.now
    clock.moves(days=15)
    assert not is_in(browser)


def test_what_expired_is_removed_when_somebody_signs_in(cast: Cast, clock: Clock) -> None:
    signed_in(cast, cast.ana)
    clock.moves(days=15)
    assert cast.ana.user is not None
    assert not open_sessions(cast.ana.user).exists()
    signed_in(cast, cast.luis)
    assert Session.objects.count() == 1
    clock.moves(days=200)
    signed_in(cast, cast.luis)
    assert SignIn.objects.count() == 1


def test_a_visit_is_noted_every_few_minutes_only(cast: Cast, clock: Clock) -> None:
    browser = signed_in(cast, cast.ana)
    began = SignIn.objects.get().seen_at
    clock.moves(minutes=4)
    assert is_in(browser)
    assert SignIn.objects.get().seen_at == began
    clock.moves(minutes=2)
    assert is_in(browser)
    assert SignIn.objects.get().seen_at == clock.now


def test_a_full_list_of_sessions_costs_no_more_queries(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(cast, cast.ana)
    now = timezone.now()
    for n in range(60):
        Session.objects.create(
            session_key=f"key{n}", session_data="", expire_date=now + timedelta(1)
        )
        SignIn.objects.create(
            user_id=cast.ana.user_id, session_key=f"key{n}", started_at=now, seen_at=now,
            browser="Firefox · Linux", network="192.0.2.1", address="192.0.2.1",
        )  # fmt: skip
    with django_assert_max_num_queries(8):
        page = browser.get("/me/sessions")
    assert page.text.count("Firefox · Linux</span>") == 50
    with django_assert_max_num_queries(9):
        browser.get("/me")


def _tones(browser: Client, page: str) -> list[str]:
    """Of the avatars on it, that of the header first."""
    return re.findall(r'class="avatar (tone-\d)"', browser.get(page).text)
