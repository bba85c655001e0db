"""Search in a real browser: with a script it finds while one types, without one by the form."""

import re

from playwright.sync_api import expect

from tests.browser.window import StageWindows


def test_letters_are_found_while_one_types(windows: StageWindows) -> None:
    page = windows.open("administrator")
    page.goto("/search/")
    expect(page.locator("#found")).to_contain_text("What are you looking for?")
    page.get_by_label("Words in letters").press_sequentially("pedid*")
    expect(page.locator(".letter-row mark").first).to_have_text(re.compile("pedid", re.IGNORECASE))
    expect(page).to_have_url(re.compile(r"/search/\?q=pedid(\*|%2A)"))
    expect(page.get_by_label("Words in letters")).to_be_focused()
    page.get_by_label("Words in letters").press_sequentially(" qwertyuiop")
    expect(page.locator("#found")).to_contain_text("No letter holds these words")
    page.get_by_label("Words in letters").fill("pedid*")
    page.locator(".letter-link").first.click()
    page.go_back()
    expect(page.locator(".letter-row mark").first).to_be_visible()


def test_the_field_at_the_top_works_without_a_script(windows: StageWindows) -> None:
    page = windows.open("agent", script=False)
    page.goto("/customers/")
    page.get_by_label("Search in letters").fill("pedido")
    page.get_by_label("Search in letters").press("Enter")
    expect(page.locator(".letter-row mark").first).to_have_text(re.compile("pedido", re.IGNORECASE))
    page.get_by_label("Attachments").select_option("with")
    page.locator(".filters").get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"attachments=with"))
    expect(page.get_by_label("Words in letters")).to_have_value("pedido")


def test_on_a_phone_the_menu_leads_there(windows: StageWindows) -> None:
    page = windows.open("agent")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/")
    expect(page.get_by_label("Search in letters")).to_be_hidden()
    page.locator(".drawer > summary").click()
    page.locator(".drawer").get_by_role("link", name="Search").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
