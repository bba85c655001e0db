"""How the letters of a first download are notified: one by one, summed up, or not at all."""

from datetime import date

import pytest

from buzon.desk.models import Agent, AgentGroup, Customer, Event, Membership, Message
from buzon.intake.accounts import change_account
from buzon.intake.models import CollectionAccount
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, scene
from tests.intake.servers import HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


def group_of(at: Scene, *names: str) -> AgentGroup:
    group = AgentGroup.objects.create(organization=at.organization, name="Sales")
    for name in names:
        agent = Agent.objects.create(
            organization=at.organization, name=name, email=f"{name}@shop.example"
        )
        Membership.objects.create(group=group, agent=agent)
    return group


def told(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("id"))


@BOTH
def test_R7_up_to_fifty_letters_are_told_one_by_one(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 50)
        collect(at.account(group=group_of(at, "bea")))
        assert len(told("message_received")) == 50
        assert told("history_collected") == []
        assert [event.silent for event in told("customer_assigned")] == [False]


@BOTH
def test_R11_more_than_fifty_give_each_agent_one_summary(protocol: str) -> None:
    with scene(protocol) as at:
        group = group_of(at, "bea", "carl")
        at.deliver(*[KNOWN] * 20, *[STRANGER] * 30, "third@else.example")
        account = at.account(group=group)
        collect(account)
        assert told("message_received") == []
        assert all(event.silent for event in told("customer_assigned"))
        summaries = told("history_collected")
        assert {event.agent.name for event in summaries if event.agent} == {"bea", "carl"}
        assert sum(event.data["letters"] for event in summaries) == 51
        assert sum(event.data["customers"] for event in summaries) == 3
        assert all(event.data["account"] == account.name for event in summaries)
        collect(account)
        assert len(told("history_collected")) == 2

        at.deliver(KNOWN)
        collect(account)
        assert len(told("message_received")) == 1


@BOTH
@pytest.mark.parametrize(("history", "letters"), [("silent", 0), ("notify", 60)])
def test_history_silent_and_notify(protocol: str, history: str, letters: int) -> None:
    with scene(protocol) as at:
        at.deliver(*[KNOWN] * 60)
        collect(at.account(group=group_of(at, "bea"), history=history))
        assert len(told("message_received")) == letters
        assert told("history_collected") == []


@BOTH
def test_the_summary_comes_when_all_is_here_and_not_before(protocol: str) -> None:
    with scene(protocol, server=HangsUp) as at:
        at.deliver(*[KNOWN] * 450)
        where = {"imap": ("UID FETCH", 4), "pop3": ("RETR", 300)}[protocol]
        at.server.at(*where)  # type: ignore[attr-defined]
        account = at.account(group=group_of(at, "bea"))
        assert collect(account).error
        assert 0 < account.arrivals.filter(outcome="filed").count() < 450
        assert account.history_done_at is None
        assert told("history_collected") == []
        at.deliver(STRANGER)
        assert collect(account).error == ""
        assert account.history_done_at is not None
        assert [event.data["letters"] for event in told("history_collected")] == [450]
        assert len(told("message_received")) == 1


def test_how_it_is_told_is_decided_by_all_folders_together() -> None:
    with scene() as at:
        other = at.box.login.add_folder("Other")
        at.deliver(*[KNOWN] * 30)
        at.deliver(*[KNOWN] * 30, folder=other)
        collect(at.account(group=group_of(at, "bea"), folders=["INBOX", "Other"]))
        assert told("message_received") == []
        assert [event.data["letters"] for event in told("history_collected")] == [60]


def test_a_folder_that_is_added_later_has_a_history_and_a_summary_of_its_own() -> None:
    with scene() as at:
        at.deliver(*[KNOWN] * 60)
        account = at.account(group=group_of(at, "bea"))
        collect(account)
        assert [event.data["letters"] for event in told("history_collected")] == [60]

        other = at.box.login.add_folder("Other")
        at.deliver(*[STRANGER] * 7, folder=other)
        change_account(account, folders=["INBOX", "Other"])
        collect(account)
        collect(account)
        assert told("message_received") == []
        assert [event.data["letters"] for event in told("history_collected")] == [60, 7]
        assert [event.data["customers"] for event in told("history_collected")] == [1, 1]


def test_nobody_misses_a_letter_where_the_history_turns_out_to_be_short() -> None:
    """POP3 without TOP: only the whole messages tell which are from before the date."""
    with scene("pop3", top=False) as at:
        old = "Received: from a by b; Mon, 02 Mar 2026 10:00:00 +0100\r\n"
        recent = "Received: from a by b; Mon, 02 Nov 2026 10:00:00 +0100\r\n"
        for _ in range(270):
            at.box.deliver(old.encode() + at.letter())
        for _ in range(30):
            at.box.deliver(recent.encode() + at.letter())
        group = group_of(at, "bea")
        collect(at.account(group=group, start="date", start_date=date(2026, 11, 1)))
        assert Message.objects.count() == 30
        one_by_one = len(told("message_received"))
        summed_up = sum(event.data["letters"] for event in told("history_collected"))
        assert one_by_one + summed_up == 30


def test_what_a_sent_folder_holds_is_no_letter_of_the_summary() -> None:
    with scene() as at:
        sent = at.box.login.add_folder("Sent", special_use="\\Sent")
        group = group_of(at, "bea")
        at.deliver(*[KNOWN] * 60)
        for _ in range(5):
            sent.deliver(at.letter("shop@shop.example", to=KNOWN))
        collect(at.account(group=group, sent_folders=["Sent"]))
        assert [event.data["letters"] for event in told("history_collected")] == [60]


def test_summaries_are_of_this_account_s_organization_alone() -> None:
    with scene() as at:
        at.deliver(*[KNOWN] * 60)
        account: CollectionAccount = at.account(group=group_of(at, "bea"))
        collect(account)
        assert {event.organization_id for event in told("history_collected")} == {
            account.organization_id
        }
        assert Customer.objects.get().agent is not None
