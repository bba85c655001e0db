"""A refusal says which argument it is about, so that a page puts the sentence beside it."""

from collections.abc import Callable

import pytest
from django.utils import translation

from buzon.desk import organizations, people, stores
from buzon.desk.assignment import by_hand
from buzon.desk.blocking import block_sender
from buzon.desk.customers import add_customer, import_csv
from buzon.desk.errors import DeskError
from buzon.desk.models import Organization
from tests.desk import cast

pytestmark = pytest.mark.django_db
WRONG: list[tuple[str, Callable[[Organization], object]]] = [
    ("name", lambda shop: organizations.add_organization(" ")),
    ("name", lambda shop: organizations.add_organization(shop.name)),
    ("language", lambda shop: organizations.add_organization("B", language="fr")),
    ("time_zone", lambda shop: organizations.add_organization("B", time_zone="Mars")),
    ("max_accounts", lambda shop: organizations.add_organization("B", max_accounts=0)),
    ("name", lambda shop: stores.add_store(shop, "x" * 201)),
    ("name", lambda shop: people.add_group(shop, "\u200b\u0007")),
    ("name", lambda shop: people.add_agent(shop, name="", email="eva@shop.example")),
    ("email", lambda shop: people.add_agent(shop, name="Eva", email="eva")),
    (
        "password",
        lambda shop: people.add_agent(shop, name="Eva", email="eva@shop.example", password="x"),
    ),
    ("email", lambda shop: people.add_administrator(shop, email="", password="long enough")),
    ("status", lambda shop: people.set_status(cast.agent(shop), "asleep")),
    ("group", lambda shop: people.join_group(cast.agent(shop), cast.group(cast.organization()))),
    ("addresses", lambda shop: add_customer(shop, addresses=["nobody"])),
    (
        "store",
        lambda shop: add_customer(
            shop,
            addresses=["ana@example.com"],
            store=stores.add_store(cast.organization(), "Elsewhere"),
        ),
    ),
    ("agent", lambda shop: by_hand(cast.new_customer(shop), cast.agent(cast.organization()))),
    ("lines", lambda shop: import_csv(shop, "email\nnobody")),
    ("written", lambda shop: block_sender(shop, "@")),
]


@pytest.mark.parametrize(("field", "verb"), WRONG)
def test_a_refusal_names_the_argument(field: str, verb: Callable[[Organization], object]) -> None:
    with pytest.raises(DeskError) as refused:
        verb(cast.organization())
    assert refused.value.field == field
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize(("field", "verb"), WRONG)
def test_a_refusal_speaks_the_readers_language(
    field: str, verb: Callable[[Organization], object]
) -> None:
    said = {}
    for language in ("en", "es"):
        with translation.override(language), pytest.raises(DeskError) as refused:
            verb(cast.organization(f"Shop {language}"))
        said[language] = refused.value.sentence
    assert said["en"] != said["es"]


def test_words_inside_a_refusal_are_translated_too() -> None:
    shop = cast.organization()
    stores.add_store(shop, "Norte")
    for verb, spanish in [
        (lambda: stores.add_store(shop, ""), "Una tienda necesita un nombre."),
        (lambda: people.add_group(shop, "x" * 201), "El nombre de un grupo puede tener 200 "
         "caracteres como máximo."),
        (lambda: stores.store_named(shop, "Sur"), "No hay ninguna tienda «Sur». Hay: Norte."),
        (lambda: people.agent_named(shop, "Eva"), "No hay ningún agente «Eva». Todavía no hay."),
        (lambda: organizations.remove_organization(shop), f"La organización {shop.name} tiene "
         "tiendas; al eliminarla se borraría todo para siempre. Si es lo que quiere, suspéndala "
         "antes."),
        (lambda: import_csv(shop, "email,mail\na@b.es"), "La línea 1 tiene dos columnas para la "
         "dirección."),
        (lambda: import_csv(shop, "email\nnobody"), "Línea 2: «nobody» no es una dirección de "
         "correo."),
    ]:  # fmt: skip
        with translation.override("es"), pytest.raises(DeskError) as refused:
            verb()
        assert refused.value.sentence == spanish
