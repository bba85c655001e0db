"""Every page, as everyone who may see it: axe finds nothing, nothing overflows, little is sent, and
no page mixes the languages.
"""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.walk import ALL, walk
from tests.browser.window import StageWindows

WHO = ("stranger", "agent", "administrator")
WIDTHS = (320, 390, 768, 1440)
MOST = 100_000  # octets of a page, the first one with its style sheets and scripts
# In the dark the same page has other colours, and nothing else that is other.
RULES: dict[Literal["light", "dark"], dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What places, buttons and states are called in English, in no letter's words.
ENGLISH = (
    "Skip to", "Your status", "Sign out", "Incoming mailboxes", "Ledger", "Customers\n",
    "Cancel\n", "Save\n", "Notifications", "not signed in", "optional", "Mark all",
)  # fmt: skip


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("who", "part"),
    [
        ("stranger", ALL),
        ("agent", ALL),
        ("administrator", slice(0, None, 3)),
        ("administrator", slice(1, None, 3)),
        ("administrator", slice(2, None, 3)),
    ],
)
def test_axe_finds_nothing_light_or_dark_and_little_is_sent(
    windows: StageWindows, who: str, part: slice
) -> None:
    page = windows.open(who)
    found = []
    for loaded in walk(page, windows.stage, who, part=part):
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)
            found += [f"{loaded.name}, {scheme}: {one}" for one in _violations(page, rules)]
        if not 0 < loaded.octets < MOST:
            found.append(f"{loaded.name} takes {loaded.octets} octets")
    assert not found, "\n".join(found)


def _violations(page: Page, rules: dict[str, Any]) -> list[str]:
    results = Axe().run(page, options=rules)
    return [
        f"{rule['id']}: {node['html'][:200]} {node['any'][:1] or node['all'][:1]}"
        for rule in results.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.timeout(200)
@pytest.mark.parametrize("who", WHO)
def test_in_spanish_no_page_is_wider_than_its_window_nor_half_english(
    windows: StageWindows, who: str
) -> None:
    """Spanish has the longer words."""
    page = windows.open(who, language="es-ES")
    found = []
    for loaded in walk(page, windows.stage, who):
        found += [f"{loaded.name}: {one}" for one in [*_wrong_words(page), *_too_wide(page)]]
    assert not found, "\n".join(found)


def _wrong_words(page: Page) -> list[str]:
    words = page.locator("body").inner_text()
    wrong = [f"says {one!r}" for one in ENGLISH if one in words]
    if page.locator("h1").count() != 1:
        wrong.append("has not exactly one h1")
    if not page.title().endswith(" · Buzón"):
        wrong.append(f"is called {page.title()}")
    if page.locator("html").get_attribute("lang") != "es":
        wrong.append("does not say that it is Spanish")
    return wrong


def _too_wide(page: Page) -> list[str]:
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate(OVERFLOW) > 0:
            wrong.append(f"overflows at {width}: {_widest(page)}")
    return wrong


def _widest(page: Page) -> str:
    """What sticks out farthest, to be told."""
    told: str = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
          .filter((one) => getComputedStyle(one).clipPath === "none" && !one.closest(".table-box"))
          .map((one) => [one.getBoundingClientRect().right, one.outerHTML.slice(0, 120)])
          .sort((a, b) => b[0] - a[0])[0].join(" ")"""
    )
    return told
