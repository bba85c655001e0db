"""Several letters in one transaction: each finds what those before it have left."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DataError, connection

from buzon.desk.customers import add_customer, create_from_mail
from buzon.desk.errors import DeskError, Overtaken
from buzon.desk.events import Happened, record_all
from buzon.desk.filing import file_letter
from buzon.desk.handing_out import HandingOut
from buzon.desk.keys import Keys
from buzon.desk.models import (
    Assignment,
    Conversation,
    Customer,
    CustomerAddress,
    Event,
    Message,
    Organization,
    SentLetter,
)
from buzon.desk.people import deactivate_agent
from buzon.desk.rows import insert_rows, update_rows
from buzon.desk.senders import Senders
from buzon.desk.sent_letters import SentLetters
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def _senders(shop: Organization, **rules: bool) -> Senders:
    return Senders(shop.pk, None, Keys(5, Customer), **rules)


def test_keys_are_never_given_twice_and_never_those_of_rows(shop: Organization) -> None:
    one, other = Keys(3, Customer, Message), Keys(3, Customer)
    given = [keys.next(Customer) for keys in (one, other) for _ in range(7)]
    given += [cast.new_customer(shop).pk for _ in range(3)]
    given += [one.next(Customer), other.next(Customer)]
    assert len(set(given)) == len(given)
    assert not Message.objects.filter(pk=one.next(Message)).exists()


def test_keys_of_a_table_that_never_had_a_row_begin_too() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'desk_assignment'")
        assert Keys(2, Assignment).next(Assignment) == 1
    first, second = itertools.starmap(Keys(1, Assignment).next, [(Assignment,)] * 2)
    assert second > first


def test_r8_who_becomes_a_customer_by_one_letter_is_known_to_the_next(shop: Organization) -> None:
    senders = _senders(shop)
    senders.look_up(["ana@example.com", "eva@example.com"])
    assert senders.match("ana@example.com").customer is None
    ana = senders.create(" Ana@Example.com")
    assert senders.match("ana@example.com").customer is ana
    assert senders.match("ana@example.com").why == {"code": "sender_of_any_store"}
    assert senders.match("eva@example.com").customer is None
    assert senders.match("").customer is None
    senders.store()
    assert CustomerAddress.objects.get().customer == ana
    assert create_from_mail(shop.pk, None, "ana@example.com") == (ana, False)


def test_r5_with_the_providers_rules_another_spelling_is_known_too(shop: Organization) -> None:
    senders = _senders(shop, dots=True, plus=True)
    ana = senders.create("a.na+x@gmail.com")
    assert senders.match("ana@gmail.com").customer is ana
    assert _senders(shop).match("ana@gmail.com").customer is None


def test_r5_a_customer_of_two_addresses_is_one_object(shop: Organization) -> None:
    add_customer(shop, addresses=["ana@example.com", "ana@work.example"])
    senders = _senders(shop)
    senders.look_up(["ana@example.com"])
    first = senders.match("ana@example.com").customer
    assert first is not None
    assert senders.match("ana@work.example").customer is first


def test_r8_an_address_that_somebody_else_took_meanwhile_stops_the_batch(
    shop: Organization,
) -> None:
    senders = _senders(shop)
    for name in ("ana", "eva"):
        senders.create(f"{name}@example.com")
    add_customer(shop, addresses=["eva@example.com"])
    with pytest.raises(Overtaken):
        senders.store()
    with pytest.raises(DeskError):
        senders.create("nobody")


def test_an_answer_and_its_original_in_one_batch_are_one_conversation(shop: Organization) -> None:
    first = cast.letter(shop, internal_date=cast.NOON)
    answer = cast.letter(
        shop, references=(first.message_id,), internal_date=cast.NOON + timedelta(days=1)
    )
    filing = cast.filing(shop, 2)
    for letter in (answer, first):
        filing.file(letter, customer=None, link={})
    filing.store()
    conversation = Conversation.objects.get()
    assert conversation.messages.count() == 2
    assert (conversation.subject, conversation.started_at) == (first.subject, first.internal_date)
    assert conversation.last_message_at == answer.internal_date


def test_a_batch_merges_conversations_that_were_stored_before(shop: Organization) -> None:
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    letters = [
        cast.letter(shop, internal_date=cast.NOON + timedelta(days=day), closed=day != 1)
        for day in range(3)
    ]
    for letter in letters[1:]:
        file_letter(letter, customer=ana if letter is letters[2] else None, link={})
    joins = cast.letter(
        shop, references=tuple(letter.message_id for letter in letters), closed=True
    )
    filing = cast.filing(shop, 2)
    filing.file(letters[0], customer=None, link={})  # begun in this batch, and the oldest
    filing.file(joins, customer=None, link={})
    filing.store()
    conversation = Conversation.objects.get()
    assert conversation.messages.count() == 4
    assert (conversation.subject, conversation.customer) == (letters[0].subject, ana)
    assert conversation.started_at == letters[0].internal_date
    assert conversation.last_message_at == letters[2].internal_date
    assert conversation.closed_at is None


def test_the_same_letter_twice_in_a_batch_is_one_and_finds_its_customer(
    shop: Organization,
) -> None:
    letter = cast.letter(shop)
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    filing = cast.filing(shop, 3)
    header = replace(letter, sha256="", preview="")
    told = [filing.file(header, customer=None, link={})]
    told.append(filing.file(letter, customer=ana, link={"code": "sender_of_no_store"}))
    told.append(filing.file(letter, customer=None, link={}))
    filing.store()
    message = Message.objects.get()
    assert told == [(message.pk, False), (message.pk, True), (message.pk, True)]
    assert (message.sha256, message.preview) == (letter.sha256, letter.preview)
    assert (message.customer, message.link) == (ana, {"code": "sender_of_no_store"})
    assert message.conversation.customer == ana


def test_a_held_header_gives_way_to_the_whole_that_comes_in_the_same_batch(
    shop: Organization,
) -> None:
    whole = cast.letter(shop)
    header = file_letter(replace(whole, sha256="", identity=None), customer=None, link={}).message
    answer = cast.letter(shop, references=(whole.message_id,))
    filing = cast.filing(shop, 3)
    key, _ = filing.file(whole, customer=None, link={})
    assert filing.complete(header, whole) == key
    filing.file(answer, customer=None, link={})
    filing.store()
    assert set(Message.objects.values_list("message_id", flat=True)) == {
        whole.message_id,
        answer.message_id,
    }
    conversation = Conversation.objects.get()
    assert conversation.messages.count() == 2


def test_r10_a_customer_given_away_meanwhile_stops_the_batch_before_anything_is_stored(
    shop: Organization,
) -> None:
    group = cast.group(shop)
    agents = [cast.agent(shop, group) for _ in range(2)]
    customer = cast.new_customer(shop)
    handing = HandingOut(group, Keys(1, Assignment), [])
    handing.give(customer)
    Customer.objects.filter(pk=customer.pk).update(agent=agents[1])
    with pytest.raises(Overtaken):
        handing.store()
    group.refresh_from_db()
    assert group.turn == Assignment.objects.count() == 0


def test_r10_in_one_batch_the_customers_of_a_deactivated_agent_are_given_away_once(
    shop: Organization,
) -> None:
    group = cast.group(shop)
    gone, heir = (cast.agent(shop, group) for _ in range(2))
    customer = add_customer(shop, addresses=["ana@example.com"], agent=gone)
    deactivate_agent(gone)
    events: list[Happened] = []
    known = Customer.objects.get(pk=customer.pk)
    handing = HandingOut(group, Keys(2, Assignment), events)
    assert handing.give(known).agent_id == heir.pk
    assert known.agent == heir
    handing.store()
    record_all(events)
    assert Customer.objects.get(pk=customer.pk).agent == heir
    newest = Event.objects.latest("pk")
    assert (newest.kind, newest.agent) == ("customer_assigned", heir)
    assert newest.data["assignment"] == Assignment.objects.latest("pk").pk


def test_a_bounce_finds_the_letter_that_was_collected_in_its_own_batch(shop: Organization) -> None:
    SentLetter.objects.create(organization=shop, message_id="<n@x>", purpose="notification")
    sent = SentLetters(shop.pk, ["<n@x>", "", "<other@x>"])
    message = file_letter(
        cast.letter(shop, direction="outgoing", message_id="<1@x>"), customer=None, link={}
    ).message
    ana = cast.new_customer(shop)
    for customer in (ana, None):
        sent.remember("<1@x>", message.pk, customer)
    found = sent.named(["<1@x>", "<n@x>"])
    assert found is not None
    assert (found.letter, sent.customer_of(found)) == (message, ana)
    assert sent.is_notification("<n@x>")
    assert not sent.is_notification("<1@x>")
    sent.store()
    sent.store()  # what is known already stays
    assert SentLetter.objects.filter(letter=message).count() == 1


def test_rows_take_what_columns_take_and_refuse_the_rest(shop: Organization) -> None:
    """A text that is too long is an error (where the database knows lengths), never cut."""
    odd = "a\\b'c\"d{e},%s\tñ 𝄞\n"
    names = ("organization", "kind", "data")
    data = {odd: [odd, None, 1.5, True]}
    assert insert_rows(Event, names, [(shop.pk, "account_failed", data)] * 3) == 3
    first, *_ = rows = list(Event.objects.order_by("pk"))
    assert first.data == data
    assert (first.customer, first.silent, first.told_at) == (None, False, None)
    assert first.at.tzinfo is not None
    first.data, first.silent = {"now": odd}, True
    assert update_rows(rows[:2], ["data", "silent"]) == 2
    assert [one.silent for one in Event.objects.order_by("pk")] == [True, False, False]
    assert insert_rows(Event, names, []) == update_rows([], ["data"]) == 0
    if connection.vendor == "postgresql":
        with pytest.raises(DataError):
            insert_rows(Event, names, [(shop.pk, "k" * 31, {})])
