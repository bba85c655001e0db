"""R10 where mail meets customers that exist already: who waits for an agent gets one."""

import pytest

from buzon.desk.filing import file_letter
from buzon.desk.models import Agent, AgentGroup, Assignment, Customer, Event, Membership, SentLetter
from buzon.intake.models import CollectionAccount
from tests.desk.cast import letter
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, Scene, scene
from tests.intake.test_triage import bounce

pytestmark = pytest.mark.django_db(transaction=True)


def group_of(at: Scene, *names: str) -> AgentGroup:
    group = AgentGroup.objects.create(organization=at.organization, name="Sales")
    for name in names:
        agent = Agent.objects.create(
            organization=at.organization, name=name, email=f"{name}@shop.example"
        )
        Membership.objects.create(group=group, agent=agent)
    return group


def account_of(at: Scene, group: AgentGroup, *, as_if_new: bool) -> CollectionAccount:
    return at.account(group=group, hand_out_existing=as_if_new)


@pytest.mark.parametrize("as_if_new", [False, True])
def test_R10_an_existing_customer_without_an_agent(as_if_new: bool) -> None:
    with scene() as at:
        customer, group = at.customer(), group_of(at, "luis")
        at.deliver(KNOWN)
        collect(account_of(at, group, as_if_new=as_if_new))
        customer.refresh_from_db()
        assert (customer.agent is not None) is as_if_new


def test_R10_a_machine_does_not_make_anybody_wait() -> None:
    with scene() as at:
        customer, group = at.customer(), group_of(at, "luis")
        at.deliver(KNOWN, extra="Auto-Submitted: auto-replied\r\n")
        collect(account_of(at, group, as_if_new=True))
        customer.refresh_from_db()
        assert customer.agent is None
        assert Assignment.objects.count() == 0


def test_R10_a_bounce_of_our_letter_is_not_the_customer_writing() -> None:
    with scene() as at:
        customer, group = at.customer(), group_of(at, "luis")
        sent = file_letter(letter(at.organization), customer=customer, link={}).message
        SentLetter.objects.create(
            organization=at.organization,
            message_id="<ours@shop.example>",
            purpose="letter",
            letter=sent,
        )
        at.box.deliver(bounce(1, "<ours@shop.example>"))
        account = account_of(at, group, as_if_new=True)
        collect(account)
        row = account.arrivals.get()
        assert Event.objects.get(kind="letter_bounced").agent is None
        assert row.reason["code"] == "bounce_of_our_letter"
        assert row.message is not None
        assert row.message.customer == customer
        customer.refresh_from_db()
        assert customer.agent is None


def test_R10_the_customers_of_a_deactivated_agent_when_they_next_write() -> None:
    with scene() as at:
        group = group_of(at, "luis", "eva")
        luis, eva = Agent.objects.order_by("id")
        customer = at.customer()
        Customer.objects.filter(pk=customer.pk).update(agent=luis)
        Agent.objects.filter(pk=luis.pk).update(active=False)
        account = account_of(at, group, as_if_new=False)
        collect(account)
        customer.refresh_from_db()
        assert customer.agent == luis, "until they write, nothing changes"
        at.deliver(KNOWN)
        collect(account)
        customer.refresh_from_db()
        assert customer.agent == eva
        assert Event.objects.get(kind="message_received").agent == eva
        assert Assignment.objects.get().why["code"] == "rest_next_in_turn"
