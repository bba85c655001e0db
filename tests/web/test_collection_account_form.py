"""Adding and changing an incoming mailbox: every wrong value next to its field, nothing lost."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from buzon.desk.models import AgentGroup, Store
from buzon.intake.accounts import credentials_of
from buzon.intake.models import CollectionAccount
from buzon.web.pages.collection_account_fields import AccountForm
from tests.web.accounts import TYPED, account_of, error_of, words, wrong_fields
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
NEW = "/collection-accounts/new"


def kept(page: str, field: str) -> str:
    """What the page holds in this text field."""
    tag = re.search(rf'<input[^>]*name="{field}"[^>]*>', page)
    assert tag is not None
    value = re.search(r'value="([^"]*)"', tag.group())
    return html.unescape(value.group(1)) if value else ""


def help_of(page: str, field: str) -> str:
    """What explains this field."""
    return words(page.split(f'id="help-{field}">')[1].split("</p>")[0])


def test_the_new_form_has_the_safe_defaults(cast: Cast) -> None:
    """R2 to R11."""
    page = cast.browser(cast.olga).get(NEW).text
    for chosen in (
        '<option value="imap" selected>',
        '<option value="tls" selected>',
        '<option value="auto" selected>',
    ):
        assert chosen in page
    for name, value in (("start", "all"), ("after", "leave"), ("create_customer", "no")):
        assert re.search(rf'<input type="radio" name="{name}" value="{value}"[^>]* checked', page)
    assert re.search(r'name="active"[^>]* checked', page)
    assert re.search(r'name="notify_agent"[^>]* checked', page)
    assert "INBOX</textarea>" in page
    assert 'name="max_message_bytes" value="50"' in page
    assert "Usual: 993" in page


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_field_has_its_help(cast: Cast, language: str) -> None:
    browser = cast.browser(cast.olga, language=language)
    for address in (NEW, f"/collection-accounts/{account_of(cast.shop).pk}/change"):
        page = browser.get(address).text
        helps = {name: help_of(page, name) for name in AccountForm.base_fields}
        assert [name for name, told in helps.items() if not told] == []


def test_an_incoming_mailbox_is_added(cast: Cast) -> None:
    typed = TYPED | {"group": cast.group.pk, "store": cast.store.pk, "create_customer": "yes"}
    page = cast.browser(cast.olga).post(NEW, typed, follow=True)
    added = CollectionAccount.objects.get(organization=cast.shop)
    assert page.redirect_chain == [(f"/collection-accounts/{added.pk}", 302)]
    assert "Added Pedidos." in page.text
    assert (added.name, added.port, added.store, added.group) == (
        "Pedidos",
        993,
        cast.store,
        cast.group,
    )
    assert (added.create_customer, added.notify_agent, added.active) == (True, True, True)
    assert added.max_message_bytes == 52_428_800
    assert credentials_of(added).secret == "s3cret-4711"


def test_every_field_is_kept_as_typed(cast: Cast) -> None:
    typed = TYPED | {
        "protocol": "imap",
        "security": "starttls",
        "port": "1143",
        "address": "tienda@example.com",
        "pinned_sha256": ":".join(["AB"] * 32),
        "start": "date",
        "start_date": "2026-01-31",
        "folders": "INBOX\r\n Ventas \r\n",
        "sent_folders": "Enviados",
        "max_message_bytes": "1,5",
        "after": "delete",
        "history": "silent",
        "reply_to_senders": "form@example.com\r\nForm@Example.com",
        "trusted_authserv_id": "mx.example.com",
        "poll_seconds": "90",
        "fold_plus": "on",
    }
    del typed["active"], typed["notify_agent"]
    cast.browser(cast.olga).post(NEW, typed)
    added = CollectionAccount.objects.get(organization=cast.shop)
    assert (added.port, added.security, added.after, added.history) == (
        1143, "starttls", "delete", "silent",
    )  # fmt: skip
    assert (added.active, added.notify_agent, added.fold_plus, added.fold_dots) == (
        False, False, True, False,
    )  # fmt: skip
    assert str(added.start_date) == "2026-01-31"
    assert added.max_message_bytes == 1_572_864
    assert added.poll_seconds == 90
    assert added.reply_to_senders == ["form@example.com"]
    assert set(added.folders.values_list("name", "role")) == {
        ("INBOX", "inbox"), ("Ventas", "inbox"), ("Enviados", "sent"),
    }  # fmt: skip
    assert added.pinned_sha256 == "ab" * 32


WRONG: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    ({"name": " "}, {"name": "A name is needed"}, {"name": "falta un nombre"}),
    ({"name": "a\x00b"}, {"name": "control character"}, {"name": "carácter de control"}),
    ({"name": "x" * 201}, {"name": "longer than 200"}, {"name": "200"}),
    ({"host": ""}, {"host": "server's name"}, {"host": "servidor"}),
    ({"host": "imaps://h"}, {"host": "without imaps://"}, {"host": "imaps://"}),
    ({"host": "h:993"}, {"host": "port on its own"}, {"host": "puerto"}),
    ({"host": "x" * 300}, {"host": "not the name"}, {"host": "servidor"}),
    ({"port": "0"}, {"port": "1 to 65535"}, {"port": "65535"}),
    ({"port": "99x"}, {"port": "'99x'"}, {"port": "«99x»"}),
    ({"port": "9" * 5000}, {"port": "whole number"}, {"port": "número entero"}),
    ({"username": ""}, {"username": "login is needed"}, {"username": "usuario"}),
    ({"secret": ""}, {"secret": "password is empty"}, {"secret": "contraseña"}),
    ({"secret": "a\x01b"}, {"secret": "control character"}, {"secret": "control"}),
    ({"protocol": "smtp"}, {"protocol": "'smtp'"}, {"protocol": "«smtp»"}),
    ({"security": "ssl"}, {"security": "'ssl'"}, {"security": "«ssl»"}),
    ({"pinned_sha256": "abc"}, {"pinned_sha256": "64"}, {"pinned_sha256": "64"}),
    ({"address": "nobody"}, {"address": "'nobody'"}, {"address": "nobody"}),
    ({"after": "burn"}, {"after": "'burn'"}, {"after": "«burn»"}),
    ({"start": "later"}, {"start": "'later'"}, {"start": "«later»"}),
    ({"start": "date"}, {"start_date": "is needed"}, {"start_date": "fecha"}),
    ({"start": "date", "start_date": "2999-01-01"}, {"start_date": "in the future"},
     {"start_date": "2999"}),
    ({"start": "date", "start_date": "31/1/26"}, {"start_date": "such as"},
     {"start_date": "como 2026"}),
    ({"history": "loud"}, {"history": "'loud'"}, {"history": "«loud»"}),
    ({"max_message_bytes": "0"}, {"max_message_bytes": "950 MB"}, {"max_message_bytes": "950 MB"}),
    ({"max_message_bytes": "a"}, {"max_message_bytes": "950 MB"}, {"max_message_bytes": "950 MB"}),
    ({"poll_seconds": "0.5"}, {"poll_seconds": "86400"}, {"poll_seconds": "86400"}),
    ({"poll_seconds": "nan"}, {"poll_seconds": "86400"}, {"poll_seconds": "86400"}),
    ({"trusted_authserv_id": "mx one"}, {"trusted_authserv_id": "one word"},
     {"trusted_authserv_id": "palabra"}),
    ({"reply_to_senders": "a@example.com\nx"}, {"reply_to_senders": "'x'"},
     {"reply_to_senders": "x"}),
    ({"create_customer": "maybe"}, {"create_customer": "Yes or no"}, {"create_customer": "no"}),
    ({"folders": " \n"}, {"folders": "at least one folder"}, {"folders": "carpeta"}),
    ({"folders": "A", "sent_folders": "A"}, {"sent_folders": "not both"}, {"sent_folders": "A"}),
    ({"protocol": "pop3", "folders": "Ventas"}, {"folders": "POP3 has no folders"},
     {"folders": "POP3"}),
    ({"protocol": "pop3", "after": "read"}, {"after": "cannot mark"}, {"after": "POP3"}),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("wrong", "english", "spanish"), WRONG)
def test_a_wrong_value_is_refused_next_to_its_field(
    cast: Cast, language: str, wrong: dict[str, Any], english: dict[str, str],
    spanish: dict[str, str],
) -> None:  # fmt: skip
    page = cast.browser(cast.olga, language=language).post(NEW, TYPED | wrong)
    found = wrong_fields(page.text)
    told = english if language == "en" else spanish
    assert found.keys() == told.keys()
    for field, part in told.items():
        assert part in found[field]
    assert "s3cret-4711" not in page.text
    assert not CollectionAccount.objects.exists()


def test_all_that_is_wrong_is_told_at_once_and_nothing_typed_is_lost(cast: Cast) -> None:
    typed = TYPED | {
        "name": "", "host": "two words", "port": "99x", "start": "date", "start_date": "ayer",
        "folders": "INBOX\nVentas", "sent_folders": "Ventas", "max_message_bytes": "mucho",
        "reply_to_senders": "x", "group": cast.group.pk, "after": "delete",
    }  # fmt: skip
    page = cast.browser(cast.olga).post(NEW, typed).text
    assert wrong_fields(page).keys() == {
        "name", "host", "port", "start_date", "sent_folders", "max_message_bytes",
        "reply_to_senders",
    }  # fmt: skip
    assert "7 fields need another look." in page
    for field in ("host", "port", "start_date", "max_message_bytes", "username"):
        assert kept(page, field) == typed[field]
    assert "INBOX\nVentas</textarea>" in page
    assert f'<option value="{cast.group.pk}" selected>' in page
    assert re.search(r'value="delete"[^>]* checked', page)
    assert '<details class="more" open><summary>More settings' in page


def test_a_refused_form_asks_for_the_password_again(cast: Cast) -> None:
    page = cast.browser(cast.olga).post(NEW, TYPED | {"host": ""}).text
    assert kept(page, "secret") == ""
    assert "Type it again: a password is never sent back to a page." in page


def test_a_port_of_pop3_over_starttls_is_its_own(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    typed = TYPED | {"protocol": "pop3", "security": "starttls", "host": "a b"}
    assert "Usual: 110" in browser.post(NEW, typed).text
    browser.post(NEW, typed | {"host": "pop.example.com"})
    assert CollectionAccount.objects.get().port == 110


@pytest.mark.parametrize("field", ["store", "group"])
def test_nothing_of_another_organization_can_be_chosen(cast: Cast, field: str) -> None:
    theirs = {
        "store": Store.objects.create(organization=cast.elsewhere, name="Lejos"),
        "group": AgentGroup.objects.create(organization=cast.elsewhere, name="Otros"),
    }[field]
    browser = cast.browser(cast.olga)
    assert str(theirs) not in browser.get(NEW).text
    page = browser.post(NEW, TYPED | {field: theirs.pk}).text
    assert wrong_fields(page).keys() == {field}
    assert not CollectionAccount.objects.exists()


def test_r1_the_limit_is_said_before_and_after(cast: Cast, settings: Settings) -> None:
    settings.BUZON_MAX_ACCOUNTS = 2
    browser, spanish = cast.browser(cast.olga), cast.browser(cast.olga, language="es")
    account_of(cast.shop, "one")
    account_of(cast.shop, "two")
    assert "2 of 2 incoming mailboxes are in use" in browser.get(NEW).text
    page = browser.post(NEW, TYPED)
    assert "has 2 collection accounts, which is the most there may be" in page.text
    assert kept(page.text, "host") == "imap.example.com"
    assert "tiene 2 cuentas de recogida" in spanish.post(NEW, TYPED).text
    assert CollectionAccount.objects.count() == 2


def change_of(account: CollectionAccount) -> str:
    return f"/collection-accounts/{account.pk}/change"


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
