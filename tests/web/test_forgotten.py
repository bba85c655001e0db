"""A forgotten password: the link that goes out by e-mail, and what it is good for."""

import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from pytest_django.fixtures import Settings

from buzon.desk.models import SentLetter, User
from buzon.desk.organizations import suspend_organization
from buzon.desk.people import deactivate_agent
from buzon.web import forgotten
from buzon.web.models import SignIn
from tests.servers.smtp import SmtpServer
from tests.web.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db(transaction=True)
OLGA = "olga@olivo.internal"
NEW = "another long one 0815"


@pytest.fixture
def smtp(cast: Cast, settings: Settings) -> Iterator[SmtpServer]:
    """Where everybody of the cast has an address that may be written to."""
    for user in User.objects.all():
        user.email = user.email.replace(".example", ".internal")
        user.save()
    with SmtpServer() as server:
        settings.BUZON_SMTP_URL = f"smtp://127.0.0.1:{server.port}"
        settings.BUZON_MAIL_FROM = "Buzón <buzon@olivo.example>"
        settings.BUZON_PUBLIC_URL = "https://buzon.olivo.example"
        yield server


def ask(cast: Cast, email: str = OLGA, *, at: str = "192.0.2.1", language: str = "en") -> str:
    """Ask for a link, and wait until the thread that answers has ended; where it leads to."""
    browser = cast.browser(language=language)
    answer = browser.post("/sign-in/forgotten", {"email": email}, REMOTE_ADDR=at)
    for thread in threading.enumerate():
        if thread.name == "forgotten":
            thread.join(20)
    return answer["Location"] if answer.status_code == 302 else answer.text


def link_in(smtp: SmtpServer) -> str:
    """The path of the last letter's link."""
    found = re.search(r"https://buzon\.olivo\.example(/\S+)", smtp.letters[-1].get_content())
    assert found
    return found[1]


def test_the_link_sets_a_new_password_once_and_signs_everybody_else_out(
    cast: Cast, smtp: SmtpServer
) -> None:
    elsewhere = cast.browser(cast.olga)
    assert ask(cast, " Olga@Olivo.internal ") == "/sign-in/forgotten/asked"
    browser, link = cast.browser(), link_in(smtp)
    assert OLGA in browser.get(link).text
    page = browser.post(link, {"password": NEW}, follow=True)
    assert "Your password is changed, and you are signed in." in page.text
    assert User.objects.get(email=OLGA).check_password(NEW)
    assert elsewhere.get("/me").status_code == 302
    again = cast.browser().post(link, {"password": PASSWORD})
    assert again.status_code == 404
    assert "not good any more" in again.text
    assert User.objects.get(email=OLGA).check_password(NEW)
    assert SignIn.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_answer_is_the_same_for_every_address(
    cast: Cast, smtp: SmtpServer, language: str
) -> None:
    for email in (OLGA, "nobody@olivo.internal", "no address"):
        assert ask(cast, email, language=language) == "/sign-in/forgotten/asked"
    assert [letter["To"] for letter in smtp.letters] == [OLGA]
    page = cast.browser(language=language).get("/sign-in/forgotten/asked").text
    assert {"en": "Look into your mail", "es": "Mire su correo"}[language] in page


def test_the_letter_speaks_the_persons_language_and_leads_to_our_own_address(
    cast: Cast, smtp: SmtpServer
) -> None:
    cast.browser().post("/sign-in/forgotten", {"email": OLGA}, headers={"host": "127.0.0.1"})
    ask(cast, "ana@olivo.internal")
    User.objects.filter(email=OLGA).update(language="en")
    ask(cast)
    subjects = {(letter["To"], letter["Subject"]) for letter in smtp.letters}
    assert ("ana@olivo.internal", "Una contraseña nueva para Buzón") in subjects
    assert (OLGA, "A new password for Buzón") in subjects
    for letter in smtp.letters:
        assert "https://buzon.olivo.example/sign-in/new-password/" in letter.get_content()
        assert letter["Auto-Submitted"] == "auto-generated"
        assert SentLetter.objects.filter(message_id=letter["Message-ID"]).exists()


