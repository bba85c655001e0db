"""The organization's settings, and blocked senders."""

import pytest
from django.conf import settings as installed
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from buzon.desk.blocking import block_sender, blocked_among
from buzon.desk.models import BlockedSender
from buzon.web.time_zones import time_zones
from tests.web.cast import Cast
from tests.web.test_agents import error_of

pytestmark = pytest.mark.django_db
SETTINGS = {"name": "Casa Olivo", "language": "es", "time_zone": "Europe/Madrid"}


def test_the_settings_are_shown_and_saved(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    page = browser.get("/settings").text
    for part in ('value="Casa Olivo"', 'value="es" selected', 'value="Europe/Madrid" selected'):
        assert part in page
    typed = {"name": "Olivo y Cía.", "language": "en", "time_zone": "Atlantic/Canary"}
    page = browser.post("/settings", typed, follow=True)
    assert "The settings are saved." in page.text
    cast.shop.refresh_from_db()
    assert (cast.shop.name, cast.shop.language, cast.shop.time_zone) == tuple(typed.values())


@pytest.mark.parametrize(
    ("language", "typed", "field", "told"),
    [
        ("en", {"name": "elsewhere"}, "name", "There is already an organization Elsewhere."),
        ("es", {"name": "elsewhere"}, "name", "Ya hay una organización Elsewhere."),
        ("es", {"name": ""}, "name", "Este campo es obligatorio."),
        ("en", {"time_zone": "Mars/Base"}, "time_zone", "Select a valid choice"),
        ("es", {"language": "fr"}, "language", "fr"),
    ],
)
def test_wrong_settings_are_refused_next_to_their_field(
    cast: Cast, language: str, typed: dict[str, str], field: str, told: str
) -> None:
    page = cast.browser(cast.olga, language=language).post("/settings", SETTINGS | typed).text
    assert told in error_of(page, field)
    assert f'value="{(SETTINGS | typed)["name"]}"' in page or not (SETTINGS | typed)["name"]
    assert "Casa Olivo" in page.split('class="shop"')[1][:80]  # the header keeps the true name
    cast.shop.refresh_from_db()
    assert (cast.shop.name, cast.shop.time_zone) == ("Casa Olivo", "Europe/Madrid")


def test_a_zone_with_an_old_name_is_not_lost(cast: Cast) -> None:
    cast.shop.time_zone = "CET"
    cast.shop.save()
    browser = cast.browser(cast.olga)
    assert '<option value="CET" selected>' in browser.get("/settings").text
    browser.post("/settings", SETTINGS | {"time_zone": "CET", "name": "Otra"})
    cast.shop.refresh_from_db()
    assert (cast.shop.name, cast.shop.time_zone) == ("Otra", "CET")


def test_zones_are_by_region_in_words() -> None:
    regions = dict(time_zones())
    assert ("Europe/Madrid", "Madrid") in regions["Europe"]
    buenos_aires = ("America/Argentina/Buenos_Aires", "Argentina: Buenos Aires")
    assert buenos_aires in regions["America"]
    assert regions["Other"] == [("UTC", "UTC")]
    assert dict(time_zones(also="No/Where"))["Other"] == [("UTC", "UTC")]


def test_what_the_operator_decides_is_told(cast: Cast, settings: Settings) -> None:
    browser = cast.browser(cast.olga)
    settings.BUZON_SMTP_URL, settings.BUZON_MAIL_FROM = "", ""
    settings.BUZON_MAX_ACCOUNTS = 7
    page = browser.get("/settings").text
    assert "0 of 7 allowed" in page
    assert "BUZON_SMTP_URL" in page
    assert (
        "PostgreSQL" if "postgresql" in installed.DATABASES["default"]["ENGINE"] else "SQLite"
    ) in page
    settings.BUZON_SMTP_URL, settings.BUZON_MAIL_FROM = "smtp://mail.example", "buzon@olivo.example"
    cast.shop.max_accounts = 3
    cast.shop.save()
    page = browser.get("/settings").text
    assert "0 of 3 allowed" in page
    assert "sent, from buzon@olivo.example" in page


def test_senders_and_domains_are_blocked_and_unblocked(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    assert "Nobody is blocked" in browser.get("/settings/blocked").text
    for written in ("Spam@Example.com", "bulk.example"):
        page = browser.post("/settings/blocked", {"written": written}, follow=True)
    assert "Blocked @bulk.example." in page.text
    assert "whole domain" in page.text
    asked = ["spam@example.com", "a@bulk.example", "a@fine.example"]
    assert blocked_among(cast.shop.pk, asked) == set(asked[:2])
    row = BlockedSender.objects.get(pattern="@bulk.example")
    page = browser.post(f"/settings/blocked/{row.pk}/removal", follow=True)
    assert "@bulk.example is not blocked any more." in page.text
    assert blocked_among(cast.shop.pk, asked) == {"spam@example.com"}


@pytest.mark.parametrize(
    ("language", "written", "told"),
    [
        ("en", "a b", "&#39;a b&#39; is neither an e-mail address nor a domain."),
        ("es", "a b", "«a b» no es una dirección de correo ni un dominio."),
        ("es", "", "Este campo es obligatorio."),
    ],
)
def test_what_is_neither_is_refused_and_stays_typed(
    cast: Cast, language: str, written: str, told: str
) -> None:
    browser = cast.browser(cast.olga, language=language)
    page = browser.post("/settings/blocked", {"written": written}).text
    assert told in error_of(page, "written")
    assert f'value="{written}"' in page or not written
    assert not BlockedSender.objects.exists()


def test_what_is_not_theirs_does_not_exist(cast: Cast) -> None:
    theirs = block_sender(cast.elsewhere, "spam@example.com")
    olga, ana = cast.browser(cast.olga), cast.browser(cast.ana)
    assert "spam@example.com" not in olga.get("/settings/blocked").text
    assert olga.post(f"/settings/blocked/{theirs.pk}/removal").status_code == 404
    assert BlockedSender.objects.filter(pk=theirs.pk).exists()
    for address in ("/settings", "/settings/blocked"):
        assert ana.get(address).status_code == 404
        assert ana.post(address, SETTINGS).status_code == 404


def test_many_blocked_take_few_queries(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        block_sender(cast.shop, f"spam{number:02}@example.com")
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(12):
        assert browser.get("/settings/blocked").text.count("Unblock") == 50
    assert "spam59@" in browser.get("/settings/blocked?page=2").text
    with django_assert_max_num_queries(12):
        browser.get("/settings")
