"""The connection check is no way to look around: how often it may fail, and what it tells."""

from contextlib import ExitStack

import pytest
from pytest_django import Settings

from buzon.desk.people import add_administrator
from buzon.web import checking
from tests.web.accounts import account_of, words
from tests.web.cast import PASSWORD, Cast
from tests.web.test_collection_account_check import HTMX, NEW, serve, typed_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PER_ORGANIZATION", 3)


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "There were too many tries."), ("es", "Ha habido demasiados intentos.")],
)
def test_after_some_that_failed_everybody_of_the_shop_waits(
    cast: Cast, language: str, told: str
) -> None:
    with ExitStack() as stack:
        server = serve(stack)
        for port in ("1", "2", "3"):
            form = typed_for(server, port=port)
            page = cast.browser(cast.olga).post(NEW, form, headers=HTMX).text
            assert "There were too many tries." not in page
        colleague = add_administrator(cast.shop, email="otra@olivo.example", password=PASSWORD)
        saved = account_of(cast.shop, host=server.host, port=server.port, security="none")
        for address, form in (
            (NEW, typed_for(server)),
            (f"/collection-accounts/{saved.pk}/check", {}),
        ):
            page = cast.browser(colleague, language=language).post(address, form).text
            assert told in page
            assert words(page).count(told) == 1
        page = cast.browser(cast.charlie).post(NEW, typed_for(server), headers=HTMX).text
        assert "It works." in page


def test_those_that_work_and_those_that_ask_nobody_are_not_counted(cast: Cast) -> None:
    with ExitStack() as stack:
        server = serve(stack)
        browser = cast.browser(cast.olga)
        for _ in range(4):
            assert "It works." in browser.post(NEW, typed_for(server), headers=HTMX).text
            wrong = browser.post(NEW, typed_for(server, port="70000"), headers=HTMX).text
            assert "There were too many tries." not in wrong


def test_an_inner_address_is_not_told_where_inner_servers_are_not_asked(
    cast: Cast, settings: Settings
) -> None:
    settings.BUZON_ALLOW_PRIVATE_HOSTS = False
    with ExitStack() as stack:
        form = typed_for(serve(stack), host="localhost")
        page = words(cast.browser(cast.olga).post(NEW, form, headers=HTMX).text)
    assert "localhost was found." in page
    assert "127.0.0.1" not in page
    assert "::1" not in page
