"""The preview of a first download, from the form of a new incoming mailbox."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from buzon.demo.server import MailServer, Mailstore
from buzon.desk.models import Customer
from buzon.intake.models import Arrival, CollectionAccount
from tests.intake.servers import DeliversDuring
from tests.web.accounts import TYPED, account_of, words
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
NEW = "/collection-accounts/new"
LOGIN = "ana@tienda.example"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def serve(stack: ExitStack, number: int, protocol: str = "imap") -> Any:
    store = Mailstore()
    box = store.add_login(LOGIN, "s3cret-4711").folder()
    for place in range(number):
        box.deliver(f"From: a{place}@x.example\r\nSubject: {place}\r\n\r\nHola\r\n".encode())
    server: Any = DeliversDuring(store, protocol=protocol, security="none")
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
        "create_customer": "yes",
        "verb": "preview",
    } | fields  # fmt: skip


def followed(browser: Any, part: str) -> str:
    """What stands there once it is over, asked for as the page does."""
    for _ in range(200):
        found = re.search(r'hx-get="(/collection-accounts/preview/[^"]+)"', part)
        if found is None:
            return part
        threading.Event().wait(0.05)
        part = browser.get(found.group(1), headers=HTMX).text
    raise AssertionError(part)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_would_come_is_shown_and_nothing_saved(
    cast: Cast, stack: ExitStack, protocol: str
) -> None:
    browser = cast.browser(cast.olga)
    typed = typed_for(serve(stack, 60, protocol), group=cast.group.pk)
    part = browser.post(NEW, typed, headers=HTMX).text
    assert "<html" not in part
    told = words(followed(browser, part))
    assert "60 letters would be looked at" in told
    assert "60, of whom 0 are customers" in told
    assert "New customers 60" in told
    assert "each agent hears of them in one summary" in told
    assert re.search(r"Ana 30 30 Luis 30 30|Luis 30 30 Ana 30 30", told)
    assert not CollectionAccount.objects.exists()
    assert not Customer.objects.exists()
    assert not Arrival.objects.exists()


def test_progress_is_shown_while_it_works(cast: Cast, stack: ExitStack) -> None:
    server = serve(stack, 30)
    asked, goes_on = threading.Event(), threading.Event()
    server.on("UID FETCH", lambda: (asked.set(), goes_on.wait(20)), times=(5,))
    browser = cast.browser(cast.olga, language="es")
    part = browser.post(NEW, typed_for(server), headers=HTMX).text
    assert asked.wait(20)
    address = re.search(r'hx-get="([^"]+)"', part)
    assert address is not None
    meanwhile = words(browser.get(address.group(1), headers=HTMX).text)
    assert "9 de 30 cabeceras" in meanwhile
    second = words(browser.post(NEW, typed_for(server), headers=HTMX).text)
    assert "Todavía se está preparando otra vista previa" in second
    goes_on.set()
    assert "Se consultarían 30 cartas" in words(followed(browser, part))


def test_without_a_script_the_form_comes_back_with_it(cast: Cast, stack: ExitStack) -> None:
    page = cast.browser(cast.olga).post(NEW, typed_for(serve(stack, 3), name="Ventas")).text
    assert "<html" in page
    assert "3 letters would be looked at" in words(page)
    assert "New customers are given to nobody" in words(page)
    assert 'value="Ventas"' in page
    assert "s3cret-4711" not in page


def test_an_account_that_waits_is_looked_at_with_its_stored_password(
    cast: Cast, stack: ExitStack
) -> None:
    server = serve(stack, 4)
    account = account_of(
        cast.shop, host=server.host, port=server.port, security="none", username=LOGIN,
        active=False,
    )  # fmt: skip
    typed = typed_for(server, name=account.name, secret="")
    page = cast.browser(cast.olga).post(f"/collection-accounts/{account.pk}/change", typed).text
    assert "4 letters would be looked at" in words(page)


def test_a_server_that_refuses_says_so(cast: Cast, stack: ExitStack) -> None:
    browser = cast.browser(cast.olga)
    part = browser.post(NEW, typed_for(serve(stack, 1), secret="wrong-one"), headers=HTMX).text
    told = words(followed(browser, part))
    assert "No preview" in told
    assert "The server refused the login" in told
    assert "wrong-one" not in told


def test_wrong_values_are_named_before_a_server_is_asked(cast: Cast, stack: ExitStack) -> None:
    server = serve(stack, 1)
    page = cast.browser(cast.olga).post(NEW, typed_for(server, host="a b"), headers=HTMX).text
    assert '<a href="#id_host">Server</a>' in page
    assert not server.store.commands


def test_a_preview_is_known_to_its_own_shop_alone(cast: Cast, stack: ExitStack) -> None:
    browser = cast.browser(cast.olga)
    part = browser.post(NEW, typed_for(serve(stack, 5)), headers=HTMX).text
    found = re.search(r'hx-get="([^"]+)"', part)
    followed(browser, part)
    address = found.group(1) if found else "/collection-accounts/preview/none"
    other = cast.browser(cast.charlie)
    assert other.get(address).status_code == 404
    assert "no longer known" in other.get(address, headers=HTMX).text
    assert cast.browser(cast.ana).get(address).status_code == 404