def test_who_may_not_sign_in_gets_no_link(cast: Cast, smtp: SmtpServer) -> None:
    deactivate_agent(cast.ana)
    suspend_organization(cast.elsewhere)
    for email in ("ana@olivo.internal", "charlie@elsewhere.internal"):
        assert ask(cast, email) == "/sign-in/forgotten/asked"
    assert smtp.letters == []


def test_a_link_of_before_the_suspension_says_so(cast: Cast, smtp: SmtpServer) -> None:
    ask(cast)
    suspend_organization(cast.shop)
    page = cast.browser().post(link_in(smtp), {"password": NEW})
    assert "Casa Olivo is suspended" in page.text
    assert User.objects.get(email=OLGA).check_password(PASSWORD)


def test_a_link_is_good_for_an_hour(
    cast: Cast, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(cast)
    link, began = link_in(smtp), datetime.now()  # noqa: DTZ005 (as Django's own clock of tokens)
    for minutes, status in ((59, 200), (61, 404)):
        later = began + timedelta(minutes=minutes)
        monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda _self, at=later: at)
        assert cast.browser().get(link).status_code == status


def test_a_link_ends_when_its_person_signs_in(cast: Cast, smtp: SmtpServer) -> None:
    ask(cast)
    cast.browser().post("/sign-in", {"email": OLGA, "password": PASSWORD})
    assert cast.browser().get(link_in(smtp)).status_code == 404


def test_one_persons_link_is_no_others(cast: Cast, smtp: SmtpServer) -> None:
    ask(cast)
    link = link_in(smtp).replace(f"/{cast.olga.pk}/", f"/{cast.charlie.pk}/")
    assert cast.browser().post(link, {"password": NEW}).status_code == 404
    assert cast.browser().get("/sign-in/new-password/1/a-b").status_code == 404


@pytest.mark.parametrize(("language", "told"), [("en", "too short"), ("es", "demasiado corta")])
def test_a_weak_password_is_refused_next_to_its_field(
    cast: Cast, smtp: SmtpServer, language: str, told: str
) -> None:
    ask(cast)
    page = cast.browser(language=language).post(link_in(smtp), {"password": "short"})
    assert told in page.text.split('id="error-password"')[1].split("</div>")[0]


def test_asking_is_limited_per_login_and_per_network(cast: Cast, smtp: SmtpServer) -> None:
    for n in range(3):
        assert ask(cast, at=f"192.0.2.{n}") == "/sign-in/forgotten/asked"
    assert "Try again in 15 minutes." in ask(cast, at="192.0.2.9")
    assert "Vuelva a intentarlo" in ask(cast, at="192.0.2.9", language="es")
    for n in range(20):
        ask(cast, f"nobody{n}@olivo.internal", at="198.51.100.7")
    assert "Try again in" in ask(cast, "another@olivo.internal", at="198.51.100.7")
    assert len(smtp.letters) == 3


def test_a_server_that_is_away_changes_nothing_for_who_asks(cast: Cast, smtp: SmtpServer) -> None:
    smtp.go_away()
    assert ask(cast) == "/sign-in/forgotten/asked"
    smtp.come_back()
    assert ask(cast) == "/sign-in/forgotten/asked"
    assert len(smtp.letters) == 1


def test_more_than_a_few_at_once_are_dropped(cast: Cast, smtp: SmtpServer) -> None:
    for _ in range(forgotten.AT_ONCE):
        assert forgotten._room.acquire(blocking=False)
    try:
        assert ask(cast) == "/sign-in/forgotten/asked"
    finally:
        for _ in range(forgotten.AT_ONCE):
            forgotten._room.release()
    assert smtp.letters == []
    ask(cast)
    assert len(smtp.letters) == 1


@pytest.mark.parametrize("lacking", ["BUZON_SMTP_URL", "BUZON_MAIL_FROM", "BUZON_PUBLIC_URL"])
@pytest.mark.parametrize(
    ("language", "told"), [("en", "An administrator of the shop"), ("es", "Un administrador")]
)
def test_where_nothing_can_be_sent_the_page_says_whom_to_ask(
    cast: Cast, smtp: SmtpServer, settings: Settings, lacking: str, language: str, told: str
) -> None:
    setattr(settings, lacking, "")
    page = cast.browser(language=language).get("/sign-in/forgotten").text
    assert told in page
    assert "buzon administrator password" in page
    assert "<h1>" in ask(cast)
    assert smtp.letters == []
