"""Mail that a server hides for a moment, under the names that it had; and names given to others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from buzon.desk.models import Message
from buzon.intake.accounts import change_account, resume_account
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder, RawMessage
from buzon.intake.vault import digest
from buzon.lease import LeaseLost, claim
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, outcomes, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)

NAMELESS = b"From: ana@customer.example\r\nSubject: No Message-ID\r\n\r\nHola.\r\n"


@contextmanager
def hidden(at: Scene) -> Iterator[None]:
    """The folder is empty meanwhile."""
    saved = dict(at.box._by_uid)
    at.box._by_uid.clear()
    yield
    at.box._by_uid.clear()
    at.box._by_uid.update(saved)


@pytest.mark.parametrize(
    ("protocol", "uidl"), [("imap", True), ("pop3", True), ("pop3", False)], ids=str
)
@pytest.mark.parametrize("looks", [1, 3])
def test_what_was_hidden_for_some_looks_is_filed_once(
    protocol: str, uidl: bool, looks: int
) -> None:
    with scene(protocol, uidl=uidl) as at:
        account = at.account()
        at.box.deliver(NAMELESS)
        at.deliver(KNOWN)
        collect(account)
        before = [row.pk for row in rows(account)]
        with hidden(at):
            for _ in range(looks):
                collect(account)
            assert account.arrivals.live().count() == 0
        for _ in range(2):
            assert collect(account).error == ""
            assert Message.objects.count() == 2
            assert [row.pk for row in account.arrivals.live().order_by("pk")] == before
            check_books(account, 2)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_R6_what_we_removed_and_the_server_shows_again_is_removed_again(protocol: str) -> None:
    with scene(protocol) as at:
        account = at.account(after="delete")
        at.box.deliver(NAMELESS)
        saved = dict(at.box._by_uid)
        collect(account)
        assert at.box.messages == []
        at.box._by_uid.update(saved)
        for _ in range(2):
            collect(account)
        assert (Message.objects.count(), at.box.messages) == (1, [])


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_other_mail_under_the_names_of_what_went_is_new(protocol: str) -> None:
    with scene(protocol) as at:
        at.box.login.pop3_uidl = lambda message: str(message.uid)
        account = at.account()
        at.deliver(KNOWN, KNOWN)
        collect(account)
        at.box.expunge(1, 2)
        collect(account)
        at.box.uidnext = 1
        at.deliver(STRANGER, STRANGER)
        for _ in range(2):
            collect(account)
            assert Message.objects.count() == 4
            check_books(account, 2)


def test_R9_what_was_skipped_and_hidden_is_skipped_still() -> None:
    with scene() as at:
        at.customer()
        account = at.account(create_customer=False)
        at.deliver(STRANGER, KNOWN)
        collect(account)
        with hidden(at):
            collect(account)
        collect(account)
        assert outcomes(account) == {"skipped": 1, "filed": 1}
        assert at.bodies() == [2]
        check_books(account, 2)


def made_anew(at: Scene, number: int) -> None:
    """The folder, with as many letters of somebody else, and the UIDs from the start."""
    at.box.expunge(*[message.uid for message in at.box.messages])
    at.box.uidnext = 1
    at.deliver(*[STRANGER] * number, body="Something else.")


def all_held(account: CollectionAccount, at: Scene) -> bool:
    names = {digest(message.octets) for message in at.box.messages}
    held = RawMessage.objects.filter(organization=account.organization, sha256__in=names)
    return held.count() == len(names)


def is_asked_and_answered(account: CollectionAccount, at: Scene) -> None:
    assert "only 0 of 3" in collect(account).error
    resume_account(account)
    assert collect(account).error == ""
    assert all_held(account, at)
    check_books(account, len(at.box.messages))


def test_a_folder_made_anew_under_the_same_uids_is_noticed_with_the_next_letter() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        made_anew(at, 4)
        is_asked_and_answered(account, at)


def test_a_folder_made_anew_with_fewer_letters_is_noticed_by_uidnext() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        made_anew(at, 2)
        is_asked_and_answered(account, at)


def test_a_folder_made_anew_with_as_many_letters_is_noticed_within_a_day() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        made_anew(at, 3)
        account.folders.update(reconciled_at=timezone.now() - timedelta(hours=25))
        is_asked_and_answered(account, at)


def test_sizes_that_differ_alone_make_no_uid_void() -> None:
    with scene() as at:
        account = at.account()
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        Arrival.objects.update(size=1)
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert len(account.folders.get().validity_changes) == 0
        assert (account.arrivals.live().count(), Message.objects.count()) == (4, 4)


def take_off(account: CollectionAccount, name: str) -> list[str]:
    """The folders that are left."""
    names = account.folders.exclude(name=name).values_list("name", flat=True)
    change_account(account, folders=list(names))
    return list(names)


@pytest.mark.parametrize("look", [True, False], ids=["looked", "at once"])
def test_a_folder_taken_off_and_put_on_again_is_filed_once(look: bool) -> None:
    with scene() as at:
        sales = at.box.login.add_folder("Ventas")
        for place in (at.box, sales):
            place.deliver(NAMELESS.replace(b"Hola", place.name.encode()))
            at.deliver(KNOWN, STRANGER, folder=place)
        account = at.account(folders=["INBOX", "Ventas"])
        collect(account)
        before = [row.pk for row in rows(account)]
        others = take_off(account, "Ventas")
        assert account.arrivals.live().count() == 3
        if look:
            assert collect(account).listed == 3
        keep = [(message.octets, message.internal_date) for message in sales.messages]
        at.box.login.remove_folder("Ventas")  # and the server's administrator restores it
        again = at.box.login.add_folder("Ventas")
        for octets, when in keep[::-1]:
            again.deliver(octets, internal_date=when)
        at.deliver(KNOWN, folder=again)
        change_account(account, folders=[*others, "Ventas"])
        for _ in range(2):
            assert collect(account).error == ""
            assert Message.objects.count() == 7
            check_books(account, 7)
        assert [row.pk for row in rows(account)][:6] == before


def test_what_waited_for_download_when_its_folder_was_taken_off_is_collected_after_all() -> None:
    with scene() as at:
        sales = at.box.login.add_folder("Ventas")
        at.deliver(KNOWN, STRANGER, folder=sales)
        account = at.account(folders=["INBOX", "Ventas"])
        collect(account)
        account.arrivals.filter(uid=2).update(outcome="waiting", sha256="", message=None)
        Message.objects.filter(arrivals=None).delete()
        others = take_off(account, "Ventas")
        change_account(account, folders=[*others, "Ventas"])
        assert collect(account).error == ""
        assert (Message.objects.count(), account.arrivals.live().count()) == (2, 2)
        check_books(account, 2)


def test_a_collector_at_work_writes_nothing_into_a_folder_that_was_left() -> None:
    with scene() as at:
        account = at.account(folders=["INBOX", "Ventas"])
        lease = claim(Duty.objects.get(account=account, kind="collect"))
        assert lease is not None
        take_off(account, "Ventas")
        with pytest.raises(LeaseLost):
            lease.renew()


def test_a_folder_that_was_never_looked_at_goes_without_a_trace() -> None:
    with scene() as at:
        account = at.account(folders=["INBOX", "Ventas"])
        take_off(account, "Ventas")
        assert Folder.everything.count() == 1


def test_with_another_role_it_is_another_folder() -> None:
    with scene() as at:
        at.box.login.add_folder("Ventas")
        account = at.account(folders=["INBOX", "Ventas"])
        collect(account)
        before = account.folders.get(name="Ventas").pk
        change_account(account, folders=["INBOX"], sent_folders=["Ventas"])
        after = account.folders.get(name="Ventas")
        assert (after.role, after.baseline_at, after.pk == before) == ("sent", None, False)


@pytest.mark.parametrize("start", ["now", "date"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_R4_what_was_outside_and_hidden_for_a_while_stays_outside(
    protocol: str, start: str
) -> None:
    with scene(protocol) as at:
        old = timezone.now() - timedelta(days=90)
        stamp = old.strftime("Received: from a by b; %a, %d %b %Y %H:%M:%S +0000\r\n").encode()
        for _ in range(3):
            at.box.deliver(stamp + at.letter(KNOWN), internal_date=old)
        day = (timezone.now() - timedelta(days=9)).date() if start == "date" else None
        account = at.account(start=start, start_date=day)
        collect(account)
        at.deliver(KNOWN)
        collect(account)
        for _ in range(2):
            with hidden(at):
                assert collect(account).outside == 0
            at.deliver(STRANGER)
            assert (collect(account).error, collect(account).outside) == ("", 3)
        assert Message.objects.count() == 3
        check_books(account, 6)
