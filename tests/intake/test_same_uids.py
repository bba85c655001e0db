"""A folder made anew with the same UIDs under the same UIDVALIDITY, which RFC 9051 forbids."""

import pytest

from buzon.desk.models import Message
from buzon.intake.models import Arrival
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, scene
from tests.intake.servers import DeliversDuring

pytestmark = pytest.mark.django_db(transaction=True)


def make_anew(at: Scene) -> None:
    at.box.expunge(*[message.uid for message in at.box.messages])
    at.box.uidnext = 1
    at.deliver(STRANGER, STRANGER, STRANGER)


def test_R6_what_the_uids_named_before_is_not_what_is_removed_now() -> None:
    with scene() as at:
        account = at.account(after="leave")
        at.deliver(KNOWN, KNOWN, KNOWN)
        collect(account)
        make_anew(at)
        account.after = "delete"
        account.save()
        collect(account)
        assert len(at.box.messages) == 3  # none of these is held here
        assert at.store.deeds("expunged", "stored") == []
        assert collect(account).error != ""
        assert account.state == "stopped"  # it asks: none of the known messages is there


def test_what_is_the_same_is_removed_after_a_second_look() -> None:
    with scene() as at:
        account = at.account(after="leave")
        at.deliver(KNOWN, STRANGER)
        collect(account)
        account.after = "delete"
        account.save()
        assert collect(account).settled == 2
        assert (len(at.box.messages), Message.objects.count()) == (0, 2)
        check_books(account, 0)


def test_what_this_session_retrieved_needs_no_second_look() -> None:
    with scene() as at:
        account = at.account(after="delete")
        at.deliver(KNOWN, STRANGER)
        collect(account)
        assert at.store.deeds("fetched-header") == []
        assert Arrival.objects.filter(settled_at=None).count() == 0


def test_R6_a_folder_made_anew_between_collecting_and_settling_is_left_alone() -> None:
    """Under another UIDVALIDITY the same UIDs name other mail, of which nothing is held here."""
    with scene(server=DeliversDuring) as at:
        at.deliver(KNOWN, KNOWN)
        other = [at.letter(STRANGER), at.letter(STRANGER)]

        def made_anew() -> None:
            at.box.expunge(1, 2)
            at.box.uidnext = 1
            at.box.uidvalidity += 1
            for octets in other:
                at.box.deliver(octets)

        at.server.on("SELECT", made_anew)  # type: ignore[attr-defined]
        assert collect(at.account(after="delete")).settled == 0
        assert [message.octets for message in at.box.messages] == other
        assert not {"UID STORE", "UID EXPUNGE"} & {one.name for one in at.store.commands}
