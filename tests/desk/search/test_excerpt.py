"""Where the words stand that a letter was found by."""

import pytest

from buzon.desk.models import Organization, SearchEntry
from buzon.desk.search import excerpts
from buzon.desk.search.excerpt import AFTER, BEFORE
from tests.desk import cast
from tests.desk.search.entries import letter

pytestmark = pytest.mark.django_db
LONG = "palabra " * 100


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def excerpt(shop: Organization, typed: str, text: str, **words: object) -> str | None:
    """With what was looked for between brackets."""
    one = letter(shop, text, **words)
    told = excerpts(typed, [one.pk]).get(one.pk)
    if told is None:
        return None
    return "".join(f"[{piece}]" if hit else piece for piece, hit in told.pieces)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("botas", "Las [Botas]\trojas no; las [botas] azules."),
        ("BOTA azul", "Las [Botas]\trojas no; las [botas] [azules]."),
        ("azules", "Las Botas\trojas no; las botas [azules]."),
        ('"botas azules"', "Las Botas\trojas no; las [botas azules]."),
        ("roj* no", "Las Botas\t[rojas] [no]; las botas azules."),
    ],
)
def test_what_was_looked_for_is_marked(shop: Organization, typed: str, shown: str) -> None:
    shown = " ".join(shown.split())
    assert excerpt(shop, typed, "Las Botas\trojas\n\nno; las  botas azules.") == shown


def test_a_long_text_is_cut_at_words_around_the_first_place(shop: Organization) -> None:
    told = excerpt(shop, "botas", f"{LONG} Niñas: botas {LONG} botas")
    assert told is not None
    assert told.startswith("…palabra ")
    assert told.endswith("…")
    assert told.count("[botas]") == 1
    assert BEFORE < len(told) < BEFORE + AFTER + 10


def test_a_word_without_end_is_cut_anywhere(shop: Organization) -> None:
    told = excerpt(shop, "botas", "ñ" * 300 + "-botas-" + "ñ" * 300)
    assert told == "…" + "ñ" * (BEFORE - 1) + "-[botas]-" + "ñ" * (AFTER - 6) + "…"


def test_files_and_people_where_the_text_does_not_hold_the_words(shop: Organization) -> None:
    words = {"people": ["Eva <eva@x.es>"], "files": ["hoja.pdf", "factura 7.pdf"]}
    assert excerpt(shop, "factura", "Hola", **words) == "hoja.pdf [factura] 7.pdf"
    assert excerpt(shop, "eva@x.es", "Hola", **words) == "Eva <[eva@x.es]>"


def test_what_is_in_the_subject_alone_needs_no_excerpt(shop: Organization) -> None:
    assert excerpt(shop, "pedido", "Hola", subject="Pedido") is None
    assert excerpt(shop, "???", "Hola") is None


def test_a_damaged_entry_has_none(shop: Organization) -> None:
    one = letter(shop, "botas")
    SearchEntry.objects.filter(message=one).update(packed=b"no texts", waits=True)
    assert excerpts("botas", [one.pk]) == {}
