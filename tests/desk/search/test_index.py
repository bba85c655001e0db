"""The index holds exactly the words of the letters that are there."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from buzon.desk.filing import complete, file_letter
from buzon.desk.models import Message, Organization, SearchEntry
from buzon.desk.organizations import remove_organization, suspend_organization
from buzon.desk.search import Indexable, any_waits, index, index_waiting
from buzon.desk.search.words import LONGEST, TEXT, bounded, packed, place_in_time, unpacked, vector
from tests.desk import cast
from tests.desk.search.entries import hits, index_all, indexable, letter

pytestmark = pytest.mark.django_db
ON_POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def filed(shop: Organization) -> Message:
    return file_letter(cast.letter(shop), customer=None, link={}).message


def test_a_batch_is_indexed_by_subject_text_people_and_files(shop: Organization) -> None:
    one, other = filed(shop), filed(shop)
    first = indexable(one, subject="Pedido", text="Las botas", people=["Ana <ana@x.es>"])
    index([first, indexable(other, subject="Factura", text="botas", files=["hoja 7.pdf"])])
    index_all()
    assert hits("botas") == [one.pk, other.pk]
    assert [hits(w) for w in ("pedido", "ana", "es")] == [[one.pk]] * 3
    assert [hits(w) for w in ("factura", "hoja", "7", "pdf")] == [[other.pk]] * 4
    assert hits("bota") == []


def test_words_are_in_the_index_with_their_letters_on_sqlite_soon_after_on_postgresql(
    shop: Organization,
) -> None:
    one = filed(shop)
    index([indexable(one, text="botas")])
    assert any_waits() == ON_POSTGRESQL
    assert hits("botas") == ([] if ON_POSTGRESQL else [one.pk])
    assert index_waiting() == (1 if ON_POSTGRESQL else 0)
    assert hits("botas") == [one.pk]
    assert not any_waits()
    assert index_waiting() == 0


def test_what_waits_is_indexed_some_at_a_time_the_newest_first(shop: Organization) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ages = [filed(shop) for _ in range(5)]
    waiting(
        *(indexable(m, text="botas", happened_at=at - timedelta(n)) for n, m in enumerate(ages))
    )
    assert index_waiting(most=2) == 2
    assert hits("botas") == sorted(m.pk for m in ages[:2])
    assert index_waiting(most=200) == 3
    assert hits("botas") == sorted(m.pk for m in ages)


def waiting(*letters: Indexable) -> None:
    """Indexed, but as after a restore: what packs them is there, and nothing else."""
    for one in letters:
        SearchEntry.objects.create(
            id=place_in_time(one.happened_at, one.message_id),
            organization_id=one.organization_id,
            message_id=one.message_id,
            packed=packed(one.texts()),
        )


def test_indexing_again_replaces_what_was_there(shop: Organization) -> None:
    one = filed(shop)
    for text in ("botas", "zapatos"):
        index([indexable(one, text=text)])
        index_all()
    assert hits("botas") == []
    assert hits("zapatos") == [one.pk]
    assert SearchEntry.objects.count() == 1


def test_a_letter_that_is_twice_in_a_batch_counts_as_it_is_there_last(shop: Organization) -> None:
    one = filed(shop)
    index([indexable(one, text="botas"), indexable(one, text="zapatos")])
    index_all()
    assert (hits("botas"), hits("zapatos")) == ([], [one.pk])


def test_a_batch_that_is_rolled_back_leaves_nothing(shop: Organization) -> None:
    one = filed(shop)
    with contextlib.suppress(RuntimeError), transaction.atomic():
        index([indexable(one, text="botas")])
        raise RuntimeError
    index_all()
    assert hits("botas") == []


def test_nothing_is_no_batch() -> None:
    index([])
    assert not SearchEntry.objects.exists()


def test_a_removed_letter_leaves_no_word_in_the_index(shop: Organization) -> None:
    one, other = letter(shop, "Unas botas"), letter(shop, "Otras botas")
    gone = SearchEntry.objects.get(message=one).pk
    one.delete()
    assert hits("unas") == []
    assert hits("botas") == [other.pk]
    assert gone not in hits("botas")


def test_a_letter_that_is_removed_while_it_waits_leaves_nothing_either(shop: Organization) -> None:
    one = filed(shop)
    waiting(indexable(one, text="botas"))
    one.delete()
    index_all()
    assert hits("botas") == []


def test_a_header_that_turns_out_to_be_held_whole_goes_with_its_words(shop: Organization) -> None:
    whole = cast.letter(shop)
    held = file_letter(whole, customer=None, link={}).message
    header = replace(cast.letter(shop), sha256="", identity=None)
    only = file_letter(header, customer=None, link={}).message
    index([indexable(held, text="entera"), indexable(only, text="cabecera")])
    index_all()
    assert complete(only, whole) == held
    assert (hits("cabecera"), hits("entera")) == ([], [held.pk])


def test_an_organization_goes_with_all_its_words(shop: Organization) -> None:
    theirs = cast.organization()
    kept = letter(theirs, "botas")
    letter(shop, "botas")
    suspend_organization(shop)
    remove_organization(shop)
    assert hits("botas") == [kept.pk]
    assert SearchEntry.objects.count() == 1


def test_texts_are_bounded_and_come_back_as_they_went_in() -> None:
    texts = bounded(["s" * 501, "p" * 8_001, "f" * 4_001, "a\0b\udc80" + "t" * 70_000])
    assert tuple(map(len, texts)) == LONGEST
    assert texts[TEXT].startswith("a\ufffdb\ufffdt")
    assert unpacked(packed(texts)) == texts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "'\\:*()&|!<->\"%s;-- DROP TABLE desk_message",
        "\udc80\ud800",
        "가" * 65_536,  # nine octets each, decomposed
        " ".join(chr(0xAC00 + n % 11_172) * (1 + n // 11_172) for n in range(20_000)),
        "a " * 32_768,
        "x" * 65_536,
        "ﷺ" * 65_536,
        "\u0301" * 65_536,
        "\U0001d518\U0001d52b" * 32_768,
        "1:1 a:2A 'b':3",
    ],
    ids=range(12),
)
def test_any_text_can_be_indexed_and_removed(shop: Organization, text: str) -> None:
    one = filed(shop)
    index([indexable(one, subject=text, text=text, people=[text] * 3, files=[text] * 3)])
    index_all()
    assert not any_waits()
    one.delete()
    assert hits("a") == hits("drop") == []


def test_words_of_postgresql_stand_in_their_places_and_fields_apart() -> None:
    assert vector(("Re: Niño", "Ana@x", "", "Uno-dos")) == "re:1 nino:2 ana:13 x:14 uno:35 dos:36"
    assert vector(("", "", "", "a " * 20_000)).endswith("a:16383")


def test_later_letters_have_later_places() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    early, late = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    moments = [early, at, at + timedelta(seconds=1), late]
    places = [place_in_time(one, 5) for one in moments]
    assert places == sorted(set(places))
    assert places[-1] < 2**63
    assert place_in_time(at, 5) < place_in_time(at, 6)
    assert place_in_time(at) <= place_in_time(at, 2**40)


def test_a_damaged_entry_holds_up_no_other(shop: Organization) -> None:
    one, other = filed(shop), filed(shop)
    waiting(indexable(one, text="botas"), indexable(other, text="botas"))
    SearchEntry.objects.filter(message=one).update(packed=b"no texts")
    with capture_logs() as logged:
        index_all()
    assert [one["event"] for one in logged] == ["search entry damaged"]
    assert hits("botas") == [other.pk]
    one.delete()
    assert hits("botas") == [other.pk]
