"""The shop's servers and the postman: mail is there, more comes, and all of it ends."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from buzon.demo.server import Command, Deed
from buzon.demo.shop import MAILBOXES, Postman, ShopMail
from buzon.demo.shop.letter import Letter
from buzon.demo.shop.postman import Pace
from buzon.wire.endpoint import Credentials, Endpoint, Security
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session

QUICK = Pace(lively=(0.01, 0.02), calm=(30.0, 30.0), lively_for=0.3)


def test_both_servers_hold_the_letters_and_stop() -> None:
    mail = ShopMail()
    before = set(threading.enumerate())
    mail.start()
    orders = _login(mail, "pedidos")
    with ImapSession.open(_endpoint(mail.imap.port, mail.imap.certificate_sha256), orders) as imap:
        assert imap.examine("INBOX").exists > 100
        assert imap.examine("Sent").exists >= 3
    workshop = _login(mail, "workshop")
    with Pop3Session.open(_endpoint(mail.pop3.port, mail.pop3.certificate_sha256), workshop) as pop:
        assert len(pop.listing()) == 30
    started = time.monotonic()
    mail.stop()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) <= before
    for port in (mail.imap.port, mail.pop3.port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)


def _login(mail: ShopMail, name: str) -> Credentials:
    return Credentials(username=MAILBOXES[name], secret=mail.passwords[MAILBOXES[name]])


def _endpoint(port: int, pin: str) -> Endpoint:
    return Endpoint(
        host="127.0.0.1",
        port=port,
        security=Security.TLS,
        pinned_sha256=pin,
        allow_private=True,
    )


def test_a_new_letter_lies_in_its_mailbox() -> None:
    mail = ShopMail()
    for _ in range(20):
        letter = mail.new_letter()
        inbox = mail.store.logins[MAILBOXES[letter.entry.to[0]]].folder()
        assert inbox.messages[-1].octets == letter.octets


def test_a_server_that_is_asked_for_weeks_does_not_fill_the_memory() -> None:
    store = ShopMail().store
    store.record([Deed("logged-in", "somebody", uid=number) for number in range(5_000)])
    assert len(store.ledger) <= 1_000
    assert store.ledger[-1].uid == 4_999
    for _ in range(5_000):
        store.commands.append(Command("NOOP", "somebody"))
    assert len(store.commands) <= 1_000


def test_the_postman_is_quick_at_first_then_calm_and_stops_at_once() -> None:
    mail = ShopMail()
    brought: list[Letter] = []
    postman = Postman(lambda: _noted(mail, brought), pace=QUICK)
    postman.start()
    _until(lambda: len(brought) >= 5)
    time.sleep(0.5)
    lively = len(brought)
    time.sleep(0.3)
    assert len(brought) == lively  # by now it waits half a minute
    started = time.monotonic()
    assert postman.stop()
    assert time.monotonic() - started < 1


def test_the_postman_brings_so_many_and_no_more() -> None:
    mail = ShopMail()
    brought: list[Letter] = []
    postman = Postman(
        lambda: _noted(mail, brought), pace=Pace(lively=(0.0, 0.001), lively_for=60, most=30)
    )
    postman.start()
    _until(lambda: len(brought) == 30)
    time.sleep(0.1)
    assert len(brought) == 30
    assert postman.stop()


def test_the_postman_goes_on_after_a_letter_that_failed() -> None:
    mail = ShopMail()
    brought: list[Letter] = []

    def deliver() -> Letter:
        letter = _noted(mail, brought)
        if len(brought) == 1:
            raise RuntimeError("a fault of ours")
        return letter

    postman = Postman(deliver, pace=QUICK)
    postman.start()
    _until(lambda: len(brought) >= 3)
    assert postman.stop()


def test_a_postman_who_never_started_stops() -> None:
    assert Postman(lambda: ShopMail().new_letter()).stop()


def _noted(mail: ShopMail, brought: list[Letter]) -> Letter:
    letter = mail.new_letter()
    brought.append(letter)
    return letter


def _until(true: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
