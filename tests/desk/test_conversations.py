"""Conversations by References and In-Reply-To, whatever order the letters come in."""

from datetime import timedelta
from typing import Any

import pytest

from buzon.desk.customers import create_from_mail
from buzon.desk.filing import Letter, file_letter
from buzon.desk.models import Conversation, Customer, Message, Organization
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def _file(letter: Letter, customer: Customer | None = None) -> Message:
    return file_letter(letter, customer=customer, link={}).message


def _together(*messages: Message) -> bool:
    for message in messages:
        message.refresh_from_db()
    return len({message.conversation_id for message in messages}) == 1


def _answer(shop: Organization, *originals: Letter, **changes: Any) -> Letter:
    return cast.letter(shop, references=tuple(one.message_id for one in originals), **changes)


def test_a_reply_joins_its_original(shop: Organization) -> None:
    original = cast.letter(shop)
    first = _file(original)
    by_references = _file(_answer(shop, original))
    by_in_reply_to = _file(cast.letter(shop, in_reply_to=(original.message_id,)))
    assert _together(first, by_references, by_in_reply_to)


def test_letters_without_reference_stay_apart_whatever_their_subject(shop: Organization) -> None:
    first, second = (_file(cast.letter(shop, subject="Your order")) for _ in range(2))
    assert not _together(first, second)


def test_history_newest_first_a_reply_arrives_before_its_original(shop: Organization) -> None:
    original = cast.letter(shop, subject="Broken lamp")
    later = original.internal_date + timedelta(hours=1)
    reply = _file(_answer(shop, original, subject="Re: Broken lamp", internal_date=later))
    first = _file(original)
    assert _together(first, reply)
    conversation = Conversation.objects.get()
    assert conversation.subject == "Broken lamp"
    assert conversation.started_at == original.internal_date
    assert conversation.last_message_at == later


def test_two_replies_before_their_original_are_merged_by_it(shop: Organization) -> None:
    original = cast.letter(shop)
    early, late = (_file(_answer(shop, original)) for _ in range(2))
    assert not _together(early, late)
    first = _file(original)
    assert _together(first, early, late)
    assert Conversation.objects.count() == 1


def test_a_letter_that_names_two_conversations_makes_them_one(shop: Organization) -> None:
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    one, two = (cast.letter(shop, closed=True) for _ in range(2))
    messages = [_file(one), _file(two, ana)]
    messages.append(_file(_answer(shop, one, two, closed=True)))
    assert _together(*messages)
    conversation = Conversation.objects.get()
    assert conversation.customer == ana
    assert conversation.closed_at is not None
    assert conversation.started_at == min(one.internal_date, two.internal_date)


def test_different_stores_are_never_joined(shop: Organization) -> None:
    madrid, sevilla = add_store(shop, "Madrid"), add_store(shop, "Sevilla")
    original = cast.letter(shop, madrid)
    first = _file(original)
    for store in (sevilla, None):
        assert not _together(first, _file(_answer(shop, original, store_id=store and store.pk)))
    early = cast.letter(shop, sevilla)
    answer = _file(cast.letter(shop, madrid, references=(early.message_id,)))
    assert not _together(answer, _file(early))


def test_different_organizations_are_never_joined(shop: Organization) -> None:
    other = cast.organization()
    original = cast.letter(shop)
    first = _file(original)
    assert not _together(first, _file(_answer(other, original)))
    early = cast.letter(other)
    answer = _file(_answer(shop, early))
    assert not _together(answer, _file(early))


def test_different_mails_with_one_message_id_are_not_joined_without_reference(
    shop: Organization,
) -> None:
    ana, eva = (create_from_mail(shop.pk, None, f"{n}@example.com")[0] for n in ("ana", "eva"))
    shared = {"message_id": "<form@shop.example>"}
    of_ana = _file(cast.letter(shop, **shared), ana)
    of_eva = _file(cast.letter(shop, **shared), eva)
    assert not _together(of_ana, of_eva)
    named = cast.letter(shop, references=("<form@shop.example>",))
    answer = _file(named, eva)
    assert _together(answer, of_eva)
    assert not _together(answer, of_ana)
    third = _file(cast.letter(shop, **shared), ana)
    assert not _together(third, answer)


def test_a_shared_message_id_joins_nothing_for_a_sender_who_is_nobodys_customer(
    shop: Organization,
) -> None:
    shared = {"message_id": "<form@shop.example>"}
    one, two = (_file(cast.letter(shop, **shared)) for _ in range(2))
    answer = _file(cast.letter(shop, references=("<form@shop.example>",)))
    assert not _together(one, two)
    assert not _together(one, answer)
    assert not _together(two, answer)


def test_a_letter_that_names_itself_is_a_letter(shop: Organization) -> None:
    message = _file(cast.letter(shop, message_id="<self@x>", references=("<self@x>",)))
    assert message.references.count() == 0


def test_a_new_letter_opens_what_was_closed_and_history_does_not(shop: Organization) -> None:
    original = cast.letter(shop, closed=True)
    conversation = _file(original).conversation
    assert conversation.closed_at is not None
    _file(_answer(shop, original, closed=True))
    _file(_answer(shop, original, direction="outgoing"))
    conversation.refresh_from_db()
    assert conversation.closed_at is not None
    _file(_answer(shop, original))
    conversation.refresh_from_db()
    assert conversation.closed_at is None


def test_the_first_known_customer_is_the_conversations(shop: Organization) -> None:
    ana, eva = (create_from_mail(shop.pk, None, f"{n}@example.com")[0] for n in ("ana", "eva"))
    original = cast.letter(shop)
    _file(original)
    _file(_answer(shop, original), ana)
    _file(_answer(shop, original), eva)
    assert Conversation.objects.get().customer == ana
