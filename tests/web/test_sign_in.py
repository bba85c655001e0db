"""Signing in and out, and the limits to guessing."""

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from buzon.desk.models import Agent
from buzon.desk.organizations import resume_organization, suspend_organization
from buzon.desk.people import deactivate_agent
from buzon.web import limits
from buzon.web.browsers import browser_of
from buzon.web.limits import Limit, TooManyTries, forgive, try_once
from buzon.web.models import FailedTry, SignIn
from buzon.web.sessions import REMEMBERED
from tests.web.cast import PASSWORD, Cast
from tests.web.clock import Clock

pytestmark = pytest.mark.django_db
OLGA = "olga@olivo.example"
ANA = "ana@olivo.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def sign_in(
    browser: Client,
    email: str = OLGA,
    password: str = PASSWORD,
    *,
    at: str = "192.0.2.1",
    to: str = "",
) -> str:
    """The page that follows, or where it leads to."""
    page = browser.post(
        "/sign-in", {"email": email, "password": password, "next": to}, REMOTE_ADDR=at
    )
    return page["Location"] if page.status_code == 302 else page.text


def guesses(browser: Client, times: int, email: str = OLGA, *, at: str = "198.51.100.9") -> str:
    """Wrong passwords; the last page."""
    for _ in range(times):
        page = sign_in(browser, email, "wrong", at=at)
    return page


WRONG = {
    "en": "This e-mail address and this password do not belong together.",
    "es": "Esta dirección de correo y esta contraseña no van juntas.",
}
MANY = {"en": "Try again in 15 minutes.", "es": "Vuelva a intentarlo dentro de 15 minutos."}


def test_a_person_signs_in_and_comes_to_the_page_that_was_asked_for(cast: Cast) -> None:
    browser = cast.browser()
    asked = browser.get("/stores/?page=2")
    assert asked["Location"] == "/sign-in?next=" + quote("/stores/?page=2")
    form = browser.get(asked["Location"])
    assert 'name="next" value="/stores/?page=2"' in form.text
    assert sign_in(browser, " Olga@Olivo.example ", to="/stores/?page=2") == "/stores/?page=2"
    assert browser.get("/stores/").status_code == 200
    assert browser.get("/sign-in")["Location"] == "/"


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere_after_signing_in(cast: Cast, to: str) -> None:
    assert sign_in(cast.browser(), to=to) == "/"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("email", [OLGA, "nobody@olivo.example", "no address", "ü@bücher.example"])
def test_a_wrong_pair_says_the_same_whether_the_login_exists(
    cast: Cast, email: str, language: str
) -> None:
    page = sign_in(cast.browser(language=language), email, "wrong")
    assert WRONG[language] in page
    assert f'value="{email}"' in page
    assert "wrong" not in page
    assert not Session.objects.exists()


def test_a_login_that_is_unknown_costs_a_hash_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    sign_in(cast.browser(), OLGA, "one")
    sign_in(cast.browser(), "nobody@olivo.example", "two")
    assert hashed == ["one", "two"]


def test_the_session_gets_a_new_key_and_a_row(cast: Cast) -> None:
    browser = Client(headers={"host": "localhost", "user-agent": FIREFOX})
    browser.post("/language", {"language": "en"})
    sign_in(browser, ANA, at="2001:db8:1:2:3::4")
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    row = SignIn.objects.get(session_key=before)
    assert (row.user, row.browser) == (cast.ana.user, "Firefox · Linux")
    assert (row.address, row.network) == ("2001:db8:1:2:3::4", "2001:db8:1:2::/64")
    browser.post("/sign-out")
    sign_in(browser, OLGA)
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != before
    row.refresh_from_db()
    assert row.ended_at is not None


