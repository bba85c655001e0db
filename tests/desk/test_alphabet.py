"""Names in the order of the alphabet, and words found however they are written; on both databases
alike.
"""

import random

import pytest

from buzon.desk.alphabet import by_name, folded, place
from buzon.desk.models import Organization, Store
from tests.desk import cast

pytestmark = pytest.mark.django_db
IN_ORDER = [
    "4 Vientos", "Álvaro", "Amparo", "ana", "Ana Ruiz", "Anabel", "ÁNGEL", "Canto", "Caño",
    "Capa", "Çelik", "Eva", "Íñigo", "Iris", "Müller", "Nuria", "Nzé", "Ñu", "ñuflo", "Óscar",
    "Tom", "Übel", "zoe", "Юлия",
]  # fmt: skip


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def test_names_stand_in_the_order_of_the_alphabet(shop: Organization) -> None:
    for name in random.sample(IN_ORDER, len(IN_ORDER)):
        Store.objects.create(organization=shop, name=name)
    assert [store.name for store in by_name(Store.objects.all())] == IN_ORDER
    assert sorted(sorted(IN_ORDER), key=place) == IN_ORDER


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("munoz", ["José Muñoz 100%"]),
        ("JOSÉ", ["José Muñoz 100%"]),
        ("jose\u0301", ["José Muñoz 100%"]),
        ("0%", ["José Muñoz 100%"]),
        ("ÑIG", ["Íñigo_Paz"]),
        ("o_p", ["Íñigo_Paz"]),
        ("_", ["Íñigo_Paz"]),
        ("z", ["José Muñoz 100%", "Íñigo_Paz"]),
        ("munoz_", []),
        ("\\", []),
    ],
)
def test_words_are_found_with_and_without_accents_in_any_case(
    shop: Organization, words: str, found: list[str]
) -> None:
    for name in ("José Muñoz 100%", "Íñigo_Paz"):
        Store.objects.create(organization=shop, name=name)
    rows = Store.objects.filter(name__folded__contains=words)
    assert [store.name for store in rows.order_by("pk")] == found


def test_both_know_names_without_a_mark_or_a_letter(shop: Organization) -> None:
    assert folded("Straße") == "straße"
    assert (folded(""), place("")) == ("", "")
    assert place("ñ") > place("nz")
