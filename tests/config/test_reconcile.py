"""`buzon account check NAME --reconcile`: the sum, what is missing here, what is gone there."""

from pathlib import Path

import pytest

from buzon.demo.server import MailServer, Mailstore
from buzon.intake import vault
from buzon.intake.models import Arrival, CollectionAccount
from tests.config.conftest import Console
from tests.intake.collecting import collect

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = ("account", "check", "sales", "--reconcile")
SUM = "INBOX: {} on the server = {} in the ledger + 0 outside + 0 not yet listed"


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_it_says_the_sum_and_names_what_differs(
    transactional_db: None, buzon: Console, password: Path, protocol: str
) -> None:
    store = Mailstore()
    box = store.add_login("ana", "s3cret ñ12").folder("INBOX")
    with MailServer(store, protocol=protocol) as server:  # type: ignore[arg-type]
        for number in range(3):
            box.deliver(b"From: ana@customer.example\r\n\r\nHola %d\r\n" % number)
        account = _account(buzon, server, password)
        collect(account)
        assert f"ok     {SUM.format(3, 3)}" in buzon(*ASKED)

        lost, gone = (row_of(account, message.octets) for message in box.messages[:2])
        lost.delete()
        box.expunge(box.messages[1].uid)
        status, told = buzon._run(*ASKED)
        assert status == 1
        assert f"DIFFERS {SUM.format(2, 2)}" in told
        assert f"1 missing here, collected next: {lost.uidl or lost.uid}" in told
        assert f"1 gone from the server, ledger ids: {gone.pk}" in told

        collect(account)
        buzon.capture.readouterr()  # the log
        (folder,) = buzon.json(*ASKED)["folders"]
        assert (folder["on_server"], folder["live"], folder["unexplained"]) == (2, 2, 0)
        assert folder["balance"] is True


def test_a_folder_that_is_gone_is_named_and_the_others_are_compared(
    transactional_db: None, buzon: Console, password: Path
) -> None:
    store = Mailstore()
    login = store.add_login("ana", "s3cret ñ12")
    login.add_folder("Ventas")
    with MailServer(store) as server:
        login.folder("INBOX").deliver(b"From: ana@customer.example\r\n\r\nHola\r\n")
        account = _account(buzon, server, password, "--folder", "INBOX", "--folder", "Ventas")
        collect(account)
        login.remove_folder("Ventas")
        status, told = buzon._run(*ASKED)
        assert status == 1
        assert f"ok     {SUM.format(1, 1)}" in told
        assert "NOT COMPARED Ventas: " in told


def test_where_the_login_fails_nothing_is_compared_and_that_is_said(
    transactional_db: None, buzon: Console, password: Path
) -> None:
    store = Mailstore()
    login = store.add_login("ana", "s3cret ñ12")
    with MailServer(store) as server:
        _account(buzon, server, password)
        login.secret = "another"
        status, told = buzon._run(*ASKED)
        assert status == 1
        assert "NOT COMPARED INBOX: " in told
        logins = store.deeds("login-refused")
        assert len(logins) == 1  # not tried twice


def row_of(account: CollectionAccount, octets: bytes) -> Arrival:
    return account.arrivals.get(sha256=vault.digest(octets))


def _account(buzon: Console, server: MailServer, password: Path, *more: str) -> CollectionAccount:
    buzon(
        "account", "add", "sales", "--protocol", server.protocol, "--host", server.host,
        "--port", server.port, "--security", "none", "--username", "ana",
        "--password-file", password, "--create-customer", *more,
    )  # fmt: skip
    return CollectionAccount.objects.get()
