"""Stores: listed, added, renamed, removed; each refusal next to its field, nothing typed lost."""

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.models import Store
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
    page = cast.browser(cast.olga).post(f"/stores/{cast.store.pk}/removal")
    assert "has customers" in page.text
    assert Store.objects.filter(pk=cast.store.pk).exists()


def test_an_unused_store_is_removed_after_asking_once_more(cast: Cast) -> None:
    browser = cast.browser(cast.olga)
    assert "Remove Norte?" in browser.get(f"/stores/{cast.store.pk}/removal").text
    page = browser.post(f"/stores/{cast.store.pk}/removal", follow=True)
    assert "Removed the store Norte." in page.text
    assert not Store.objects.filter(pk=cast.store.pk).exists()
