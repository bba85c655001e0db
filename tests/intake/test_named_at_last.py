"""A POP3 server that names its messages anew: nothing that is in custody is filed again."""

from dataclasses import replace
from functools import partial

import pytest

from buzon.desk.models import Message
from buzon.intake.models import Arrival
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, check_books, scene
from tests.servers.faults import FaultServer, Lie, Plan

pytestmark = pytest.mark.django_db(transaction=True)


def deliver(at: Scene, *, twins: int = 1) -> None:
    """Letters without a Message-ID, which are never merged."""
    for sender in (KNOWN, STRANGER):
        octets = at.letter(sender).replace(b"Message-ID", b"X-Was")
        for _ in range(twins):
            at.box.deliver(octets)


@pytest.mark.parametrize("after", ["leave", "delete"])
def test_a_server_that_gains_uidls_later(after: str) -> None:
    with scene("pop3", uidl=False) as at:
        account = at.account(after="leave")
        deliver(at, twins=2)
        collect(account)
        assert Message.objects.count() == 4
        at.server.options = replace(at.server.options, uidl=True)
        account.after = after
        account.save()
        deliver(at)
        assert collect(account).error == ""
        assert Message.objects.count() == 6
        assert Arrival.objects.filter(uidl__startswith="digest:").count() == 0
        check_books(account, len(at.box.messages))
        assert len(at.box.messages) == (0 if after == "delete" else 6)


def test_a_server_that_gives_all_its_mail_other_uidls() -> None:
    """It moved to another machine, or rebuilt its index."""
    with scene("pop3") as at:
        account = at.account()
        deliver(at)
        collect(account)
        first = list(Arrival.objects.order_by("pk").values_list("pk", "message"))
        at.box.reset_uids()
        assert collect(account).error == ""
        assert list(Arrival.objects.order_by("pk").values_list("pk", "message")) == first
        assert Arrival.objects.live().count() == 2
        check_books(account, 2)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_server_that_names_no_message_well_for_a_while(is_cut: bool) -> None:
    """Several messages have the same UIDL: which one is which, only the octets tell."""
    with scene("pop3", server=partial(FaultServer, plan=Plan.honest())) as at:
        account = at.account()
        deliver(at, twins=2)
        collect(account)
        assert isinstance(at.server, FaultServer)
        if is_cut:  # all the old names went, and it was over before anything was found anew
            before = list(Arrival.objects.order_by("pk").values_list("uidl", "gone_at"))
            lies = frozenset({Lie.UIDL_DOUBLED})
            at.server.plan = Plan(lies=lies, cut_at=at.server.budget.sent + 500)
            assert collect(account).error
            assert list(Arrival.objects.order_by("pk").values_list("uidl", "gone_at")) == before
        at.server.plan = Plan(lies=frozenset({Lie.UIDL_DOUBLED}))
        assert collect(account).error == ""
        assert (Message.objects.count(), Arrival.objects.live().count()) == (4, 4)
        at.server.heal()
        assert collect(account).error == ""
        assert collect(account).error == ""
        assert Message.objects.count() == 4
        assert not Arrival.objects.live().filter(uidl__startswith="digest:").exists()
        check_books(account, 4)


def test_mail_that_went_before_and_comes_again_is_new() -> None:
    with scene("pop3") as at:
        account = at.account()
        octets = at.letter(KNOWN).replace(b"Message-ID", b"X-Was")
        uid = at.box.deliver(octets)
        collect(account)
        at.box.expunge(uid)
        collect(account)
        at.box.deliver(octets)
        collect(account)
        assert Message.objects.count() == 2
        assert Arrival.objects.live().count() == 1


@pytest.mark.parametrize("after", ["leave", "delete"])
def test_a_server_with_one_name_for_all_once_had_but_one_message(after: str) -> None:
    """As long as it is alone its name is its own; from the second message on it names none."""
    plan = Plan(lies=frozenset({Lie.UIDL_SAME}))
    with scene("pop3", server=partial(FaultServer, plan=plan)) as at:
        account = at.account(after=after, create_customer=False)
        at.customer(KNOWN)
        at.box.deliver(at.letter(STRANGER))
        assert collect(account).error == ""
        assert list(Arrival.objects.values_list("uidl", flat=True)) == ["the-only-one"]
        for number in range(1, 6):  # alone again each time; no day has so many renamings
            uids = at.deliver(KNOWN)
            assert collect(account).error == ""
            at.box.expunge(*uids)
            assert collect(account).error == ""
            assert Message.objects.count() == number
        left = 1
        check_books(account, left)
        assert len(at.box.messages) == left
