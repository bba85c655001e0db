"""Adding an incoming mailbox: every wrong value next to its field, nothing lost."""

import re
from typing import Any

import pytest
from pytest_django import Settings

from buzon.desk.models import AgentGroup, Store
from buzon.intake.accounts import credentials_of
from buzon.intake.models import CollectionAccount
from buzon.web.pages.collection_account_fields import AccountForm
from tests.web.accounts import TYPED, account_of, kept, words, wrong_fields
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
NEW = "/collection-accounts/new"


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
