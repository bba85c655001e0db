"""A folder made anew with the same UIDs under the same UIDVALIDITY, which RFC 9051 forbids."""

import pytest

from buzon.desk.models import Message
from buzon.intake import vault
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


def test_what_was_asked_for_is_not_taken_under_the_uids_of_others() -> None:
    """The folder is made anew between two batches of a download that a person asked for."""
    with scene(server=DeliversDuring) as at:
        account = at.account(create_customer=False)
        at.deliver(*[STRANGER] * 60)
        collect(account)
        account.arrivals.update(outcome="waiting", asked_by_person=True)
        others = [at.letter("other@else.example", body=f"other {n}") for n in range(61)]

        def made_anew() -> None:
            at.box.expunge(*[message.uid for message in at.box.messages])
            at.box.uidnext = 1
            for octets in others:
                at.box.deliver(octets)

        at.server.on("NOOP", made_anew, times=(1,))
        collect(account)
        taken = account.arrivals.exclude(sha256="").values_list("sha256", flat=True)
        held = vault.get_many(account.organization_id, set(taken)).values()
        assert held
        assert not set(held) & set(others)
        assert account.arrivals.filter(outcome="waiting", sha256="").exists()
