"""The check for a person who waits: a deadline, one at a time, and a password that stays home."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from buzon.demo.server import MailServer, Mailstore
from buzon.desk.models import Organization
from buzon.intake import check_in_time
from buzon.intake.accounts import AccountError, add_account
from buzon.intake.check_in_time import check_form, check_saved
from buzon.intake.check_step import Step
from tests.wire.scripted import scripted, until_closed

LOGIN = "ana@tienda.example"


@pytest.fixture
def shop(db: None, settings: Settings) -> Organization:
    settings.BUZON_CONNECT_TIMEOUT_SECONDS = 5.0
    settings.BUZON_READ_TIMEOUT_SECONDS = 5.0
    return Organization.objects.create(name="Shop")


@pytest.fixture
def server() -> Iterator[MailServer]:
    store = Mailstore()
    store.add_login(LOGIN, "secret").add_folder("Ventas")
    with MailServer(store, protocol="imap", security="none") as running:
        yield running


def values_for(server: MailServer, **fields: Any) -> dict[str, Any]:
    return {
        "host": server.host,
        "port": server.port,
        "security": server.security,
        "username": LOGIN,
        "secret": "secret",
        "folders": ["INBOX"],
        "sent_folders": [],
    } | fields


def await_end(shop: Organization) -> None:
    """Until the check that was given up has ended by itself."""
    ends = time.monotonic() + 20
    while shop.pk in check_in_time._under_way:
        assert time.monotonic() < ends, "the check never ended"
        time.sleep(0.01)


def last(steps: list[Step]) -> Step:
    return steps[-1]


def test_values_that_are_not_saved_are_checked(shop: Organization, server: MailServer) -> None:
    steps = check_form(shop, **values_for(server, folders=["INBOX", "Ventas"]))
    assert all(step.ok for step in steps)
    assert [step.name for step in steps].count("folder") == 2


def test_a_saved_account_is_checked_with_its_own_password(
    shop: Organization, server: MailServer
) -> None:
    account = add_account(shop, name="sales", **values_for(server, folders=["INBOX", "Nada"]))
    steps = check_saved(account)
    assert [step.name for step in steps if not step.ok] == ["folder"]
    assert "Nada" in next(step.detail for step in steps if not step.ok)


def test_the_steps_speak_the_language_of_whoever_asked(
    shop: Organization, server: MailServer
) -> None:
    with translation.override("es"):
        steps = check_form(shop, **values_for(server))
    assert "INBOX existe" in next(step.detail for step in steps if step.name == "folder")


def test_the_deadline_ends_the_waiting_with_the_steps_so_far(shop: Organization) -> None:
    with scripted(until_closed) as port:
        started = time.monotonic()
        steps = check_form(
            shop,
            seconds=0.5,
            host="127.0.0.1",
            port=port,
            security="none",
            username=LOGIN,
            secret="secret",
            folders=["INBOX"],
            sent_folders=[],
        )
        assert time.monotonic() - started < 4
        assert [step.name for step in steps] == ["resolve", "connect", "session"]
        assert not last(steps).ok
        assert "within 0.5 seconds" in last(steps).detail
        assert f"if port {port} is right, try TLS" in last(steps).remedy
        assert last(steps).field == "security"
    await_end(shop)


def test_one_check_at_a_time_for_each_organization(shop: Organization, server: MailServer) -> None:
    other = Organization.objects.create(name="Other")
    with scripted(until_closed) as port:
        check_form(shop, seconds=0.2, **values_for(server, port=port))
        with pytest.raises(AccountError, match="still under way"):
            check_form(shop, **values_for(server))
        assert last(check_form(other, **values_for(server))).ok
    await_end(shop)
    assert last(check_form(shop, **values_for(server))).ok


def test_wrong_values_are_refused_before_a_server_is_asked(
    shop: Organization, server: MailServer
) -> None:
    with pytest.raises(AccountError) as refused:
        check_form(shop, **values_for(server, host="a b", secret=""))
    assert [field for field, _ in refused.value.all] == ["host", "secret"]
    assert last(check_form(shop, **values_for(server))).ok  # nothing is left under way


@pytest.mark.parametrize(
    "changes",
    [{"host": "localhost"}, {"port": 4711}, {"security": "starttls"}, {"username": "luis"}],
)
def test_the_stored_password_goes_nowhere_else(
    shop: Organization, server: MailServer, changes: dict[str, Any]
) -> None:
    account = add_account(shop, name="sales", **values_for(server))
    kept = values_for(server, secret=None)
    assert last(check_form(shop, saved=account, **kept)).ok
    heard = len(server.store.commands)
    with pytest.raises(AccountError) as refused:
        check_form(shop, saved=account, **(kept | changes))
    assert refused.value.field == "secret"
    assert len(server.store.commands) == heard