@pytest.mark.parametrize(
    ("language", "told"), [("en", "Casa Olivo is suspended"), ("es", "Casa Olivo está suspendida")]
)
def test_a_suspended_organization_is_told_to_the_right_password_only(
    cast: Cast, language: str, told: str
) -> None:
    suspend_organization(cast.shop)
    browser = cast.browser(language=language)
    assert told not in sign_in(browser, OLGA, "wrong")
    assert told in sign_in(browser, OLGA)
    resume_organization(cast.shop)
    assert sign_in(browser, OLGA) == "/"


@pytest.mark.parametrize(
    ("language", "told"), [("en", "is not active any more"), ("es", "ya no está activo")]
)
def test_a_deactivated_agent_is_told_so_after_the_right_password(
    cast: Cast, language: str, told: str
) -> None:
    deactivate_agent(cast.ana)
    browser = cast.browser(language=language)
    assert told not in sign_in(browser, ANA, "wrong")
    assert told in sign_in(browser, ANA)


def test_a_request_of_somebody_who_was_deactivated_is_a_strangers(cast: Cast) -> None:
    browser = cast.browser(cast.ana)
    assert browser.get("/me").status_code == 200
    deactivate_agent(cast.ana)
    assert browser.get("/me")["Location"].startswith("/sign-in")


def test_signing_out_ends_the_session_and_the_presence(cast: Cast) -> None:
    """R12: the status stays."""
    browser = cast.browser()
    sign_in(browser, ANA)
    browser.post("/me/status", {"status": "lunch"})
    cast.ana.heard_from()
    browser.post("/sign-out")
    ana = Agent.objects.get(pk=cast.ana.pk)
    assert (ana.is_present(), ana.status) == (False, "lunch")
    assert browser.get("/me")["Location"].startswith("/sign-in")
    assert not SignIn.objects.filter(ended_at=None).exists()


def test_signing_out_keeps_the_language_that_the_person_chose(cast: Cast) -> None:
    assert cast.ana.user is not None
    cast.ana.user.language = "es"
    cast.ana.user.save()
    browser = cast.browser(language="en")
    sign_in(browser, ANA)
    assert '<html lang="es"' in browser.post("/sign-out", follow=True).text


def test_the_language_can_be_chosen_before_signing_in(cast: Cast) -> None:
    browser = cast.browser(language="en")
    page = browser.post("/language", {"language": "es", "next": "/sign-in?next=/me"})
    assert page["Location"] == "/sign-in?next=/me"
    assert '<html lang="es"' in browser.get("/sign-in").text
    browser.post("/language", {"language": "tlh"})
    assert '<html lang="es"' in browser.get("/sign-in").text


@pytest.mark.parametrize("language", ["en", "es"])
def test_after_ten_wrong_passwords_of_a_login_the_right_one_waits_too(
    cast: Cast, clock: Clock, language: str
) -> None:
    browser = cast.browser(language=language)
    assert WRONG[language] in guesses(browser, 10)
    assert MANY[language] in sign_in(browser, at="203.0.113.5")
    clock.moves(minutes=14)
    assert MANY[language].replace("15 min", "1 min")[:-2] in sign_in(browser, at="203.0.113.5")
    clock.moves(minutes=2)
    assert sign_in(browser, at="203.0.113.5") == "/"
    assert not FailedTry.objects.exists()


def test_tries_while_waiting_do_not_make_the_wait_longer(cast: Cast, clock: Clock) -> None:
    browser = cast.browser()
    guesses(browser, 10)
    for _ in range(15):
        clock.moves(minutes=0.9)
        assert "Try again in" in guesses(browser, 3)
    clock.moves(minutes=2)
    assert sign_in(browser) == "/"


def test_a_login_that_does_not_exist_waits_in_the_same_way(cast: Cast, clock: Clock) -> None:
    assert MANY["en"] in guesses(cast.browser(), 11, "nobody@olivo.example")


