"""Letters are found by their words, on both databases the same, and nobody else's ever."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buzon.desk.customers import add_customer
from buzon.desk.models import Customer, Message, Organization
from buzon.desk.search import find, on_postgresql
from buzon.desk.search.find import Asked, found
from buzon.desk.stores import add_store
from tests.desk import cast
from tests.desk.search.entries import letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return cast.organization()


def ask(
    shop: Organization, text: str, letters: "QuerySet[Message] | None" = None, **asked: Any
) -> list[int]:
    page = {name: asked.pop(name) for name in ("first", "number") if name in asked}
    rows = Message.objects.filter(organization=shop) if letters is None else letters
    return found(Asked(organization=shop, text=text, **asked), rows, **page)


LETTER = {
    "subject": "Re: Devolución del pedido Nº 4711",
    "text": "Señores:\nLas botas rojas de la niña\nno le valen; quisiera unas ÁRABES, talla 38-39.",
    "people": ["Íñigo Muñoz inigo.munoz@correo.example", " tienda@olivo.example"],
    "files": ["Foto de las suelas.JPG", "factura_2026-03.pdf"],
}


@pytest.mark.parametrize(
    "typed",
    [
        "devolucion", "DEVOLUCIÓN", "devoluciones", "pedidos", "4711", "nº", "ninas", "nina",
        "niñas", "senor", "rojas botas", "botas pedido", "bota", "arabe", "38", "38-39", "munoz",
        "Íñigo", "in\u0303igo", "inigo.munoz@correo.example", "munoz@correo", "correo.example",
        "suela", "jpg", "factura_2026-03.pdf", "factura", '"botas rojas"', '"botas rojas de la"',
        '"nina no le"', "devol*", "bot*", '"botas roj*"', "bot* devol*", "tienda@olivo.example",
        "botas ???", "* botas",
    ],
)  # fmt: skip
def test_it_is_found(shop: Organization, typed: str) -> None:
    one = letter(shop, **LETTER)
    letter(shop, "Otra cosa")
    assert ask(shop, typed) == [one.pk]


@pytest.mark.parametrize(
    "typed",
    [
        "zapatos", "botas zapatos", '"rojas botas"', '"bota roja"', "evol*", "otas", "bo", '"bota"',
        "munoz@otro", '"4711 señores"', '"example foto"', "botas OR zapatos", "NOT zapatos", "bo*",
        "", "*", '"', "%", "_", "???",
    ],
)  # fmt: skip
def test_it_is_not_found(shop: Organization, typed: str) -> None:
    letter(shop, **LETTER)
    assert ask(shop, typed) == []


@pytest.mark.parametrize(
    "typed",
    [
        "botas) OR (1=1", "subject:botas", "^botas", "botas NEAR zapatos", "-botas",
        "botas|zapatos", "{subject}: botas", "'botas'", "botas;--", "botas:*A", "botas <-> rojas",
        "!botas", "botas\\", "botas%", "botas\0", "botas\ud800", "$1 botas", "%s botas",
        "botas {more}", '"botas""', "AND", "OR", "NOT", "NEAR(a b)", "((((", '"""""',
        "'; DROP TABLE desk_words; --", "*botas",
    ],
)  # fmt: skip
def test_operators_of_the_databases_are_only_text(shop: Organization, typed: str) -> None:
    """A letter that holds these words is found by them, and one that does not is not."""
    one, other = letter(shop, f"Unas botas {typed}"), letter(shop, "Otra cosa")
    assert other.pk not in ask(shop, typed)
    assert ask(shop, f"unas {typed}") == [one.pk]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(max_size=60))
def test_any_text_is_only_text(shop: Organization, typed: str) -> None:
    assert ask(shop, typed) == []
    assert ask(shop, f'"{typed}') == []


def test_newest_first_by_the_letters_own_time_a_page_at_a_time(shop: Organization) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    days = (2, 5, 1, 4, 3)
    made = {day: letter(shop, "botas", internal_date=at + timedelta(day)).pk for day in days}
    newest = [made[day] for day in (5, 4, 3, 2, 1)]
    assert ask(shop, "botas") == newest
    assert ask(shop, "botas", number=2) == newest[:2]
    assert ask(shop, "botas", first=2, number=2) == newest[2:4]
    assert ask(shop, "botas", first=9) == []
    third, fourth = date(2026, 3, 3), date(2026, 3, 4)
    assert ask(shop, "botas", since=third, until=fourth) == [made[3], made[2]]
    assert ask(shop, "botas", since=fourth) == [made[5], made[4], made[3]]
    assert ask(shop, "botas", until=third) == [made[2], made[1]]
    assert ask(shop, "botas", since=date.min, until=date.max) == newest
    assert ask(shop, "botas", since=date.max) == ask(shop, "botas", until=date.min) == []


