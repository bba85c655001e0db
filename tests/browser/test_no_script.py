"""With JavaScript turned off the main ways work: links and forms are enough."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from playwright.sync_api import Browser, Page, expect
from tools.stage import Stage

from tests.browser.conftest import stage_on_this_database
from tests.browser.window import StageWindows
from tests.servers.dovecot import Dovecot

SOON = 20.0  # seconds


@pytest.fixture(scope="module")
def changing() -> Iterator[Stage]:
    """What these tests add to and change is no stage for others."""
    with stage_on_this_database("full") as stage:
        yield stage


@pytest.fixture
def windows(chromium: Browser, changing: Stage) -> Iterator[StageWindows]:
    opened = StageWindows(chromium, changing)
    yield opened
    opened.close()


def test_signing_in_and_out(windows: StageWindows) -> None:
    page = windows.open(script=False)
    page.goto("/letters/?kind=person")
    page.locator("input[type=email]").fill(windows.stage.people["agent"])
    page.locator("input[type=password]").fill("not the password")
    page.locator("form.form .is-main").click()
    expect(page.locator("input[type=email]")).to_have_value(windows.stage.people["agent"])
    expect(page.locator("input[type=password]")).to_have_value("")
    page.locator("input[type=password]").fill(windows.stage.password)
    page.locator("form.form .is-main").click()
    expect(page).to_have_url(re.compile(r"/letters/\?kind=person$"))
    page.locator(".me-menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/letters/")
    expect(page).to_have_url(re.compile(r"/sign-in"))


def test_the_own_status_and_what_was_told(windows: StageWindows) -> None:
    page = windows.open("agent", script=False)
    page.goto("/customers/")
    page.locator(".status-menu > summary").click()
    page.locator(".status-menu").get_by_role("button", name="At lunch").click()
    expect(page).to_have_url(re.compile(r"/customers/$"))
    expect(page.locator(".status-menu > summary")).to_contain_text("At lunch")
    page.locator(".bell").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")
    page.get_by_role("button", name="Mark all as read").first.click()
    expect(page.locator(".told-row.is-unread")).to_have_count(0)
    expect(page.locator("[data-unread]")).to_be_hidden()


@pytest.mark.timeout(150)
def test_a_mailbox_is_checked_added_and_collected(
    windows: StageWindows, dovecot: Dovecot, fresh_login: Callable[..., str]
) -> None:
    login = fresh_login()
    dovecot.deliver(login, _letter())
    page = windows.open("administrator", script=False)
    page.goto("/collection-accounts/")
    page.get_by_role("link", name="Add an incoming mailbox").click()
    page.locator("input[name=name]").fill("Without a script")
    page.locator("input[name=host]").fill(dovecot.host)
    page.locator("input[name=port]").fill(str(dovecot.port("imap", "none")))
    page.locator("input[name=security][value=none], option[value=none]").first.evaluate(CHOOSE)
    page.locator("input[name=username]").fill(login)
    page.locator("input[name=secret]").fill("secret")
    page.locator("input[name=create_customer][value=yes]").check()
    page.locator("[data-check][value=check]").click()
    expect(page.locator(".check-verdict.is-good")).to_be_visible()
    expect(page.locator("input[name=name]")).to_have_value("Without a script")
    if not page.locator("input[name=secret]").input_value():
        page.locator("input[name=secret]").fill("secret")  # secrets never come back into a form
    page.locator("#account .is-main").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Without a script")
    _await(page, "/letters/", "Sin guion")


def test_skipped_mail_is_fetched_from_the_ledger(windows: StageWindows) -> None:
    page = windows.open("administrator", script=False)
    page.goto("/ledger/")
    page.locator("select[name=outcome]").select_option("skipped")
    page.locator(".filters button").click()
    row = page.locator("table.ledger tbody tr").filter(has=page.locator("input[name=ids]")).first
    number = str(row.locator("input[name=ids]").get_attribute("value"))
    row.locator("input[name=ids]").check()
    page.locator("button[name=verb][value=create]").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"wait", re.IGNORECASE))
    _await(page, f"/ledger/{number}", "Filed")
    expect(page.locator("main dd a[href*='/customers/']")).to_have_count(1)


CHOOSE = """(one) => one.tagName === "OPTION" ? (one.selected = true) : (one.checked = true)"""


def _await(page: Page, url: str, words: str) -> None:
    """Whoever has no script loads the page again."""
    deadline = time.monotonic() + SOON
    page.goto(url)
    while words not in page.locator("main").inner_text():
        assert time.monotonic() < deadline, f"{words} is not on {url}"
        page.wait_for_timeout(250)
        page.goto(url)


def _letter() -> bytes:
    return (
        "From: Noa <noa@correo.example>\r\nTo: pedidos@olivo.example\r\nSubject: Sin guion\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: <sin.guion@correo.example>\r\n"
        "\r\nHola\r\n"
    ).encode()
