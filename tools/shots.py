"""`make shots`: pictures of every page, in shots/, to be looked at after a change of the looks.

    shots/full/31-letters-agent-1440-es-dark.png
          stage   place and name of the URL, as whom, width, language, appearance

`python -m tools.shots --stage full --only letter stores` makes some of them. All of them made, it
fails where a URL of the pages has no picture in any stage.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tools.stage import Address, Answer, Stage, StageFailed, open_stage

OUT = Path(__file__).parents[1] / "shots"
CHROMIUM = "/usr/bin/chromium"
STAGES = ("first", "empty", "full", "failing")
WHO = ("stranger", "agent", "administrator")
SIZES: tuple[ViewportSize, ...] = ({"width": 1440, "height": 900}, {"width": 390, "height": 844})
LANGUAGES = {"es": "es-ES", "en": "en-GB"}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WAIT = 15_000.0  # milliseconds
NOWHERE = "/this-page-does-not-exist"
SENT = "form.form .button.is-main"  # of a form that is sent as it is, for its refusals
MENUS = {
    "status": ".status-menu > summary",
    "me": ".me-menu > summary",
    "places": ".drawer > summary",
    "bell": ".bell",
}


@dataclass
class Camera:
    """Where pictures go, and which: pages whose names begin with one of `only`, or all."""

    browser: Browser
    only: tuple[str, ...] = ()
    taken: int = 0
    answers: dict[str, set[Answer]] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        return not self.only or name.startswith(self.only)

    def shoot_window(
        self, page: Page, folder: Path, name: str, size: ViewportSize, language: str
    ) -> None:
        """What is in sight, in both appearances."""
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=folder / f"{name}-{size['width']}-{language}-{scheme}.png")
            self.taken += 1

    def shoot(self, page: Page, folder: Path, name: str, language: str) -> None:
        """In every width and appearance."""
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for size in SIZES:
                page.set_viewport_size(size)
                file = f"{name}-{size['width']}-{language}-{scheme}.png"
                page.screenshot(path=folder / file, full_page=True)
                self.taken += 1


def main() -> int:
    """The exit status."""
    wish = _wish()
    begun = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        camera = Camera(browser, tuple(wish.only))
        try:
            for kind in wish.stage:
                _shoot_stage(camera, kind)
        except StageFailed as failure:
            _say(str(failure))
            return 1
        browser.close()
    _say(f"{camera.taken} pictures in {OUT}, in {time.monotonic() - begun:.0f} s")
    is_whole = set(wish.stage) == set(STAGES) and not wish.only
    return _missing(camera.answers) if is_whole else 0


def _wish() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.shots", description="Pictures of every page.")
    parser.add_argument("--stage", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    return parser.parse_args()


def _shoot_stage(camera: Camera, kind: str) -> None:
    folder = OUT / kind
    if not camera.only:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        with open_stage(kind, language=language) as stage:
            for who in WHO:
                if who == "stranger" or who in stage.people:
                    _shoot_person(camera, stage, folder, who, language)
            for one in stage.addresses:
                camera.answers.setdefault(one.name.split("-")[0], set()).add(stage.answer(one))
    _say(f"{kind}: {camera.taken} pictures so far")


def _shoot_person(camera: Camera, stage: Stage, folder: Path, who: str, language: str) -> None:
    context = camera.browser.new_context(
        base_url=stage.url, locale=LANGUAGES[language], timezone_id="Europe/Madrid"
    )
    context.set_default_timeout(WAIT)
    context.add_cookies(stage.cookies(who))  # type: ignore[arg-type]  # a dict of these
    page = context.new_page()
    pages = [one for one in _numbered(stage, who) if camera.wants(one[1].name)]
    for number, one in pages:
        page.goto(one.url)
        camera.shoot(page, folder, f"{number:02}-{one.name}-{who}", language)
    if who != "stranger" and camera.wants("menus"):
        _shoot_menus(camera, page, folder, who, language)
    if folder.name == "full" and who == "agent" and camera.wants("popup"):
        _shoot_popup(camera, stage, page, folder, language)
    if folder.name == "full" and who == "administrator" and camera.wants("preview"):
        _shoot_preview(camera, stage, page, folder, language)
    if folder.name == "failing":
        for number, one in pages:
            _shoot_sent(camera, page, folder, f"{number:02}-{one.name}-{who}-sent", one, language)
    context.close()


def _numbered(stage: Stage, who: str) -> Iterator[tuple[int, Address]]:
    """As the URLs are, so that the same page has the same number in every stage."""
    names = list(dict.fromkeys(one.name.split("-")[0] for one in stage.addresses))
    for one in stage.pages(who):
        yield names.index(one.name.split("-")[0]), one
    yield 99, Address("not_found", NOWHERE, who)


def _shoot_menus(camera: Camera, page: Page, folder: Path, who: str, language: str) -> None:
    """Each menu of the bar, open; those that this width or person has."""
    page.goto("/")
    for menu, opener in MENUS.items():
        for size in SIZES:
            page.set_viewport_size(size)
            if page.locator(opener).is_visible():
                page.locator(opener).click()
                page.wait_for_timeout(300)  # one of them is filled when it opens
                camera.shoot_window(page, folder, f"00-menu-{menu}-{who}", size, language)
                page.keyboard.press("Escape")


def _shoot_popup(camera: Camera, stage: Stage, page: Page, folder: Path, language: str) -> None:
    """What the agent sees when a customer writes."""
    with page.expect_response(lambda response: "/notifications/stream" in response.url):
        page.goto("/letters/")
    stage.do("write", subject="¿Queda alguna tinaja?", text="Necesito dos para el patio.")
    page.locator("[data-popup]").first.wait_for()
    for size in SIZES:
        page.set_viewport_size(size)
        camera.shoot_window(page, folder, "00-popup-agent", size, language)


def _shoot_preview(camera: Camera, stage: Stage, page: Page, folder: Path, language: str) -> None:
    """What a first download would bring, beside the form that asks for it."""
    page.goto("/collection-accounts/new")
    page.locator("details:has([name=pinned_sha256]) > summary").click()
    for name, value in stage.do("mailbox").items():
        page.locator(f"#account [name={name}]").fill(value)
    with page.expect_response(lambda response: "/collection-accounts/preview/" in response.url):
        page.locator("#account [value=preview]").click()
    page.locator("#preview .check-verdict").wait_for()
    page.evaluate("scrollTo(0, 0)")  # or the bar stands in the middle of the picture
    camera.shoot(page, folder, "00-preview-administrator", language)
    camera.answers.setdefault("collection_account_preview", set()).add(Answer.OTHER)


def _shoot_sent(
    camera: Camera, page: Page, folder: Path, name: str, one: Address, language: str
) -> None:
    """The page's form, sent as it is: what is missing is refused, next to its field."""
    page.goto(one.url)
    button = page.locator(SENT).first
    if one.name == "not_found" or not button.is_visible():
        return
    button.click()
    page.wait_for_load_state("load")
    if page.locator(".has-error, .notice.is-bad").count():
        camera.shoot(page, folder, name, language)


def _missing(answers: dict[str, set[Answer]]) -> int:
    """Whether a URL is nowhere a page, nor known to be none."""
    bare = [name for name, seen in answers.items() if not seen & {Answer.PAGE, Answer.OTHER}]
    if bare:
        _say(f"No picture of {', '.join(bare)}: tools/stage/addresses.py knows no row for it.")
    return 1 if bare else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
