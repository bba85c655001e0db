"""The store without any protocol."""

import threading
from datetime import UTC, datetime

import pytest

from tests.demo.conftest import letter


def test_uids_rise_and_are_never_used_again(box):
    inbox = box.folder()
    assert [inbox.deliver(letter(str(n))) for n in range(3)] == [1, 2, 3]
    assert inbox.expunge(3, 9) == [3]
    assert inbox.deliver(letter()) == 4
    assert [message.uid for message in inbox.messages] == [1, 2, 4]


def test_a_message_is_what_was_delivered(box):
    when = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    box.folder("inbox").deliver(b"\x00\xff\n", internal_date=when, flags=["\\Seen"])
    (message,) = box.folder("INBOX").messages
    assert message.octets == b"\x00\xff\n"
    assert message.internal_date == when
    assert message.flags == {"\\Seen"}


def test_reset_keeps_the_mail_and_nothing_that_names_it(box):
    inbox = box.folder()
    for number in range(3):
        inbox.deliver(letter(str(number)), flags=["\\Seen"])
    before, uidvalidity = inbox.messages, inbox.uidvalidity
    inbox.reset_uids()
    after = inbox.messages
    assert inbox.uidvalidity > uidvalidity
    assert [m.octets for m in after] == [m.octets for m in before]
    assert [m.flags for m in after] == [m.flags for m in before]
    assert not {m.uid for m in after} & {m.uid for m in before}
    assert not {m.uidl for m in after} & {m.uidl for m in before}


def test_every_change_has_a_modseq_of_its_own(box):
    inbox = box.folder()
    uid = inbox.deliver(letter())
    first = inbox.highest_modseq
    inbox.set_flags(uid, ["\\Seen"])
    inbox.set_flags(uid, ["\\Seen"])
    assert inbox.highest_modseq == first + 1, "the same flags are no change"
    inbox.expunge(uid)
    assert inbox.highest_modseq == first + 2


def test_what_makes_no_sense_is_refused(store, box):
    with pytest.raises(ValueError, match="time zone"):
        box.folder().deliver(b"", internal_date=datetime(2021, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="already"):
        box.add_folder("Inbox")
    with pytest.raises(ValueError, match="already"):
        store.add_login(box.name, "x")
    with pytest.raises(KeyError):
        box.folder("Nowhere")


def test_many_threads_deliver_at_once(box):
    inbox = box.folder()
    threads = [
        threading.Thread(target=lambda: [inbox.deliver(b"x") for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [message.uid for message in inbox.messages] == list(range(1, 2001))
