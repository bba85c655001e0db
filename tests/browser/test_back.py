"""Every page has an address: the back button leads to what was there before, filters and all."""

import re

from playwright.sync_api import Page, expect

from tests.browser.window import StageWindows


def test_back_from_a_letter_finds_the_filtered_list(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/letters/")
    everything = _rows(page)
    page.locator(".filters input[name=q]").fill("Harrier")
    page.locator(".filters input[name=q]").press("Enter")
    expect(page).to_have_url(re.compile(r"q=Harrier"))
    found = _rows(page)
    assert found != everything
    page.locator("main .letter-link").first.click()
    expect(page).to_have_url(re.compile(r"/letters/\d+"))
    page.go_back()
    expect(page.locator(".filters input[name=q]")).to_have_value("Harrier")
    assert _rows(page) == found
    page.go_back()
    expect(page.locator(".filters input[name=q]")).to_have_value("")
    assert _rows(page) == everything
    page.go_forward()
    assert _rows(page) == found


def test_the_pages_of_a_long_list_keep_its_filter(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/customers/?q=example")
    first = _links(page)
    page.locator(".pager a[rel=next]").click()
    expect(page).to_have_url(re.compile(r"q=example"))
    assert not set(_links(page)) & set(first)
    page.go_back()
    assert _links(page) == first


def test_what_refreshes_itself_makes_no_history(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/stores/")
    page.goto("/collection-accounts/")
    before = page.evaluate("history.length")
    page.evaluate("document.querySelector('main a[id^=account-]').focus()")
    focused = page.evaluate("document.activeElement.id")
    with page.expect_response(lambda response: "part=rows" in response.url):
        page.wait_for_timeout(5_500)
    page.wait_for_timeout(200)
    assert page.evaluate("history.length") == before
    assert page.evaluate("document.activeElement.id") == focused, "the focus stays where it was"
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stores")


def test_tabs_of_the_form_have_addresses_and_keep_what_was_typed(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/collection-accounts/new")
    page.get_by_label("Name", exact=False).first.fill("Half done")
    page.get_by_role("link", name="Outgoing").click()
    expect(page).to_have_url(re.compile(r"tab=outgoing"))
    expect(page.locator("#tab-incoming")).to_be_hidden()
    page.go_back()
    expect(page.locator("#tab-incoming")).to_be_visible()
    expect(page.locator("input[name=name]")).to_have_value("Half done")
    page.goto("/collection-accounts/new?tab=outgoing")
    expect(page.locator("#tab-outgoing")).to_be_visible()


def test_a_form_that_was_sent_can_be_sent_again_after_going_back(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/stores/")
    page.goto("/stores/new")
    for _ in range(2):
        page.locator("input[name=name]").fill("   ")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#error-name")).to_contain_text("required")
        page.go_back()
        expect(page.get_by_role("button", name="Save")).to_be_enabled()
        expect(page.get_by_role("button", name="Save")).not_to_have_attribute("aria-busy", "true")


def _rows(page: Page) -> list[str]:
    return page.locator("main .letter-subject").all_inner_texts()


def _links(page: Page) -> list[str]:
    return [str(one.get_attribute("href")) for one in page.locator("main table tbody td a").all()]
