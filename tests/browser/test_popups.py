"""R13: a pop-up at the bottom right, in the tab that is looked at and in no other."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect
from tools.stage import Stage

from tests.browser.conftest import stage_on_this_database
from tests.browser.window import StageWindows

SOON = 15_000  # milliseconds: the demonstration's mailboxes are asked every 5 seconds
SUBJECT = "¿Queda alguna tinaja?"


@pytest.fixture(scope="module")
def living() -> Iterator[Stage]:
    """Letters come here: no stage for others."""
    with stage_on_this_database("full") as stage:
        yield stage


@pytest.fixture
def windows(chromium: Browser, living: Stage) -> Iterator[StageWindows]:
    opened = StageWindows(chromium, living)
    yield opened
    opened.close()


def test_R13_a_popup_comes_while_the_agent_looks_and_leads_to_the_letter(
    windows: StageWindows,
) -> None:
    page = windows.open("agent", language="es-ES")
    _look(page, "/customers/")
    unread = _unread(page)
    _write(windows)
    popup = page.locator("[data-popup]", has_text=SUBJECT)
    expect(popup).to_be_visible(timeout=SOON)
    _is_at_the_bottom_right(page, popup.bounding_box())
    assert _unread(page) == unread + 1
    expect(page).to_have_title(re.compile(rf"^\({unread + 1}\) "))
    popup.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("Necesito dos para el patio.")
    assert _unread(page) == unread, "whoever opened it has seen it"


def test_a_popup_is_closed_by_its_button_and_does_not_come_back(windows: StageWindows) -> None:
    page = windows.open("agent")
    _look(page, "/letters/")
    _write(windows)
    popup = page.locator("[data-popup]", has_text=SUBJECT)
    popup.locator("[data-close]").click(timeout=SOON)
    expect(popup).to_have_count(0)
    _look(page, "/customers/")
    page.wait_for_timeout(1_500)  # the stream tells what is new since the last one shown
    expect(page.locator("[data-popup]")).to_have_count(0)


@pytest.mark.parametrize("url", ["/", "/letters/"])
def test_the_count_stays_in_the_title_when_a_list_renews_itself(
    windows: StageWindows, url: str
) -> None:
    page = windows.open("agent")
    page.clock.install()
    _look(page, url)
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        page.clock.fast_forward(21_000)
    page.wait_for_timeout(500)  # the answer is put in
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))


def test_R13_a_tab_that_nobody_looks_at_shows_no_popup(windows: StageWindows) -> None:
    behind = windows.open("agent")
    _look(behind, "/letters/")
    in_front = behind.context.new_page()
    _look(in_front, "/customers/")
    _is_in_front(in_front, behind=behind)
    _write(windows)
    expect(in_front.locator("[data-popup]", has_text=SUBJECT)).to_be_visible(timeout=SOON)
    expect(behind.locator("[data-popup]")).to_have_count(0)
    behind.bring_to_front()
    behind.wait_for_timeout(500)
    expect(behind.locator("[data-popup]")).to_have_count(0)  # it was seen in the other tab
    assert _unread(behind) == _unread(in_front)


def test_R13_what_comes_while_nobody_looks_is_shown_when_somebody_does(
    windows: StageWindows,
) -> None:
    page = windows.open("agent")
    _look(page, "/letters/")
    unread = _unread(page)
    _is_in_front(page.context.new_page(), behind=page)
    for _ in range(5):
        _write(windows)
    expect(page.locator("[data-unread]")).to_have_text(str(unread + 5), timeout=SOON)
    expect(page.locator("[data-popup]")).to_have_count(0)
    page.bring_to_front()
    expect(page.locator("[data-popup]")).to_have_count(3)
    expect(page.locator("#popups")).to_contain_text("… and 2 more")


def _look(page: Page, url: str) -> None:
    """And wait until the page hears what happens."""
    with page.expect_response(lambda response: "/notifications/stream" in response.url):
        page.goto(url)
    page.wait_for_timeout(300)


def _is_in_front(page: Page, *, behind: Page) -> None:
    """Playwright lets every tab believe that it is looked at; here one alone is."""
    for tab in (page, behind):
        off = {"enabled": False}
        tab.context.new_cdp_session(tab).send("Emulation.setFocusEmulationEnabled", off)
    page.bring_to_front()
    assert page.evaluate("document.hasFocus()")
    assert not behind.evaluate("document.hasFocus()")


def _is_at_the_bottom_right(page: Page, box: FloatRect | None) -> None:
    assert box
    assert page.viewport_size
    right = page.viewport_size["width"] - (box["x"] + box["width"])
    below = page.viewport_size["height"] - (box["y"] + box["height"])
    assert 0 <= right <= 40
    assert 0 <= below <= 40


def _write(windows: StageWindows) -> None:
    """One of the agent's customers does."""
    windows.stage.do("write", subject=SUBJECT, text="Necesito dos para el patio.")


def _unread(page: Page) -> int:
    """The number in the bell; hidden, it counts for nothing."""
    bell = page.locator("[data-unread]")
    return int(bell.text_content() or 0) if bell.is_visible() else 0
