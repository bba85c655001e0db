"""Customers: the list, the card, what a person does with them; each refusal next to its field."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from buzon.desk.assignment import hand_out
from buzon.desk.customers import add_customer
from buzon.desk.models import Agent, Assignment, BlockedSender, Customer, Event, Message
from buzon.desk.people import deactivate_agent
from buzon.intake.models import Arrival
from tests.web.cast import Cast
from tests.web.letters import account_of, collected, filed, written

pytestmark = pytest.mark.django_db


def eva(cast: Cast, agent: Agent | None = None) -> Customer:
    return add_customer(cast.shop, addresses=["Eva@example.com"], name="Eva López", agent=agent)


def error(page: str, field: str) -> str:
    return page.split(f'id="error-{field}"')[1].split("</div>")[0]


# The list


def test_an_agent_sees_the_own_customers_the_administrator_all(cast: Cast) -> None:
    eva(cast, cast.ana)
    add_customer(cast.shop, addresses=["paul@example.com"], agent=cast.luis)
    assert "paul@" not in cast.browser(cast.ana).get("/customers/").text
    everything = cast.browser(cast.olga).get("/customers/").text
    assert "Eva López" in everything
    assert "paul@example.com" in everything
    assert "Eva López" not in cast.browser(cast.charlie).get("/customers/").text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"Eva", "Paul", "Zoe", "Max"}),
        ("?q=eva", {"Eva"}),
        ("?q=second@", {"Eva"}),
        ("?q=nothing", set()),
        ("?store={store}", {"Paul"}),
        ("?agent={ana}", {"Eva"}),
        ("?show=unassigned", {"Paul", "Max"}),
        ("?show=left_behind", {"Zoe"}),
        ("?show=unassigned&q=max", {"Max"}),
    ],
)
def test_the_list_is_filtered(cast: Cast, asked: str, found: set[str]) -> None:
    add_customer(
        cast.shop, addresses=["e@x.example", "second@x.example"], name="Eva", agent=cast.ana
    )
    add_customer(cast.shop, addresses=["p@x.example"], name="Paul", store=cast.store)
    add_customer(cast.shop, addresses=["z@x.example"], name="Zoe", agent=cast.luis)
    add_customer(cast.shop, addresses=["m@x.example"], name="Max")
    deactivate_agent(cast.luis)
    place = asked.format(store=cast.store.pk, ana=cast.ana.pk)
    page = cast.browser(cast.olga).get(f"/customers/{place}").text
    names = {name for name in ("Eva", "Paul", "Zoe", "Max") if f"<bdi>{name}</bdi>" in page}
    assert names == found


@pytest.mark.parametrize("words", ["nunez", "NÚÑEZ", "Nuñez"])
def test_a_customer_is_found_with_and_without_accents(cast: Cast, words: str) -> None:
    add_customer(cast.shop, addresses=["p@x.example"], name="Pía Núñez")
    page = cast.browser(cast.olga).get("/customers/", {"q": words}).text
    assert "<bdi>Pía Núñez</bdi>" in page


def test_whoever_wrote_last_stands_first(cast: Cast) -> None:
    silent = eva(cast)
    paul, zoe = (
        add_customer(cast.shop, addresses=[f"{name}@x.example"], name=name)
        for name in ("Paul", "Zoe")
    )
    filed(paul, cast.shop, internal_date=timezone.now() - timedelta(days=2))
    filed(zoe, cast.shop, internal_date=timezone.now() - timedelta(days=1))
    page = cast.browser(cast.olga).get("/customers/").text
    places = [page.index(f'/customers/{one.pk}"') for one in (zoe, paul, silent)]
    assert places == sorted(places)


def test_a_customer_of_no_store_is_so_in_both_languages(cast: Cast) -> None:
    eva(cast)
    assert "sin tienda" in cast.browser(cast.olga, language="es").get("/customers/").text
    assert "of no store" in cast.browser(cast.olga).get("/customers/").text


def test_a_foreign_filter_is_refused(cast: Cast) -> None:
    page = cast.browser(cast.charlie, language="es").get(f"/customers/?store={cast.store.pk}")
    assert "Escoja una opción válida." in error(page.text, "store")


def test_the_list_asks_the_same_number_of_queries_for_fifty(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(51):
        add_customer(cast.shop, addresses=[f"a{number}@x.example"], agent=cast.ana)
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(16):
        page = browser.get("/customers/").text
    assert page.count('<td data-label="Store">') == 50
    assert 'rel="next"' in page


# The card


def test_the_card_shows_letters_with_their_reasons_and_who_got_the_customer_and_why(
    cast: Cast,
) -> None:
    account = account_of(cast.shop, group=cast.group, store=cast.store)
    message = collected(account, written("Zoe <zoe@x.example>", subject="Primera"))[0]
    assert message.customer is not None
    page = cast.browser(cast.olga).get(f"/customers/{message.customer_id}").text
    assert "zoe@x.example" in page
    assert "Primera" in page
    assert "The customer was created for this sender" in page
    assert "Nobody of the group was Free and signed in; next in turn of 2" in page
    assert "(Ventas, turn 1)" in page
    assert "From a letter" in page
    spanish = cast.browser(cast.olga, language="es").get(f"/customers/{message.customer_id}").text
    assert "El cliente se creó para este remitente" in spanish


def test_the_card_warns_of_doubtful_letters(cast: Cast) -> None:
    customer = eva(cast, cast.ana)
    message = filed(customer, cast.shop)
    Message.objects.filter(pk=message.pk).update(warnings=["dmarc_failed"])
    assert "Doubtful sender" in cast.browser(cast.ana).get(f"/customers/{customer.pk}").text


def test_the_card_of_a_deactivated_agents_customer_says_what_happens(cast: Cast) -> None:
    customer = eva(cast, cast.luis)
    deactivate_agent(cast.luis)
    page = cast.browser(cast.olga).get(f"/customers/{customer.pk}").text
    assert "Luis is deactivated." in page


@pytest.mark.parametrize("place", ["", "/change", "/agent", "/removal", "/blocking"])
def test_another_persons_customer_does_not_exist(cast: Cast, place: str) -> None:
    customer = eva(cast, cast.ana)
    for who in (cast.luis, cast.charlie):
        assert cast.browser(who).get(f"/customers/{customer.pk}{place}").status_code == 404
    earlier = f"/customers/{customer.pk}/earlier-letters"
    assert cast.browser(cast.luis).post(earlier).status_code == 404


@pytest.mark.parametrize("place", ["import", "{pk}/agent", "{pk}/removal", "{pk}/blocking"])
def test_what_only_administrators_do_is_not_there_for_an_agent(cast: Cast, place: str) -> None:
    customer = eva(cast, cast.ana)
    browser = cast.browser(cast.ana)
    assert browser.get(f"/customers/{place.format(pk=customer.pk)}").status_code == 404
    assert browser.post(f"/customers/{place.format(pk=customer.pk)}").status_code == 404
    assert Customer.objects.get(pk=customer.pk).agent == cast.ana


def test_the_card_asks_the_same_number_of_queries_for_fifty_letters(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    customer = eva(cast, cast.ana)
    for _ in range(51):
        filed(customer, cast.shop)
    for _ in range(25):
        hand_out(customer, cast.group)
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(20):
        page = browser.get(f"/customers/{customer.pk}").text
    assert page.count('<li class="letter-row') == 50
    assert page.count("Ventas, turn") == 20


def test_earlier_letters_are_offered_and_fetched(cast: Cast) -> None:
    account = account_of(cast.shop, create_customer=False)
    for uid in (1, 2):
        Arrival.objects.create(
            organization=cast.shop,
            account=account,
            folder=account.folders.get(),
            uid=uid,
            sender="eva@example.com",
            outcome="skipped",
            reason={"code": "unknown_sender"},
        )
    customer = eva(cast, cast.ana)
    browser = cast.browser(cast.ana)
    assert "Fetch 2 earlier letters" in browser.get(f"/customers/{customer.pk}").text
    page = browser.post(f"/customers/{customer.pk}/earlier-letters", follow=True).text
    assert "2 letters are downloaded with the next collection." in page
    assert "earlier letters of this customer" not in page
    assert Arrival.objects.filter(outcome="waiting", asked_by_person=True).count() == 2


# Added and changed


def test_an_administrator_adds_a_customer(cast: Cast) -> None:
    typed = {
        "name": "Zoe",
        "addresses": " zoe@x.example \r\n\r\nZ@y.example",
        "store": cast.store.pk,
        "agent": cast.luis.pk,
    }
    page = cast.browser(cast.olga).post("/customers/new", typed, follow=True)
    assert "Added the customer Zoe." in page.text
    added = Customer.objects.get(name="Zoe")
    assert (added.store, added.agent, added.created_by) == (cast.store, cast.luis, "person")
    assert [one.address for one in added.addresses.order_by("pk")] == [
        "zoe@x.example",
        "Z@y.example",
    ]
    why = Assignment.objects.get(customer=added).why
    assert why == {"code": "given_by_hand", "by": "olga@olivo.example"}


def test_an_agents_new_customer_is_that_agents(cast: Cast) -> None:
    typed = {"addresses": "zoe@x.example", "agent": cast.luis.pk}
    page = cast.browser(cast.ana).post("/customers/new", typed, follow=True)
    assert page.status_code == 200
    assert Customer.objects.get().agent == cast.ana


@pytest.mark.parametrize(
    ("language", "typed", "field", "told"),
    [
        ("en", {"addresses": ""}, "addresses", "This field is required."),
        ("es", {"addresses": ""}, "addresses", "Este campo es obligatorio."),
        ("en", {"addresses": "zoe"}, "addresses", "&#39;zoe&#39; is not an e-mail address."),
        ("es", {"addresses": "zoe"}, "addresses", "no es una dirección de correo"),
        ("en", {"addresses": "a@x.es\nA@x.es"}, "addresses", "is given twice"),
        ("es", {"addresses": "a@x.es\nA@x.es"}, "addresses", "dos veces"),
        ("en", {"addresses": "eva@example.com"}, "addresses",
         "The address Eva@example.com already belongs to a customer of no store."),
        ("es", {"addresses": "eva@example.com"}, "addresses", "ya pertenece a un cliente"),
        ("en", {"addresses": "z@x.es", "name": "a\x00"}, "name", "Null characters"),
        ("en", {"addresses": "z@x.es", "agent": "4711"}, "agent", "Select a valid choice."),
        ("es", {"addresses": "z@x.es", "store": "x"}, "store", "Escoja una opción válida."),
    ],
)  # fmt: skip
def test_a_wrong_customer_is_refused_next_to_its_field_and_nothing_typed_is_lost(
    cast: Cast, language: str, typed: dict[str, str], field: str, told: str
) -> None:
    eva(cast)
    typed = {"name": "Kept name"} | typed
    page = cast.browser(cast.olga, language=language).post("/customers/new", typed).text
    assert told in error(page, field)
    assert f"{typed['addresses']}</textarea>" in page
    assert f'value="{typed["name"]}"' in page
    assert Customer.objects.count() == 1


def test_name_and_addresses_are_changed(cast: Cast) -> None:
    customer = eva(cast, cast.ana)
    browser = cast.browser(cast.ana)
    assert "Eva@example.com</textarea>" in browser.get(f"/customers/{customer.pk}/change").text
    typed = {"name": "Eva L.", "addresses": "eva@example.com\nnew@example.com"}
    page = browser.post(f"/customers/{customer.pk}/change", typed, follow=True).text
    assert "Saved." in page
    assert "Eva L." in page
    assert customer.addresses.count() == 2


def test_an_address_of_somebody_else_is_refused(cast: Cast) -> None:
    add_customer(cast.shop, addresses=["paul@example.com"])
    customer = eva(cast)
    typed = {"name": "Eva", "addresses": "eva@example.com\npaul@example.com"}
    page = cast.browser(cast.olga).post(f"/customers/{customer.pk}/change", typed).text
    assert "The address paul@example.com already belongs" in error(page, "addresses")
    assert "paul@example.com</textarea>" in page
    assert customer.addresses.count() == 1


# Given, taken


def test_a_customer_is_given_to_another_agent_who_is_told(cast: Cast) -> None:
    customer = eva(cast, cast.ana)
    browser = cast.browser(cast.olga)
    where = f"/customers/{customer.pk}/agent"
    page = browser.post(where, {"agent": cast.luis.pk}, follow=True).text
    assert "Eva López is now Luis&#39;s customer." in page
    assert "Given by olga@olivo.example" in page
    assert Event.objects.filter(kind="customer_assigned", agent=cast.luis).count() == 1
    browser.post(where, {"agent": cast.luis.pk})
    assert Event.objects.filter(kind="customer_assigned", agent=cast.luis).count() == 1


def test_a_customer_is_taken_away(cast: Cast) -> None:
    customer = eva(cast, cast.ana)
    browser = cast.browser(cast.olga, language="es")
    page = browser.post(f"/customers/{customer.pk}/agent", {"agent": ""}, follow=True).text
    assert "Eva López no tiene agente." in page
    assert Customer.objects.get().agent is None


def test_a_deactivated_agent_or_one_elsewhere_gets_nobody(cast: Cast) -> None:
    customer = eva(cast, cast.ana)
    deactivate_agent(cast.luis)
    where = f"/customers/{customer.pk}/agent"
    for pk in (cast.luis.pk, 4711):
        page = cast.browser(cast.olga).post(where, {"agent": pk}).text
        assert "Select a valid choice." in error(page, "agent")
    assert Customer.objects.get().agent == cast.ana


# Imported, removed, blocked


def uploaded(octets: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", octets, content_type="text/csv")


def test_a_list_is_imported(cast: Cast) -> None:
    octets = b"correo;nombre;tienda;agente;notas\ne@x.es;Eva;Norte;Ana;x\np@x.es;Paul;;;\n"
    page = cast.browser(cast.olga).post(
        "/customers/import", {"lines": uploaded(octets), "store": ""}, follow=True
    )
    assert "Imported 2 customers." in page.text
    assert "left out: notas." in page.text
    assert Customer.objects.get(name="Eva").agent == cast.ana
    assert Customer.objects.get(name="Paul").store is None


@pytest.mark.parametrize(
    ("language", "octets", "told"),
    [
        ("en", b"email\nzoe@x.es\nwrong\n", "Line 3: &#39;wrong&#39; is not an e-mail address."),
        ("es", b"email\nzoe@x.es\nwrong\n", "Línea 3:"),
        ("en", b"", "The list is empty."),
        ("es", b"", "La lista está vacía."),
        ("en", b"email\n\x81\x8d", "neither UTF-8 nor Windows-1252"),
        ("en", b"email,store\na@x.es,Sur\n", "Line 2:"),
        ("en", b"email\nEVA@example.com\n", "already belongs to a customer of no store"),
        ("en", b"x" * 10_000_001, "The list may have 10 MB at most; split it."),
        ("es", b"x" * 10_000_001, "10 MB como máximo"),
    ],
)
def test_a_wrong_list_changes_nothing_and_names_the_line(
    cast: Cast, language: str, octets: bytes, told: str
) -> None:
    eva(cast)
    browser = cast.browser(cast.olga, language=language)
    page = browser.post("/customers/import", {"lines": uploaded(octets), "store": ""})
    assert told in error(page.text, "lines")
    assert Customer.objects.count() == 1


def test_a_list_without_a_file_is_refused(cast: Cast) -> None:
    page = cast.browser(cast.olga).post("/customers/import", {"store": cast.store.pk})
    assert "This field is required." in error(page.text, "lines")
    assert f'value="{cast.store.pk}" selected' in page.text


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Removed the customer Eva López; 1 letter stays, without a customer."),
        ("es", "Se ha eliminado el cliente Eva López; queda 1 carta, sin cliente."),
    ],
)
def test_a_customer_is_removed_after_asking_the_letters_stay(
    cast: Cast, language: str, told: str
) -> None:
    customer = eva(cast, cast.ana)
    message = filed(customer, cast.shop)
    browser = cast.browser(cast.olga, language=language)
    where = f"/customers/{customer.pk}/removal"
    assert "Eva López?" in browser.get(where).text
    assert Customer.objects.count() == 1
    assert told in browser.post(where, follow=True).text
    assert Message.objects.get(pk=message.pk).customer is None


def test_a_customers_domain_is_blocked(cast: Cast) -> None:
    customer = add_customer(cast.shop, addresses=["a@x.example", "b@x.example", "c@y.example"])
    browser = cast.browser(cast.olga)
    where = f"/customers/{customer.pk}/blocking"
    assert browser.get(where).text.count('type="radio"') == 5
    browser.post(where, {"written": "@y.example"})
    assert BlockedSender.objects.get().pattern == "@y.example"


def test_a_choice_has_to_be_made(cast: Cast) -> None:
    customer = eva(cast)
    page = cast.browser(cast.olga, language="es").post(f"/customers/{customer.pk}/blocking").text
    assert "Este campo es obligatorio." in error(page, "written")
