"""Spanish and English: the browser's language decides, the person's choice after it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenStage
from tests.browser.window import StageWindows

WORDS = {"es": ("Entrar", "Cartas"), "en": ("Sign in", "Letters")}


@pytest.mark.parametrize(
    ("browser", "spoken"), [("es-ES", "es"), ("es-MX", "es"), ("en-GB", "en"), ("de-DE", "en")]
)
def test_the_browser_s_language_decides_at_first(
    windows: StageWindows, browser: str, spoken: str
) -> None:
    stranger = windows.open(language=browser)
    stranger.goto("/sign-in")
    _speaks(stranger, spoken)
    agent = windows.open("agent", language=browser)
    agent.goto("/letters/")
    _speaks(agent, spoken)


def test_who_is_not_signed_in_yet_chooses_and_it_stays(windows: StageWindows) -> None:
    page = windows.open(language="en-GB")
    page.goto("/sign-in")
    page.get_by_role("button", name="Español").click()
    _speaks(page, "es")
    page.goto("/sign-in?next=/letters/")
    _speaks(page, "es")


def test_the_person_s_choice_wins_over_every_browser(stage_of_its_own: OpenStage) -> None:
    windows = stage_of_its_own("empty")
    page = windows.open("agent", language="en-GB")
    page.goto("/me")
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    _speaks(page, "es")
    elsewhere = windows.open("agent", language="en-GB")
    elsewhere.goto("/letters/")
    _speaks(elsewhere, "es")
    page.locator(".me-menu > summary").click()
    page.get_by_role("button", name="Salir").click()
    _speaks(page, "es")  # the sign-in page of this browser


def test_numbers_and_times_are_written_as_the_person_writes_them(windows: StageWindows) -> None:
    english, spanish = (windows.open("administrator", language=one) for one in ("en-GB", "es-ES"))
    for page in (english, spanish):
        page.goto("/stores/")
    hovered = [page.locator("time").first.get_attribute("title") for page in (english, spanish)]
    assert " de " in str(hovered[1])
    assert " de " not in str(hovered[0])


def _speaks(page: Page, language: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", language)
    other = {"es": "en", "en": "es"}[language]
    text = page.locator("body").inner_text()
    assert any(words in text for words in WORDS[language])
    assert not any(words in text for words in WORDS[other])
