"""Every page asks the database a bounded number of queries: as many for thirty rows of everything
as for three.
"""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from buzon.desk.assignment import hand_out
from buzon.desk.blocking import block_sender
from buzon.desk.customers import add_customer
from buzon.desk.models import Customer, Event, Message, User
from buzon.desk.people import add_administrator, add_agent, add_group
from buzon.desk.stores import add_store
from buzon.intake.models import Arrival, CollectionAccount
from buzon.notify.models import Notification
from buzon.web.models import SignIn
from tests.web.cast import PASSWORD, Cast
from tests.web.letters import account_of, collected, written
from tests.web.test_access import World, world
from tests.web.urls_expected import EXPECTED

__all__ = ["world"]  # a fixture
pytestmark = pytest.mark.django_db
MOST = 40  # the start page of an administrator who answers customers
NEVER_ENDS = "stream"
PAGES = sorted(name for name, page in EXPECTED.items() if "GET" in page.methods)


def test_a_page_of_many_rows_takes_as_few_queries_as_one_of_few(world: World) -> None:
    _more_of_everything(world, 3)
    few = _asked_by_all(world)
    _more_of_everything(world, 27)
    many = _asked_by_all(world)
    assert {page: (few[page], asked) for page, asked in many.items() if asked > few[page]} == {}
    assert {page: asked for page, asked in many.items() if asked > MOST} == {}


def _asked_by_all(world: World) -> dict[tuple[str, str], int]:
    names = (name for name in PAGES if name != NEVER_ENDS)
    return {(name, who): _asked(world, who, name) for name in names for who in ("ana", "olga")}


def _asked(world: World, who: str, name: str) -> int:
    world.ask(who, "GET", name)  # the first time it may note that somebody was there
    with CaptureQueriesContext(connection) as asked:
        world.ask(who, "GET", name)
    return len(asked)


def _more_of_everything(world: World, many: int) -> None:
    """Rows beside those that the pages are about, and rows that belong to those."""
    cast, before = world.cast, Customer.objects.count()
    account = CollectionAccount.objects.get(pk=world.rows["account"]["pk"])
    customer = Customer.objects.get(pk=world.rows["customer"]["pk"])
    first = Message.objects.get(pk=world.rows["letter"]["pk"])
    for number in range(before, before + many):
        _people_and_places(cast, number)
        new = add_customer(cast.shop, addresses=[f"c{number}@example.com"], store=cast.store)
        hand_out(new, cast.group)
        block_sender(cast.shop, f"spam{number}@example.com")
        _told_and_signed_in(cast, number)
        answer = written("eva@example.com", head=f"In-Reply-To: {first.message_id}\r\n")
        (letter,) = collected(account, answer, written(f"c{number}@example.com"))[:1]
        assert letter.customer == customer
    while CollectionAccount.objects.filter(organization=cast.shop).count() < min(many, 9):
        number = CollectionAccount.objects.count()
        account_of(cast.shop, name=f"Account {number}", group=cast.group, store=cast.store)
    Arrival.objects.filter(account=account, message=None).update(outcome="failed")


def _people_and_places(cast: Cast, number: int) -> None:
    group = add_group(cast.shop, f"Group {number}", agents=[cast.ana])
    agent = add_agent(
        cast.shop, name=f"Agent {number}", email=f"a{number}@olivo.example",
        groups=[cast.group, group], password=PASSWORD if number < 5 else None,
    )  # fmt: skip
    agent.heard_from()
    store = add_store(cast.shop, f"Store {number}")
    add_customer(cast.shop, addresses=[f"of{number}@example.com"], store=store, agent=cast.ana)
    if User.objects.filter(organization=cast.shop).count() < 40:
        add_administrator(cast.shop, email=f"o{number}@olivo.example", password=PASSWORD)


def _told_and_signed_in(cast: Cast, number: int) -> None:
    event = Event.objects.filter(organization=cast.shop).order_by("-pk").first()
    for reader in ({"agent": cast.ana}, {"user": cast.olga}):
        Notification.objects.create(
            organization=cast.shop, event=event, **reader,
            kind=Notification.Kind.MESSAGE_RECEIVED, channels={"list": True, "email": False},
        )  # fmt: skip
    now = timezone.now()
    for user in (cast.ana.user_id, cast.olga.pk):
        key = f"{user}-{number}"
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(1))
        SignIn.objects.create(
            user_id=user, session_key=key, started_at=now, seen_at=now, browser="Firefox",
            network="192.0.2.1",
        )  # fmt: skip
