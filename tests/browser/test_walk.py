"""Every page, as everyone who may see it: axe finds nothing, nothing overflows, little is sent."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.walk import Loaded, walk
from tests.browser.window import Windows

PHONE, DESK = 390, 1440
MOST = 100_000  # octets of a page, the first one with its style sheets and scripts
WHO = ("stranger", "agent", "administrator")
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.timeout(200)
@pytest.mark.parametrize("who", WHO)
def test_axe_finds_nothing_on_any_page_light_or_dark(windows: Windows, who: str) -> None:
    page = windows.open(who)
    found = []
    for loaded in walk(page, windows.stage, who):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{loaded.name}, {scheme}: {one}" for one in _violations(page)]
    assert found == []


def _violations(page: Page) -> list[str]:
    results = Axe().run(page)
    return [
        f"{rule['id']}: {node['html'][:200]} {node['any'][:1] or node['all'][:1]}"
        for rule in results.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("who", WHO)
def test_no_page_is_wider_than_its_window(windows: Windows, who: str) -> None:
    """Spanish has the longer words."""
    page = windows.open(who, language="es-ES", width=PHONE)
    too_wide = []
    for loaded in walk(page, windows.stage, who):
        for width in (320, PHONE, 768, DESK):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate(OVERFLOW) > 0:
                too_wide.append(f"{loaded.name} at {width}: {_widest(page)}")
    assert too_wide == []


def _widest(page: Page) -> str:
    """What sticks out farthest, to be told."""
    told: str = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
          .map((one) => [one.getBoundingClientRect().right, one.outerHTML.slice(0, 120)])
          .sort((a, b) => b[0] - a[0])[0].join(" ")"""
    )
    return told


@pytest.mark.parametrize("who", WHO)
def test_a_page_and_all_that_it_needs_is_under_100_kilobytes(windows: Windows, who: str) -> None:
    page = windows.open(who)
    loads: list[Loaded] = list(walk(page, windows.stage, who))
    assert loads[0].octets > 0
    assert {one.name: one.octets for one in loads if one.octets > MOST} == {}


@pytest.mark.parametrize("who", WHO)
def test_every_page_has_one_title_one_heading_and_one_language(windows: Windows, who: str) -> None:
    page = windows.open(who, language="es-ES")
    for loaded in walk(page, windows.stage, who):
        assert page.locator("h1").count() == 1, loaded.name
        assert page.title().endswith(" · Buzón"), loaded.name
        assert page.locator("html").get_attribute("lang") == "es", loaded.name