def test_a_day_begins_and_ends_where_the_shop_is(shop: Organization) -> None:
    Organization.objects.filter(pk=shop.pk).update(time_zone="Europe/Madrid")
    shop.refresh_from_db()
    last_second = datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC)
    one = letter(shop, "botas", internal_date=last_second).pk
    other = letter(shop, "botas", internal_date=last_second + timedelta(seconds=1)).pk
    assert ask(shop, "botas", until=date(2026, 3, 2)) == [one]
    assert ask(shop, "botas", since=date(2026, 3, 3)) == [other]


def test_r9_nothing_of_another_organization_is_ever_found(shop: Organization) -> None:
    """Not even where whoever asks offers its letters, or its customers."""
    theirs = cast.organization()
    letter(theirs, "botas", customer=add_customer(theirs, addresses=["eva@x.es"]))
    own = letter(shop, "botas")
    assert ask(shop, "botas", Message.objects.all()) == [own.pk]
    others = Customer.objects.filter(organization=theirs)
    assert ask(shop, "botas", Message.objects.all(), customers=others) == []


@pytest.mark.parametrize("few", [0, 1, 1_000])
def test_letters_of_some_customers_however_many_they_are(
    shop: Organization, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, whether their letters are looked up or all are walked through."""
    monkeypatch.setattr(find, "FEW", few)
    ana, eva = (add_customer(shop, addresses=[one]) for one in ("ana@x.es", "eva@x.es"))
    anas = [letter(shop, "botas", customer=ana).pk for _ in range(3)]
    letter(shop, "zapatos", customer=ana)
    evas = letter(shop, "botas", customer=eva).pk
    letter(shop, "botas")
    chosen = Customer.objects.filter(pk=ana.pk)
    assert sorted(ask(shop, "botas", customers=chosen)) == anas
    assert ask(shop, "botas", customers=Customer.objects.filter(pk=eva.pk)) == [evas]
    assert len(ask(shop, "botas", customers=Customer.objects.all())) == 4
    assert ask(shop, "botas", customers=Customer.objects.none()) == []
    assert ask(shop, "botas", customers=chosen, since=date(2026, 3, 3)) == []
    assert len(ask(shop, "botas", customers=chosen, until=date(2026, 3, 3))) == 3
    assert len(ask(shop, "botas")) == 5


def test_a_customer_without_letters_has_none_to_be_found(shop: Organization) -> None:
    letter(shop, "botas")
    chosen = Customer.objects.filter(pk=add_customer(shop, addresses=["ana@x.es"]).pk)
    assert ask(shop, "botas", customers=chosen) == []


def test_among_letters_that_are_filtered_in_any_way(shop: Organization) -> None:
    madrid = add_store(shop, "Madrid")
    customer = add_customer(shop, addresses=["ana@x.es"], agent=cast.agent(shop))
    made = {
        "store": letter(shop, "botas", store=madrid).pk,
        "kind": letter(shop, "botas", kind="list").pk,
        "attachments": letter(shop, "botas", attachment_count=1).pk,
        "agent": letter(shop, "botas", customer=customer).pk,
    }
    own = Message.objects.filter(organization=shop)
    assert ask(shop, "botas", own.filter(store=madrid)) == [made["store"]]
    assert ask(shop, "botas", own.filter(kind__in=["list", "bulk"])) == [made["kind"]]
    assert ask(shop, "botas", own.filter(attachment_count__gt=0)) == [made["attachments"]]
    assert ask(shop, "botas", own.filter(customer__agent=customer.agent)) == [made["agent"]]
    assert ask(shop, "botas", own.filter(pk__in=[])) == []
    assert ask(shop, "botas", own.order_by("subject")) == sorted(made.values(), reverse=True)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's ways")
@pytest.mark.parametrize(("few", "walked"), [(100, 100), (2, 100), (2, 4), (2, 1), (0, 0)])
def test_the_same_is_found_whichever_way_is_taken(
    shop: Organization, few: int, walked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_postgresql, "FEW_HITS", few)
    monkeypatch.setattr(on_postgresql, "WALKED", walked)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ana = add_customer(shop, addresses=["ana@x.es"])
    texts = ["botas rojas", "rojas botas", "botas", "unas botas rojas", "zapatos", "botas azules"]
    keys = [
        letter(shop, text, internal_date=at + timedelta(n), customer=ana if n % 2 else None).pk
        for n, text in enumerate(texts)
    ]
    newest = keys[::-1]
    assert ask(shop, "botas") == [key for key in newest if key != keys[4]]
    assert ask(shop, "botas", number=2) == [keys[5], keys[3]]
    assert ask(shop, "botas", first=2, number=2) == [keys[2], keys[1]]
    assert ask(shop, '"botas rojas"') == [keys[3], keys[0]]
    assert ask(shop, '"botas rojas"', first=1, number=1) == [keys[0]]
    assert ask(shop, "botas", since=date(2026, 3, 2), until=date(2026, 3, 4)) == newest[2:5]
    own = Message.objects.filter(organization=shop)
    assert ask(shop, "botas", own.filter(customer=ana)) == [keys[5], keys[3], keys[1]]
    chosen = Customer.objects.filter(pk=ana.pk)
    assert ask(shop, "botas", customers=chosen) == [keys[5], keys[3], keys[1]]
