"""On a phone: the menu opens and leads everywhere, lists are read line by line, fingers hit."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import StageWindows

PHONE = 390
FINGER = 24  # CSS pixels, the least that WCAG 2.2 (2.5.8) allows

SMALL = """(least) => [...document.querySelectorAll(
    "main a, main button, main input:not([type=hidden]), main select, main summary, header a, "
    + "header summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => !one.closest("p, li, td, dd, .table-box, .visually-hidden, label"))
  .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 120)])
  .filter(([box]) => box.width > 1 && (box.width < least || box.height < least))
  .map(([box, html]) => `${box.width} by ${box.height}: ${html}`)"""


def test_the_menu_opens_leads_on_and_closes(windows: StageWindows) -> None:
    page = windows.open("administrator", width=PHONE)
    page.goto("/letters/")
    menu = page.locator(".drawer nav")
    expect(menu).to_be_hidden()
    page.locator(".drawer > summary").click()
    expect(menu.get_by_role("link")).to_have_count(page.locator(".side a").count())
    page.locator("h1").click(position={"x": 5, "y": 5}, force=True)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator(".drawer > summary").click()
    menu.get_by_role("link", name="Stores").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stores")
    expect(menu).to_be_hidden()


@pytest.mark.parametrize("url", ["/customers/", "/collection-accounts/", "/agents/", "/stores/"])
def test_a_table_is_read_line_by_line_with_the_name_of_each_value(
    windows: StageWindows, url: str
) -> None:
    page = windows.open("administrator", width=PHONE)
    page.goto(url)
    row = page.locator(".table.is-cards tbody tr").first
    box = row.bounding_box()
    assert box
    assert box["width"] <= PHONE
    drawn = page.evaluate(BEFORE)
    assert len(drawn) >= row.locator("td[data-label]").count() >= 2
    assert "none" not in drawn, "the name of a value is drawn before it"


BEFORE = """[...document.querySelectorAll(".table.is-cards td[data-label]")]
  .filter((one) => one.checkVisibility()).map((one) => getComputedStyle(one, "::before").content)"""


@pytest.mark.parametrize(
    "url", ["/", "/letters/", "/customers/", "/stores/new", "/me", "/collection-accounts/new"]
)
def test_what_is_pressed_is_large_enough_for_a_finger(windows: StageWindows, url: str) -> None:
    page: Page = windows.open("administrator", width=PHONE)
    page.goto(url)
    assert page.evaluate(SMALL, FINGER) == []


LISTS = [("/letters/", "show"), ("/customers/", "store"), ("/ledger/", "outcome")]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(("url", "name"), LISTS)
def test_all_filters_but_the_search_are_folded_away(
    windows: StageWindows, url: str, name: str, *, script: bool
) -> None:
    page = windows.open("administrator", width=PHONE, script=script)
    page.goto(url)
    first_row = page.locator("main li, main tbody tr").first.bounding_box()
    assert first_row
    assert first_row["y"] < 500, "the list begins in the upper half"
    chosen = page.locator(f"select[name={name}]")
    expect(page.locator(".filters .is-search input")).to_be_visible()
    expect(chosen).to_be_hidden()
    page.locator(".filters-fold summary").click()
    chosen.select_option(index=1)
    page.locator(".filters button").click()
    page.wait_for_url(f"**{url}?*{name}=*")
    expect(page.locator(".filters-fold summary")).to_contain_text("1 in use")
    expect(chosen).to_be_hidden()


def test_wide_screens_show_every_filter(windows: StageWindows) -> None:
    page = windows.open("administrator")
    for url, name in LISTS:
        page.goto(url)
        expect(page.locator(f"select[name={name}]")).to_be_visible()
        expect(page.locator(".filters-fold")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 360, PHONE, 412])
def test_the_header_has_room_for_every_status(windows: StageWindows, width: int) -> None:
    page = windows.open("agent", language="es-ES", width=width)
    page.goto("/")
    shown = page.locator(".status-menu summary .status")
    for status in page.locator(".status-menu .menu-item").all_text_contents():
        shown.evaluate("(one, words) => { one.lastChild.textContent = words }", status.strip())
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{status.strip()}: {overflow} pixels too many"
