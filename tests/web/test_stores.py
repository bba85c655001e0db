"""Stores: listed, added, renamed, removed; each refusal next to its field, nothing typed lost."""

import pytest
from pytest_django import DjangoAssertNumQueries

from buzon.desk.customers import add_customer
from buzon.desk.models import Store
from buzon.desk.stores import add_store
from buzon.intake.accounts import add_account
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db


def test_stores_are_listed_with_what_belongs_to_them(cast: Cast) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], store=cast.store)
    page = cast.browser(cast.olga).get("/stores/")
    assert "Norte" in page.text
    assert '<td class="number" data-label="Customers">1</td>' in page.text


def test_a_store_is_added_and_renamed(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    browser.post("/stores/new", {"name": "Sur"})
    added = Store.objects.get(organization=cast.shop, name="Sur")
    page = browser.post(f"/stores/{added.pk}", {"name": "Sur y Este"}, follow=True)
    assert "The store is now called Sur y Este." in page.text
    assert Store.objects.get(pk=added.pk).name == "Sur y Este"


def test_a_stores_page_shows_what_belongs_to_it(cast: Cast) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], store=cast.store)
    account = add_account(
        cast.shop, name="pedidos", protocol="imap", host="imap.example.com",
        username="pedidos@example.com", secret="s3cret!", store=cast.store,
    )  # fmt: skip
    page = cast.browser(cast.olga).get(f"/stores/{cast.store.pk}").text
    assert f'<a href="/collection-accounts/{account.pk}">pedidos</a>' in page
    assert f'<a href="/customers/?store={cast.store.pk}">1</a>' in page
    typed = {"name": "x" * 201}
    page = cast.browser(cast.olga).post(f"/stores/{cast.store.pk}", typed).text
    assert "<h1>Norte</h1>" in page


def test_a_renamed_store_is_refused_in_both_languages(cast: Cast) -> None:
    add_store(cast.shop, "Sur")
    for language, told in [
        ("en", "There is already a store Sur."),
        ("es", "Ya hay una tienda Sur."),
    ]:
        browser = cast.browser(cast.olga, language=language)
        assert told in browser.post(f"/stores/{cast.store.pk}", {"name": "sur"}).text


def test_another_organizations_store_does_not_exist(cast: Cast) -> None:
    theirs, browser = add_store(cast.elsewhere, "Theirs"), cast.browser(cast.olga)
    for address in (f"/stores/{theirs.pk}", f"/stores/{theirs.pk}/removal"):
        assert browser.get(address).status_code == 404
        assert browser.post(address, {"name": "Ours"}).status_code == 404
    assert Store.objects.filter(pk=theirs.pk, name="Theirs").exists()


def test_many_stores_take_few_queries(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(50):
        store = add_store(cast.shop, f"Store {number:02}")
        add_customer(cast.shop, addresses=[f"c{number}@example.com"], store=store)
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(12):
        page = browser.get("/stores/").text
    assert "Store 48" in page
    assert "Next page" in page
    assert "Older" not in page, "a list of names is not in the order of time"
    assert "Página anterior" in cast.browser(cast.olga, language="es").get("/stores/?page=2").text


@pytest.mark.parametrize(
    ("language", "typed", "told"),
    [
        ("en", "norte", "There is already a store Norte."),
        ("es", "norte", "Ya hay una tienda Norte."),
        ("en", "a\x00b", "Null characters are not allowed."),
        ("es", " ", "Este campo es obligatorio."),
    ],
)
def test_a_wrong_name_is_refused_next_to_the_field(
    cast: Cast, language: str, typed: str, told: str
) -> None:
    page = cast.browser(cast.olga, language=language).post("/stores/new", {"name": typed})
    error = page.text.split('id="error-name"')[1].split("</div>")[0]
    assert told in error
    assert Store.objects.filter(organization=cast.shop).count() == 1


def test_a_store_in_use_says_what_uses_it_and_stays(cast: Cast) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], store=cast.store)
    browser = cast.browser(cast.olga)
    asked = browser.get(f"/stores/{cast.store.pk}/removal").text
    assert "has customers" in asked
    assert "Keep it" not in asked, "there is nothing to choose"
    page = browser.post(f"/stores/{cast.store.pk}/removal")
    assert "has customers" in page.text
    assert Store.objects.filter(pk=cast.store.pk).exists()


def test_an_unused_store_is_removed_after_asking_once_more(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    asked = browser.get(f"/stores/{cast.store.pk}/removal").text
    assert "Remove Norte?" in asked
    assert "Nothing belongs to it." in asked
    page = browser.post(f"/stores/{cast.store.pk}/removal", follow=True)
    assert "Removed the store Norte." in page.text
    assert not Store.objects.filter(pk=cast.store.pk).exists()
