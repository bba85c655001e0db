"""By keyboard alone: the main ways, the menus, and a focus that is seen, never lost nor trapped."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenStage
from tests.browser.walk import walk
from tests.browser.window import StageWindows

FARTHEST = 60  # steps with the tabulator to what a page is about
MIDDLE = 40  # steps into a page; of a longer one only the last ones follow
LAST = 12
LONGEST = 90  # steps, more than any page takes then

FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const again = "stepped" in one.dataset;
  one.dataset.stepped = "yes";
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const bar = document.querySelector(".top")?.getBoundingClientRect().bottom ?? 0;
  const wrong = {
    "is not drawn": box.width * box.height < 60,
    "shows no focus": style.boxShadow === "none" && style.outlineStyle === "none",
    "is under the bar": box.bottom <= bar && !one.closest(".top, .skip"),
    "is outside the window": box.bottom <= 0 || box.top >= innerHeight
      || box.right <= 0 || box.left >= innerWidth,
  };
  const found = Object.keys(wrong).filter((words) => wrong[words]);
  return { again, wrong: found.map((words) => `${words}: ${one.outerHTML.slice(0, 140)}`) };
}"""


# Nearly at the end of a long list the next steps lead out of it.
TO_THE_LAST = """(last) => {
  const all = [...document.querySelectorAll("main a[href], main button, main input, main select")];
  const here = all.indexOf(document.activeElement);
  if (here >= 0 && all.length - here > last) all.at(-last).focus();
}"""


def test_signing_in_and_adding_a_store_take_no_mouse(stage_of_its_own: OpenStage) -> None:
    windows = stage_of_its_own("empty")
    page = windows.open()
    page.goto("/sign-in?next=/stores/")
    _step_to(page, "input[type=email]")
    page.keyboard.type(windows.stage.people["administrator"])
    _step_to(page, "input[type=password]")
    page.keyboard.type(windows.stage.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/stores/")
    _step_to(page, "main a[href='/stores/new']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stores/new")
    _step_to(page, "input[name=name]")
    page.keyboard.type("Almazara Norte")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stores/")
    expect(page.get_by_role("status")).to_contain_text("Almazara Norte")


def test_the_first_step_leads_past_the_menus(windows: StageWindows) -> None:
    page = windows.open("agent")
    page.goto("/letters/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_menus_open_and_close_and_the_focus_comes_back(windows: StageWindows) -> None:
    page = windows.open("agent")
    page.goto("/letters/")
    for menu in (".status-menu", ".me-menu"):
        _step_to(page, f"{menu} > summary")
        page.keyboard.press("Enter")
        expect(page.locator(f"{menu} .menu-items")).to_be_visible()
        page.keyboard.press("Tab")
        assert page.evaluate(f"document.activeElement.closest('{menu} .menu-items') !== null")
        page.keyboard.press("Escape")
        expect(page.locator(f"{menu} .menu-items")).to_be_hidden()
        expect(page.locator(f"{menu} > summary")).to_be_focused()


def test_the_bell_opens_its_list_and_gives_the_focus_back(windows: StageWindows) -> None:
    page = windows.open("agent")
    page.goto("/customers/")
    _step_to(page, ".bell")
    page.keyboard.press("Enter")
    expect(page.locator("#bell-items")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#bell-items') !== null")
    page.keyboard.press("Escape")
    expect(page.locator("#bell-items")).to_be_hidden()
    expect(page.locator(".bell")).to_be_focused()


def test_a_refused_form_puts_the_focus_where_it_is_said(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/stores/new")
    _step_to(page, "input[name=name]")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.is-bad")).to_be_focused()
    described = str(page.locator("input[name=name]").get_attribute("aria-describedby")).split()
    said = " ".join(page.locator(f"#{one}").inner_text() for one in described)
    assert "required" in said


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("who", "but"), [("stranger", ""), ("agent", ""), ("administrator", "agent")]
)
def test_the_focus_is_seen_at_every_step_and_no_page_keeps_it(
    windows: StageWindows, who: str, but: str
) -> None:
    page = windows.open(who)
    wrong = []
    for loaded in walk(page, windows.stage, who, but=but):
        page.evaluate("document.activeElement.blur()")
        wrong += [f"{loaded.name}: {one}" for one in _steps_through(page)]
    assert wrong == []


def _steps_through(page: Page) -> list[str]:
    """What is wrong on the way, from the top to the end of the page."""
    wrong: list[str] = []
    for steps in range(LONGEST):
        if steps == MIDDLE:
            page.evaluate(TO_THE_LAST, LAST)
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["again"]:
            return wrong if steps else [*wrong, "nothing takes the focus"]
        wrong += focused["wrong"]
    return [*wrong, f"the focus is still inside after {LONGEST} steps"]


def _step_to(page: Page, selector: str) -> None:
    """With the tabulator alone."""
    wanted = page.locator(selector)
    for _ in range(FARTHEST):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached in {FARTHEST} steps")
