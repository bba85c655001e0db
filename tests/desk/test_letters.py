"""Letters as lists ask for them; what counts as unread, and who reads it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from buzon.desk.filing import file_letter
from buzon.desk.letters import in_order, read_by, threads, unread
from buzon.desk.models import Agent, Customer, Message, Organization
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


@pytest.fixture
def agent(shop: Organization) -> Agent:
    return cast.agent(shop)


@pytest.fixture
def ana(shop: Organization, agent: Agent) -> Customer:
    customer = cast.new_customer(shop)
    Customer.objects.filter(pk=customer.pk).update(agent=agent)
    customer.refresh_from_db()
    return customer


def filed(shop: Organization, customer: Customer | None = None, **fields: object) -> Message:
    return file_letter(cast.letter(shop, **fields), customer=customer, link={}).message


def test_the_servers_date_counts_before_the_authors_and_none_is_in_the_future(
    shop: Organization,
) -> None:
    now = timezone.now()
    old, older = now - timedelta(days=1), now - timedelta(days=2)
    by_server = filed(shop, internal_date=older, date=now)
    by_author = filed(shop, internal_date=None, date=old)
    of_2099 = filed(shop, internal_date=None, date=now.replace(year=2099))
    timeless = filed(shop, internal_date=None, date=None)
    assert list(in_order(Message.objects.all())) == [timeless, of_2099, by_author, by_server]


def test_unread_is_what_was_received_and_not_opened(shop: Organization) -> None:
    waiting = filed(shop)
    filed(shop, read=True)
    filed(shop, direction="outgoing")
    assert list(unread(Message.objects.all())) == [waiting]


def test_a_thread_is_its_newest_letter_with_counts(shop: Organization, ana: Customer) -> None:
    first = filed(shop, ana, read=True)
    answer = filed(shop, ana, references=(first.message_id,))
    alone = filed(shop, ana)
    everything = Message.objects.all()
    keys = [first.conversation_id, alone.conversation_id]
    found = threads(everything, keys, shown=everything)
    assert found[first.conversation_id].newest == answer
    counts = {key: (one.letters, one.unread) for key, one in found.items()}
    assert counts == {first.conversation_id: (2, 1), alone.conversation_id: (1, 1)}
    asked = threads(everything, keys, shown=everything.filter(pk=first.pk))
    assert {key: (one.newest, one.letters) for key, one in asked.items()} == {
        first.conversation_id: (first, 2)
    }


def test_the_customers_agent_reads_it_nobody_else_does(
    shop: Organization, agent: Agent, ana: Customer
) -> None:
    message = filed(shop, ana)
    assert not read_by(message, agent=cast.agent(shop), administrator=False)
    assert not read_by(message, agent=None, administrator=True)
    assert Message.objects.get().read_at is None
    assert read_by(message, agent=agent, administrator=False)
    first = Message.objects.get().read_at
    assert first is not None
    assert not read_by(message, agent=agent, administrator=False)
    assert Message.objects.get().read_at == first


def test_a_letter_of_no_customer_is_for_the_administrators(
    shop: Organization, agent: Agent
) -> None:
    message = filed(shop)
    assert not read_by(message, agent=agent, administrator=False)
    assert read_by(message, agent=None, administrator=True)
