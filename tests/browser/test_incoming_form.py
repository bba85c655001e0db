"""The form of an incoming mailbox as it is filled in: what it hides, warns of and leads to."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.window import StageWindows

NEW = "/collection-accounts/new"


@pytest.fixture
def page(windows: StageWindows) -> Page:
    opened = windows.open("administrator")
    opened.goto(NEW)
    return opened


def test_the_port_follows_protocol_and_encryption_unless_one_is_typed(page: Page) -> None:
    port = page.locator("input[name=port]")
    for protocol, security, usual in (
        ("imap", "tls", "993"),
        ("imap", "starttls", "143"),
        ("pop3", "starttls", "110"),
        ("pop3", "tls", "995"),
    ):
        page.locator("select[name=protocol]").select_option(protocol)
        page.locator("select[name=security]").select_option(security)
        expect(port).to_have_attribute("placeholder", usual)
        expect(page.locator("#help-port")).to_contain_text(usual)
    port.fill("4711")
    page.locator("select[name=protocol]").select_option("imap")
    expect(port).to_have_value("4711")


def test_pop3_hides_what_it_cannot_do_and_says_so(page: Page) -> None:
    page.locator("select[name=protocol]").select_option("pop3")
    for gone in (
        "textarea[name=folders]",
        "textarea[name=sent_folders]",
        "[name=after][value=read]",
    ):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.get_by_text("POP3 has no folders")).to_be_visible()
    page.locator("select[name=protocol]").select_option("imap")
    expect(page.locator("textarea[name=folders]")).to_be_visible()
    expect(page.get_by_text("POP3 has no folders")).to_be_hidden()


def test_what_is_dangerous_is_said_as_soon_as_it_is_chosen(page: Page) -> None:
    """R3, R6, R10."""
    clear = page.get_by_text("Without encryption the password")
    only = page.get_by_text("Buzón then holds the only copy")
    nobody = page.get_by_text("Without a group, new customers")
    for warning in (clear, only, nobody):
        expect(warning).to_be_hidden()
    page.locator("select[name=security]").select_option("none")
    page.locator("[name=after][value=delete]").check()
    page.locator("[name=create_customer][value=yes]").check()
    for warning in (clear, only, nobody):
        expect(warning).to_be_visible()
    page.locator("select[name=group]").select_option(index=1)
    expect(nobody).to_be_hidden()


def test_a_date_is_asked_for_only_where_it_counts(page: Page) -> None:
    """R4."""
    day = page.locator("input[name=start_date]")
    expect(day).to_be_hidden()
    page.locator("[name=start][value=date]").check()
    expect(day).to_be_visible()


def test_a_check_of_wrong_values_leads_to_their_fields(page: Page) -> None:
    page.locator("input[name=name]").fill("Half done")
    page.locator("input[name=secret]").fill("typed once")
    page.locator("details.more").last.locator("summary").click()
    page.locator("input[name=poll_seconds]").fill("0")
    page.locator("details.more").last.locator("summary").click()
    page.locator("[data-check][value=check]").click()
    found = page.locator("#check")
    expect(found).to_be_focused()
    expect(found).to_contain_text("Not checked")
    found.locator("a[href='#id_poll_seconds']").click()
    expect(page.locator("input[name=poll_seconds]")).to_be_focused()  # in details that were closed
    found.locator("a[href='#id_host']").click()
    expect(page.locator("input[name=host]")).to_be_focused()
    expect(page.locator("input[name=secret]")).to_have_value("typed once")
    expect(page).to_have_url(re.compile(NEW + "$"))


def test_enter_saves_also_where_a_check_has_left_its_buttons(page: Page) -> None:
    page.locator("[data-check][value=check]").click()
    expect(page.locator("#check section")).to_be_visible()
    page.locator("input[name=name]").fill("  ")
    page.keyboard.press("Enter")
    expect(page.locator("#error-name")).to_contain_text("name is needed")
    expect(page.locator("#check section")).to_have_count(0)


def test_a_refusal_ends_where_something_else_is_typed(page: Page) -> None:
    page.locator("input[name=name]").fill("  ")
    page.locator("#account .is-main").click()
    expect(page.locator("#error-name")).to_contain_text("name is needed")
    expect(page.locator("[data-counts-fields]")).to_contain_text("fields need another look")
    page.locator("input[name=name]").fill("Pedidos")
    expect(page.locator("#error-name")).to_be_empty()
    expect(page.locator("input[name=name]")).not_to_have_attribute("aria-invalid", "true")
    for left in range(page.locator(".has-error").count(), 0, -1):
        expect(page.locator(".has-error")).to_have_count(left)
        page.locator(".has-error input").first.fill("something")
    expect(page.locator(".has-error")).to_have_count(0)
    expect(page.locator("[data-counts-fields]")).to_have_count(0)
