"""The same message twice; what a letter leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.utils import timezone as clock

from buzon.desk.customers import create_from_mail
from buzon.desk.filing import complete, file_letter, identity_of
from buzon.desk.models import Conversation, Message, Organization, Reference, SentLetter
from buzon.desk.reasons import reason
from buzon.desk.sent_letters import letter_sent_by_us
from buzon.desk.stores import add_store
from tests.desk import cast

pytestmark = pytest.mark.django_db

PARTS = {
    "organization_id": 1,
    "store_id": 1,
    "message_id": "<1@x>",
    "from_field": "Ana <ana@example.com>",
    "date_field": "Mon, 2 Mar 2026 12:00:00 +0100",
    "body_digest": "ab" * 32,
}


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def test_identity_is_one_when_all_parts_agree() -> None:
    assert identity_of(**PARTS) == identity_of(**PARTS)
    assert identity_of(**(PARTS | {"message_id": " <1@x>\r\n"})) == identity_of(**PARTS)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("organization_id", 2),
        ("store_id", 2),
        ("store_id", None),
        ("message_id", "<2@x>"),
        ("from_field", "Eva <eva@example.com>"),
        ("date_field", "Mon, 2 Mar 2026 12:00:01 +0100"),
        ("body_digest", "cd" * 32),
    ],
)
def test_identity_differs_where_any_part_does(part: str, other: object) -> None:
    assert identity_of(**(PARTS | {part: other})) != identity_of(**PARTS)


def test_identity_cannot_be_forged_by_moving_octets_between_the_fields() -> None:
    moved = PARTS | {"from_field": "ab", "date_field": "c"}
    assert identity_of(**moved) != identity_of(**(PARTS | {"from_field": "a", "date_field": "bc"}))


@pytest.mark.parametrize("missing", ["message_id", "body_digest"])
def test_without_message_id_or_body_there_is_no_identity(missing: str) -> None:
    assert identity_of(**(PARTS | {missing: ""})) is None


def test_identity_takes_any_octets_of_a_header() -> None:
    assert identity_of(**(PARTS | {"from_field": "\udcff\x00 ana"}))


def test_two_arrivals_of_one_message_are_one(shop: Organization) -> None:
    letter = cast.letter(shop)
    first = file_letter(letter, customer=None, link={})
    again = file_letter(replace(letter, internal_date=None), customer=None, link={})
    assert (first.merged, again.merged) == (False, True)
    assert again.message == first.message
    assert Message.objects.count() == Conversation.objects.count() == 1


def test_without_identity_letters_are_never_merged(shop: Organization) -> None:
    letter = cast.letter(shop, identity=None, message_id="")
    first, second = (file_letter(letter, customer=None, link={}) for _ in range(2))
    assert not second.merged
    assert first.message.conversation_id != second.message.conversation_id


def test_the_same_identity_in_another_organization_is_another_message(shop: Organization) -> None:
    letter = cast.letter(shop)
    file_letter(letter, customer=None, link={})
    other = file_letter(
        replace(letter, organization_id=cast.organization().pk), customer=None, link={}
    )
    assert not other.merged


def test_the_row_holds_what_the_letter_said(shop: Organization) -> None:
    store = add_store(shop, "Madrid")
    ana, _ = create_from_mail(shop.pk, store.pk, "ana@example.com")
    letter = cast.letter(shop, store, warnings=["odd"], references=("<a@x>",), read=True)
    message = file_letter(letter, customer=ana, link=reason("sender_of_store")).message
    message.refresh_from_db()
    assert message.customer == ana
    assert message.link == {"code": "sender_of_store"}
    assert message.warnings == ["odd"]
    assert message.read_at is not None
    for name in ("direction", "kind", "message_id", "identity", "sha256", "from_name",
                 "from_address", "subject", "preview", "date", "internal_date", "size",
                 "attachment_count"):  # fmt: skip
        assert getattr(message, name) == getattr(letter, name)
    assert list(message.references.values_list("refers_to", flat=True)) == ["<a@x>"]
    assert message.conversation.customer == ana
    assert message.conversation.store == store


def test_the_customers_last_activity_moves_on_and_never_back(shop: Organization) -> None:
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    new = cast.letter(shop, internal_date=cast.NOON)
    old = cast.letter(shop, internal_date=cast.NOON - timedelta(days=9))
    for letter in (new, old):
        file_letter(letter, customer=ana, link={})
        assert ana.last_active_at == cast.NOON
    ana.refresh_from_db()
    assert ana.last_active_at == cast.NOON


def test_a_date_in_the_future_keeps_nothing_on_top_for_ever(shop: Organization) -> None:
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    letter = cast.letter(shop, date=datetime(2999, 1, 1, tzinfo=UTC), internal_date=None)
    message = file_letter(letter, customer=ana, link={}).message
    assert ana.last_active_at is not None
    assert ana.last_active_at <= clock.now()
    assert message.conversation.last_message_at <= clock.now()


def test_a_header_only_letter_is_completed_by_the_whole_one(shop: Organization) -> None:
    whole = cast.letter(shop)
    header = replace(whole, sha256="", identity=None, preview="", attachment_count=0)
    held = file_letter(header, customer=None, link={}).message
    completed = complete(held, whole)
    assert completed == held
    held.refresh_from_db()
    assert (held.sha256, held.identity, held.preview) == (
        whole.sha256, whole.identity, whole.preview,
    )  # fmt: skip
    assert file_letter(whole, customer=None, link={}).message == held


def test_a_held_header_is_completed_by_a_second_whole_arrival(shop: Organization) -> None:
    whole = cast.letter(shop)
    held = file_letter(replace(whole, sha256=""), customer=None, link={}).message
    again = file_letter(whole, customer=None, link={})
    assert (again.message, again.merged) == (held, True)
    held.refresh_from_db()
    assert held.sha256 == whole.sha256


def test_a_header_completed_by_a_letter_that_came_whole_by_another_way_becomes_that_one(
    shop: Organization,
) -> None:
    whole = cast.letter(shop)
    header = file_letter(replace(whole, sha256="", identity=None), customer=None, link={}).message
    other = file_letter(whole, customer=None, link={}).message
    assert complete(header, whole) == other
    assert list(Message.objects.all()) == [other]
    assert Conversation.objects.count() == 1


def test_a_merged_letter_gets_the_customer_that_it_lacked(shop: Organization) -> None:
    letter = cast.letter(shop)
    file_letter(letter, customer=None, link=reason("no_customer"))
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    message = file_letter(letter, customer=ana, link=reason("sender_of_any_store")).message
    message.refresh_from_db()
    assert (message.customer, message.link) == (ana, {"code": "sender_of_any_store"})
    eva, _ = create_from_mail(shop.pk, None, "eva@example.com")
    assert file_letter(letter, customer=eva, link={}).message.customer == ana


def test_letters_that_no_database_would_take_are_filed_all_the_same(shop: Organization) -> None:
    bad = "\x00\udcff" + "ñ" * 5000
    east = timezone(timedelta(hours=14))
    letter = cast.letter(
        shop,
        message_id=f"<{bad}@x>",
        from_name=bad,
        from_address=bad,
        subject=bad,
        preview=bad,
        warnings=[{bad: [bad]}],
        date=datetime(1, 1, 1, tzinfo=east),
        internal_date=datetime(1970, 1, 1),  # noqa: DTZ001
        references=tuple(f"<{bad}{n}@x>" for n in range(3000)),
        in_reply_to=("", " "),
    )
    message = file_letter(letter, customer=None, link={"sender": bad}).message
    message.refresh_from_db()
    assert message.date is None
    assert len(message.subject) == 500
    assert Reference.objects.count() == 50
    answer = cast.letter(shop, references=(letter.message_id,))
    assert file_letter(answer, customer=None, link={}).message.conversation == message.conversation


def test_a_letter_sent_by_us_is_known_within_its_organization_only(shop: Organization) -> None:
    other = cast.organization()
    sent = SentLetter.objects.create(
        organization=shop, message_id="<n1@shop>", purpose="notification"
    )
    assert letter_sent_by_us(shop.pk, ["<x@x>", " <n1@shop> "]) == sent
    assert letter_sent_by_us(other.pk, ["<n1@shop>"]) is None
    assert letter_sent_by_us(shop.pk, []) is None
    assert letter_sent_by_us(shop.pk, [""]) is None


def test_a_letter_of_nobodys_that_becomes_a_customers_takes_its_conversation_along(
    shop: Organization,
) -> None:
    letter = cast.letter(shop)
    file_letter(letter, customer=None, link={})
    ana, _ = create_from_mail(shop.pk, None, "ana@example.com")
    again = file_letter(letter, customer=ana, link=reason("sender_of_no_store"))
    assert again.merged
    assert Conversation.objects.get().customer == ana
