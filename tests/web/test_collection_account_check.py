"""Check connection, from the form and from the account's page, against servers that speak mail."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pytest_django import Settings

from buzon.demo.server import MailServer, Mailstore
from buzon.intake import check_in_time
from buzon.intake.models import CollectionAccount
from tests.servers.dovecot import Dovecot
from tests.web.accounts import TYPED, account_of, error_of, words
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
NEW = "/collection-accounts/new"
LOGIN = "ana@tienda.example"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _patience(settings: Settings) -> None:
    settings.BUZON_CONNECT_TIMEOUT_SECONDS = 5.0
    settings.BUZON_READ_TIMEOUT_SECONDS = 5.0


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def serve(stack: ExitStack, security: str = "none", protocol: str = "imap") -> MailServer:
    store = Mailstore()
    store.add_login(LOGIN, "s3cret-4711").folder().deliver(b"Subject: 1\r\n\r\nHola\r\n")
    server: Any = MailServer(store, protocol=protocol, security=security)
    running: MailServer = stack.enter_context(server)
    return running


def typed_for(server: Any, **fields: Any) -> dict[str, Any]:
    return TYPED | {
        "name": "",
        "protocol": server.protocol,
        "host": server.host,
        "port": str(server.port),
        "security": server.security,
        "username": LOGIN,
        "verb": "check",
    } | fields  # fmt: skip


def titles(page: str) -> list[str]:
    return [words(each).split(":")[0].strip() for each in re.findall(r"<h3>.*?</h3>", page)]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_form_that_works_is_checked_and_not_saved(
    cast: Cast, stack: ExitStack, protocol: str
) -> None:
    server = serve(stack, protocol=protocol)
    page = cast.browser(cast.olga).post(NEW, typed_for(server), headers=HTMX).text
    assert "<html" not in page
    assert "It works. Nothing was saved yet." in words(page)
    assert titles(page)[0] == "Server's name"
    assert titles(page)[-1] == "Messages"
    assert "readable by everybody" in page
    assert "s3cret-4711" not in page
    assert not CollectionAccount.objects.exists()


def test_without_a_script_the_form_comes_back_with_the_result(cast: Cast, stack: ExitStack) -> None:
    page = cast.browser(cast.olga).post(NEW, typed_for(serve(stack), name="Ventas")).text
    assert "<html" in page
    assert "It works. Nothing was saved yet." in words(page)
    assert 'value="Ventas"' in page
    assert "s3cret-4711" not in page


def test_the_check_speaks_spanish(cast: Cast, stack: ExitStack) -> None:
    browser = cast.browser(cast.olga, language="es")
    page = words(browser.post(NEW, typed_for(serve(stack)), headers=HTMX).text)
    assert "Funciona. Todavía no se ha guardado nada." in page
    assert "INBOX existe" in page
    assert "no cifrado" not in page.lower()


def test_a_wrong_password_points_at_its_field(cast: Cast, stack: ExitStack) -> None:
    typed = typed_for(serve(stack), secret="wrong-one")
    page = cast.browser(cast.olga).post(NEW, typed, headers=HTMX).text
    assert "It does not work yet" in page
    assert 'href="#id_username"' in page
    assert "many providers want an app password" in page
    assert "wrong-one" not in page


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


# What is wrong: the server's encryption, what was typed, and what the page leads to.
BAD: list[tuple[str, dict[str, str], str, str, str]] = [
    ("none", {"host": "nowhere.invalid"}, "host", "was not found", "No se ha encontrado"),
    ("none", {"port": "free"}, "port", "Connection refused", "puerto"),
    ("none", {"security": "tls"}, "security", "try STARTTLS instead", "STARTTLS"),
    ("starttls", {"security": "tls"}, "security", "try STARTTLS instead", "STARTTLS"),
    ("none", {"security": "starttls"}, "security", "try TLS instead", "TLS"),
    ("none", {"secret": "guess"}, "username", "app password", "contraseña de aplicación"),
    ("none", {"folders": "INBOX\nNada"}, "folders", "There is no folder Nada", "carpeta Nada"),
    ("none", {"sent_folders": "Nada"}, "sent_folders", "no folder Nada", "carpeta Nada"),
]


@pytest.mark.parametrize(("security", "wrong", "field", "english", "spanish"), BAD)
def test_what_a_server_refuses_is_said_and_leads_to_the_field(
    cast: Cast, stack: ExitStack, settings: Settings, security: str, wrong: dict[str, str],
    field: str, english: str, spanish: str,
) -> None:  # fmt: skip
    settings.BUZON_CONNECT_TIMEOUT_SECONDS = settings.BUZON_READ_TIMEOUT_SECONDS = 1.0
    server = serve(stack, security)
    if wrong.get("port") == "free":
        wrong = {"port": free_port()}
    typed = typed_for(server, pinned_sha256=server.certificate_sha256) | wrong
    for language, told in (("en", english), ("es", spanish)):
        page = cast.browser(cast.olga, language=language).post(NEW, typed, headers=HTMX).text
        assert told in words(page)
        assert f'href="#id_{field}"' in page
        assert "guess" not in page


def test_wrong_values_are_named_before_a_server_is_asked(cast: Cast, stack: ExitStack) -> None:
    server = serve(stack)
    typed = typed_for(server, host="a b", secret="")
    page = cast.browser(cast.olga).post(NEW, typed, headers=HTMX).text
    assert "Not checked" in page
    assert '<a href="#id_host">Server</a>' in page
    assert '<a href="#id_secret">Password</a>' in page
    whole = cast.browser(cast.olga, language="es").post(NEW, typed).text
    assert "servidor" in error_of(whole, "host")
    assert "contraseña" in error_of(whole, "secret")
    assert not server.store.commands


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_untrusted_certificate_is_shown_trusted_and_works(
    cast: Cast, stack: ExitStack, security: str
) -> None:
    server = serve(stack, security)
    browser = cast.browser(cast.olga)
    page = browser.post(NEW, typed_for(server), headers=HTMX).text
    button = re.search(r'<button[^>]*form="account"[^>]*name="trust" value="(\w+)"', page)
    assert button is not None
    assert button.group(1) == server.certificate_sha256
    # Without a script the button is the form's: the field is filled, and the server asked again.
    again = typed_for(server, trust=button.group(1))
    del again["verb"]
    trusting = browser.post(NEW, again).text
    assert "It works. Nothing was saved yet." in words(trusting)
    assert f'name="pinned_sha256" value="{server.certificate_sha256}"' in trusting
    saved = typed_for(server, name="Ventas", pinned_sha256=button.group(1))
    del saved["verb"]
    browser.post(NEW, saved)
    assert CollectionAccount.objects.get().pinned_sha256 == server.certificate_sha256


def on(server: Any, cast: Cast, **fields: Any) -> CollectionAccount:
    values = {"host": server.host, "port": server.port, "security": server.security}
    values |= {"protocol": server.protocol, "username": LOGIN}
    return account_of(cast.shop, **(values | fields))


def test_an_account_is_checked_with_its_stored_password(cast: Cast, stack: ExitStack) -> None:
    account = on(serve(stack), cast)
    address = f"/collection-accounts/{account.pk}/check"
    browser = cast.browser(cast.olga)
    part = browser.post(address, {"verb": "check"}, headers=HTMX).text
    assert "<html" not in part
    assert "It works" in words(part)
    whole = browser.post(address).text
    assert "<html" in whole
    assert "It works" in words(whole)


def test_a_failing_account_leads_to_the_field_of_its_form(cast: Cast, stack: ExitStack) -> None:
    account = on(serve(stack), cast, secret="wrong-one")
    page = cast.browser(cast.olga).post(f"/collection-accounts/{account.pk}/check").text
    assert f'href="/collection-accounts/{account.pk}/change#id_username"' in page


def test_an_account_trusts_the_certificate_that_its_check_shows(
    cast: Cast, stack: ExitStack
) -> None:
    server = serve(stack, "starttls")
    account = on(server, cast)
    browser = cast.browser(cast.olga)
    page = browser.post(f"/collection-accounts/{account.pk}/check", headers=HTMX).text
    assert f'action="/collection-accounts/{account.pk}/certificate"' in page
    assert f'name="trust" value="{server.certificate_sha256}"' in page
    assert 'name="csrfmiddlewaretoken"' in page
    browser.post(
        f"/collection-accounts/{account.pk}/certificate", {"trust": server.certificate_sha256}
    )
    again = browser.post(f"/collection-accounts/{account.pk}/check", headers=HTMX).text
    assert "It works" in words(again)


def test_in_the_form_the_stored_password_is_used_only_where_it_was_given_for(
    cast: Cast, stack: ExitStack
) -> None:
    server, other = serve(stack), serve(stack)
    account = on(server, cast)
    browser = cast.browser(cast.olga)
    address = f"/collection-accounts/{account.pk}/change"
    kept = typed_for(server, secret="")
    assert "It works" in words(browser.post(address, kept, headers=HTMX).text)
    page = browser.post(address, kept | {"port": str(other.port)}, headers=HTMX).text
    assert "Not checked" in page
    assert "Give the password again" in page
    assert not other.store.commands
    given = kept | {"port": str(other.port), "secret": "s3cret-4711"}
    assert "It works" in words(browser.post(address, given, headers=HTMX).text)


@pytest.mark.parametrize(
    ("language", "told"), [("en", "still under way"), ("es", "Todavía hay otra comprobación")]
)
def test_one_check_at_a_time(
    cast: Cast, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, language: str, told: str
) -> None:
    account = on(serve(stack), cast)
    monkeypatch.setattr(check_in_time, "_under_way", {cast.shop.pk})
    browser = cast.browser(cast.olga, language=language)
    address = f"/collection-accounts/{account.pk}/check"
    assert told in browser.post(address, headers=HTMX).text
    assert told in browser.post(address).text


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_dovecot_with_its_own_certificate(
    cast: Cast, dovecot: Dovecot, login: str, protocol: str
) -> None:
    """STARTTLS, a certificate that nobody vouches for, trusted, and it works."""
    port = dovecot.port(protocol, "starttls", self_signed=True)
    host = dovecot.endpoint(protocol, "starttls", self_signed=True).host
    typed = TYPED | {
        "protocol": protocol, "host": host, "port": str(port), "security": "starttls",
        "username": login, "secret": "secret", "verb": "check",
    }  # fmt: skip
    browser = cast.browser(cast.olga)
    page = browser.post(NEW, typed, headers=HTMX).text
    shown = re.search(r'name="trust" value="(\w{64})"', page)
    assert shown is not None
    works = browser.post(NEW, typed | {"pinned_sha256": shown.group(1)}, headers=HTMX).text
    assert "It works. Nothing was saved yet." in words(works)
