"""Changing an incoming mailbox: what stays, what is locked, and what has to be typed again."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from buzon.intake.accounts import credentials_of
from buzon.intake.models import CollectionAccount
from tests.web.accounts import (
    TYPED,
    account_of,
    change_of,
    error_of,
    kept,
    words,
    wrong_fields,
)
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
NEW = "/collection-accounts/new"


def stored(page: str) -> dict[str, Any]:
    """What a browser would send of this page as it stands."""
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", page.split('id="account"')[1].split("</form>")[0]):
        attributes = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        box = attributes.get("type") in ("checkbox", "radio")
        if " disabled" in tag or (box and " checked" not in tag):
            continue
        value = attributes.get("value", "on" if box else "")
        sent[attributes["name"]] = html.unescape(value)
    for name, inner in re.findall(r'<textarea name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        sent[name] = html.unescape(inner).removeprefix("\n")
    for name, inner in re.findall(r'<select name="(\w+)"([^>]*>.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        if " disabled" not in inner.partition(">")[0]:
            sent[name] = chosen.group(1) if chosen else ""
    return sent


def test_saving_what_is_shown_changes_nothing(cast: Cast) -> None:
    account = account_of(
        cast.shop, folders=["INBOX", "Ventas"], sent_folders=["Enviados"], poll_seconds=90.5,
        start="date", start_date=timezone.localdate() - timedelta(days=9), max_message_bytes=10_000,
        reply_to_senders=["form@example.com"], store=cast.store, group=cast.group,
        create_customer=True, port=1993,
    )  # fmt: skip
    account.duties.update(due_at=None)
    before = CollectionAccount.objects.values().get()
    browser = cast.browser(cast.olga)
    sent = stored(browser.get(change_of(account)).text)
    assert (sent["port"], sent["secret"], sent["create_customer"]) == ("1993", "", "yes")
    page = browser.post(change_of(account), sent, follow=True)
    assert "Changed Pedidos." in page.text
    assert CollectionAccount.objects.values().get() == before
    assert set(account.duties.values_list("due_at", flat=True)) == {None}  # so nothing was written


def test_a_usual_port_follows_the_protocol_and_the_encryption(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    sent = stored(browser.get(change_of(account)).text)
    assert sent["port"] == ""
    browser.post(change_of(account), sent | {"security": "starttls", "secret": "n3w"})
    account.refresh_from_db()
    assert (account.security, account.port) == ("starttls", 143)


def test_the_password_stays_unless_one_is_typed(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    page = browser.get(change_of(account)).text
    assert "Leave it empty to keep the stored one." in page
    assert "s3cret-4711" not in page
    sent = stored(page)
    browser.post(change_of(account), sent | {"name": "Ventas"})
    account.refresh_from_db()
    assert (account.name, credentials_of(account).secret) == ("Ventas", "s3cret-4711")
    browser.post(change_of(account), sent | {"secret": " n3w "})
    account.refresh_from_db()
    assert credentials_of(account).secret == " n3w "


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Give the password again"), ("es", "Vuelva a escribir la contraseña")],
)
def test_another_server_wants_the_password_again(cast: Cast, language: str, told: str) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga, language=language)
    sent = stored(browser.get(change_of(account)).text) | {"host": "imap.elsewhere.example"}
    page = browser.post(change_of(account), sent).text
    assert told in error_of(page, "secret")
    assert kept(page, "host") == "imap.elsewhere.example"
    account.refresh_from_db()
    assert account.host == "imap.example.com"


def test_an_emptied_number_of_days_is_no_wish_to_delete_at_once(cast: Cast) -> None:
    account = account_of(cast.shop, after="delete", delete_after_days=30)
    browser = cast.browser(cast.olga)
    sent = stored(browser.get(change_of(account)).text)
    page = browser.post(change_of(account), sent | {"delete_after_days": ""}).text
    assert "0 is for none" in wrong_fields(page)["delete_after_days"]
    del sent["delete_after_days"]
    page = browser.post(change_of(account), sent).text
    assert wrong_fields(page).keys() == {"delete_after_days"}
    account.refresh_from_db()
    assert account.delete_after_days == 30
    # Where nothing is deleted the field is not shown, and stays as it was.
    browser.post(change_of(account), sent | {"after": "leave", "delete_after_days": ""})
    account.refresh_from_db()
    assert (account.after, account.delete_after_days) == ("leave", 30)


def test_a_form_that_was_open_meanwhile_does_not_take_deletion_back(cast: Cast) -> None:
    account = account_of(cast.shop, after="delete", delete_after_days=0)
    browser = cast.browser(cast.olga)
    old = stored(browser.get(change_of(account)).text)
    CollectionAccount.objects.update(after="leave", delete_after_days=30)
    browser.post(change_of(account), old | {"name": "Ventas"})
    account.refresh_from_db()
    assert (account.name, account.after, account.delete_after_days) == ("Ventas", "leave", 30)
    browser.post(change_of(account), old | {"name": "Ventas", "delete_after_days": "3"})
    account.refresh_from_db()
    assert (account.after, account.delete_after_days) == ("leave", 3), "what was typed counts"


def test_a_refused_change_is_next_to_its_field(cast: Cast) -> None:
    account = account_of(cast.shop)
    account_of(cast.shop, "Ventas")
    browser = cast.browser(cast.olga)
    sent = stored(browser.get(change_of(account)).text)
    page = browser.post(change_of(account), sent | {"name": "VENTAS", "folders": ""}).text
    assert wrong_fields(page).keys() == {"name", "folders"}
    assert "There is one named Ventas already." in error_of(page, "name")
    assert "<h1>Change Pedidos</h1>" in page


def test_what_the_first_collection_decided_is_locked_with_the_reason(cast: Cast) -> None:
    """R4."""
    account = account_of(cast.shop, start="now")
    browser = cast.browser(cast.olga)
    open_page = browser.get(change_of(account)).text
    assert " disabled" not in open_page
    account.folders.update(baseline_at=timezone.now())
    page = browser.get(change_of(account)).text
    assert re.search(r'<select name="protocol"[^>]* disabled', page)
    assert len(re.findall(r'name="start" value="\w+"[^>]* disabled', page)) == 3
    assert "The protocol cannot change once mail was collected" in page
    assert "The start was decided at the first collection" in page
    browser.post(change_of(account), stored(page) | {"name": "Ventas"})
    account.refresh_from_db()
    assert (account.name, account.start, account.protocol) == ("Ventas", "now", "imap")
    # A page that was opened before the first collection is told so.
    late = browser.post(change_of(account), stored(open_page) | {"start": "all"}).text
    assert wrong_fields(late).keys() == {"start"}
    account.refresh_from_db()
    assert account.start == "now"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_tabs_are_incoming_and_outgoing(cast: Cast, language: str) -> None:
    """R2."""
    browser = cast.browser(cast.olga, language=language)
    names = {"en": ("Incoming", "Outgoing"), "es": ("Entrada", "Salida")}[language]
    for address in (NEW, change_of(account_of(cast.shop))):
        page = browser.get(address).text
        tabs = page.split('class="tabs"')[1].split("</nav>")[0]
        assert words(tabs).split()[-2:] == list(names)
        assert re.search(r'id="tab-outgoing"[^>]* hidden', page)
        outgoing = browser.get(address + "?tab=outgoing").text
        assert re.search(r'id="tab-incoming"[^>]* hidden', outgoing)
        assert not re.search(r'id="tab-outgoing"[^>]* hidden', outgoing)


def test_agents_and_strangers_see_no_form(cast: Cast) -> None:
    address = change_of(account_of(cast.shop))
    for browser, status in (
        (cast.browser(cast.ana), 404),
        (cast.browser(cast.charlie), 404),
        (cast.browser(), 302),
    ):
        assert browser.get(address).status_code == status
        assert browser.post(address, TYPED | {"name": "Mine"}).status_code == status
    assert CollectionAccount.objects.get().name == "Pedidos"
    assert _new_status(cast.browser(cast.ana)) == 404


def _new_status(browser: Client) -> int:
    return browser.post(NEW, TYPED).status_code
