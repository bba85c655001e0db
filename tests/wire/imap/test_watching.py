"""Hearing what happens meanwhile: the suite against a real Dovecot and against our server."""

import threading
import time

from tests.wire.imap.servers import Place, await_that, fetched, mail, opened


class TestWatching:
    def test_idle_sees_a_delivery(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            timer = threading.Timer(0.3, place.deliver, [mail(1)])
            timer.start()
            begun = time.monotonic()
            changes = session.idle(15)
            timer.join()
            assert changes.exists == 1
            assert time.monotonic() - begun < 10
            assert [one.octets for one in fetched(session)] == [mail(1)]

    def test_idle_ends_when_nothing_happens(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            begun = time.monotonic()
            assert not session.idle(0.3)
            assert 0.25 < time.monotonic() - begun < 5
            assert not session.idle(0)
            assert not session.noop()

    def test_idle_sees_a_removal(self, clear_place: Place) -> None:
        clear_place.deliver(mail(1))
        with opened(clear_place) as session:
            session.examine("INBOX")
            timer = threading.Timer(0.3, clear_place.remove, [mail(1)])
            timer.start()
            changes = session.idle(15)
            timer.join()
            assert changes.expunged
            assert session.exists == 0

    def test_noop_tells_what_came(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            place.deliver(mail(1))
            await_that(lambda: session.noop().exists == 1)
            assert not session.noop()
            assert session.exists == 1

    def test_idle_tells_at_once_what_another_command_heard(self, clear_place: Place) -> None:
        with opened(clear_place) as session:
            session.examine("INBOX")
            clear_place.deliver(mail(1))
            await_that(lambda: bool(session.listing()))
            begun = time.monotonic()
            assert session.idle(10).exists == 1
            assert time.monotonic() - begun < 5
