"""How many statements a batch takes: the same number for few letters and for many."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from buzon.desk.models import Assignment, Customer, Event, Message
from buzon.desk.people import add_agent, add_group, join_group
from buzon.intake.models import CollectionAccount, Duty
from buzon.intake.process_batch import Processor
from buzon.lease import claim
from tests.intake.collecting import collect, never
from tests.intake.scene import KNOWN, Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 45  # for a batch, from its rows to its outcomes, on either database


def _account(at: Scene) -> CollectionAccount:
    group = add_group(at.organization, "Sales")
    for name in ("Eva", "Ana"):
        join_group(add_agent(at.organization, name=name, email=f"{name}@shop.example"), group)
    at.customer()
    return at.account(group=group, history="notify")


def _letters(at: Scene, count: int) -> None:
    """Of known and of new senders, some of whom write twice; some answer others."""
    for number in range(count):
        sender = KNOWN if number % 5 == 0 else f"new{number // 2}.{count}@else.example"
        asked = f"In-Reply-To: <{number}@mail.example>\r\n" if number % 3 == 0 else ""
        at.deliver(sender, extra=asked)


def _process_again(account: CollectionAccount) -> Counter[str]:
    """Everything in custody anew, as one batch; the statements by their first words."""
    Message.objects.all().delete()
    Customer.objects.exclude(created_by="person").delete()
    account.arrivals.update(outcome="waiting", message=None, attempts=0)
    lease = claim(Duty.objects.get(account=account, kind=Duty.Kind.PROCESS))
    assert lease is not None
    fresh = CollectionAccount.objects.select_related("group", "organization").get(pk=account.pk)
    with CaptureQueriesContext(connection) as context:
        Processor(account=fresh, lease=lease, stop=never).run()
    lease.release(due_at=None)
    return Counter(" ".join(query["sql"].split()[:8]) for query in context.captured_queries)


def test_a_batch_of_200_letters_takes_as_many_statements_as_one_of_20() -> None:
    taken: list[int] = []
    for count in (20, 200):
        with scene() as at:
            account = _account(at)
            _letters(at, count)
            collect(account)
            statements = _process_again(account)
            filed = Message.objects.filter(organization=at.organization)
            assert filed.count() == count
            made = Customer.objects.filter(organization=at.organization, created_by="mail")
            assert Assignment.objects.filter(customer__in=made).count() == made.count() > count // 3
            told = Event.objects.filter(message__in=filed, kind="message_received")
            assert told.count() == count
            taken.append(sum(statements.values()))
    assert taken[0] == taken[1], statements
    assert taken[1] <= MOST, statements