def test_where_a_person_signed_in_before_nobody_elsewhere_locks_them_out(
    cast: Cast, clock: Clock
) -> None:
    assert sign_in(cast.browser(), at="192.0.2.1") == "/"
    guesses(cast.browser(), 10, at="198.51.100.9")
    assert MANY["en"] in sign_in(cast.browser(), at="203.0.113.5")
    assert sign_in(cast.browser(), at="192.0.2.1") == "/"
    clock.moves(days=REMEMBERED.days + 1)
    assert sign_in(cast.browser(), ANA) == "/"  # which removes what is too old
    guesses(cast.browser(), 10, at="198.51.100.9")
    assert MANY["en"] in sign_in(cast.browser(), at="192.0.2.1")


def test_fifty_wrong_tries_of_a_network_make_it_wait(cast: Cast, clock: Clock) -> None:
    browser = cast.browser()
    for n in range(50):
        guesses(browser, 1, f"nobody{n}@olivo.example", at=f"2001:db8:1:2::{n:x}")
    assert MANY["en"] in sign_in(browser, at="2001:db8:1:2:ffff::1")
    assert sign_in(browser, at="2001:db8:1:3::1") == "/"


def test_tries_at_the_same_moment_are_counted_before_they_are_looked_at(cast: Cast) -> None:
    """As many processes would: ten are looked at, the eleventh waits though none was wrong yet."""
    limit = Limit("login", OLGA, 10)
    under_way = [try_once(limit) for _ in range(10)]
    with pytest.raises(TooManyTries):
        try_once(limit)
    forgive(under_way[0])
    assert try_once(limit)


def test_more_tries_at_the_same_moment_than_are_left_wait_all_of_them(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looked before the other was counted; counted, they see each other."""
    limit = Limit("login", OLGA, 1)
    check = limits._check
    others: list[int] = []

    def overtaken(*given: Any, **options: Any) -> None:
        check(*given, **options)
        if not others:
            others.append(FailedTry.objects.create(key=limit.key, at=timezone.now()).pk)

    monkeypatch.setattr(limits, "_check", overtaken)
    with pytest.raises(TooManyTries):
        try_once(limit)
    assert list(FailedTry.objects.values_list("pk", flat=True)) == others


def test_right_passwords_are_not_counted(cast: Cast, clock: Clock) -> None:
    for _ in range(12):
        assert sign_in(cast.browser()) == "/"


def test_a_status_that_does_not_exist_is_refused_in_words(cast: Cast) -> None:
    """R12."""
    browser = cast.browser(cast.ana, language="es")
    page = browser.post("/me/status", {"status": "asleep", "next": "/me"}, follow=True)
    assert "asleep" in page.text
    assert Agent.objects.get(pk=cast.ana.pk).status == "free"


def test_the_status_is_set_from_the_header_and_leads_back(cast: Cast) -> None:
    """R12."""
    browser = cast.browser(cast.ana)
    page = browser.post("/me/status", {"status": "busy", "next": "/customers/?page=2"})
    assert page["Location"] == "/customers/?page=2"
    assert Agent.objects.get(pk=cast.ana.pk).status == "busy"
    assert Agent.objects.get(pk=cast.luis.pk).status == "free"


def test_who_answers_no_customers_has_no_status(cast: Cast) -> None:
    assert cast.browser(cast.olga).post("/me/status", {"status": "busy"}).status_code == 404


@pytest.mark.parametrize(
    ("agent", "short"),
    [
        (FIREFOX, "Firefox · Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari · iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        ("curl/8.5.0", ""),
        ("", ""),
    ],
)
def test_a_browser_in_few_words(agent: str, short: str) -> None:
    assert browser_of(agent) == short


def test_guessing_on_writes_nothing(
    cast: Cast, clock: Clock, django_assert_max_num_queries: Any
) -> None:
    """Who guesses without end does not hold up those who write for the mail."""
    browser = cast.browser()
    guesses(browser, 10)
    with django_assert_max_num_queries(20) as asked:
        assert MANY["en"] in guesses(browser, 1)
    said = [one["sql"].split()[0] for one in asked.captured_queries]
    assert set(said) == {"SELECT"}
