"""Search: what is found, by whom, and how it is shown."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from buzon.desk.customers import add_customer
from buzon.desk.models import Message
from buzon.desk.search import index
from buzon.intake.models import CollectionAccount
from tests.desk.search.entries import index_all, indexable
from tests.web.cast import Cast
from tests.web.letters import collected, evas, filed, with_files, written

pytestmark = pytest.mark.django_db


def found(cast: Cast, asked: str, who: str = "olga") -> list[str]:
    """The subjects, in the order of the page."""
    index_all()
    page = cast.browser(getattr(cast, who)).get(f"/search/{asked}")
    assert page.status_code == 200
    return re.findall(r'<span class="letter-subject"><bdi>(.*?)</bdi>', page.text)


def test_letters_are_found_by_what_the_recipe_read(cast: Cast, account: CollectionAccount) -> None:
    evas(cast, account, written(subject="Devolución", body="Las BOTAS no me valen."))
    collected(account, with_files(("Factura nº 7.pdf", "application/pdf", b"%PDF")))
    for asked in ("botas", "bota", "devolucion", "lopez", "pedidos@olivo", "eva@example.com+botas"):
        assert found(cast, f"?q={asked}") == ["Devolución"], asked
    for asked in ("adjunto", "factura", "%22factura+n%C2%BA+7%22", "pdf"):
        assert found(cast, f"?q={asked}") == ["Ficheros"], asked
    assert found(cast, "?q=zapatos") == []


def test_a_letter_shows_where_the_words_stand(cast: Cast, account: CollectionAccount) -> None:
    body = "Buenos días.\r\n" + "Nada más. " * 30 + "Las <b>botas</b> azules."
    evas(cast, account, written(subject="Hola", body=body))
    index_all()
    page = cast.browser(cast.ana).get("/search/?q=BOTA+azul").text
    shown = "&lt;b&gt;<mark>botas</mark>&lt;/b&gt; <mark>azules</mark>"
    assert shown in page
    assert "Buenos" not in page
    assert "Buenos" in cast.browser(cast.ana).get("/search/?q=hola").text


def test_everybody_finds_what_is_theirs_alone(cast: Cast, account: CollectionAccount) -> None:
    evas(cast, account, written(subject="De Eva", body="botas"))
    add_customer(cast.shop, addresses=["paul@example.com"], agent=cast.luis)
    collected(account, written("paul@example.com", subject="De Paul", body="botas"))
    nobodys = written("robot@x.example", subject="Nadie", head="List-Id: <n.x>\r\n", body="botas")
    collected(account, nobodys)
    assert found(cast, "?q=botas", "ana") == ["De Eva"]
    assert found(cast, "?q=botas", "luis") == ["De Paul"]
    assert set(found(cast, "?q=botas", "olga")) == {"De Eva", "De Paul", "Nadie"}
    assert found(cast, "?q=botas", "charlie") == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", {"De Eva", "Lista", "Ficheros", "Madrid"}),
        ("&agent={ana}", {"De Eva", "Ficheros"}),
        ("&customer={eva}", {"De Eva", "Ficheros"}),
        ("&store={store}", {"Madrid"}),
        ("&account={account}", {"De Eva", "Lista", "Ficheros"}),
        ("&kind=list", {"Lista"}),
        ("&kind=person&attachments=with", {"Ficheros"}),
        ("&since=2026-11-03", {"Lista", "Ficheros"}),
        ("&until=2026-11-02", {"De Eva", "Madrid"}),
        ("&since=2026-11-02&until=2026-11-02&agent={ana}", {"De Eva"}),
        ("&agent={luis}", set()),
    ],
)
def test_filters(cast: Cast, account: CollectionAccount, asked: str, expected: set[str]) -> None:
    eva = evas(cast, account, written(subject="De Eva", body="adjuntos")).customer
    assert eva is not None
    later = "Wed, 04 Nov 2026 10:00:00 +0100"
    head = "List-Id: <n.x>\r\n"
    collected(
        account, written("r@x.example", subject="Lista", head=head, body="adjuntos", date=later)
    )
    collected(account, with_files(("a.pdf", "application/pdf", b"%PDF")))
    other = filed(None, cast.shop, subject="Madrid", store_id=cast.store.pk)
    index([indexable(other, text="adjuntos", happened_at=other.date)])
    values = {
        "eva": eva.pk,
        "ana": cast.ana.pk,
        "luis": cast.luis.pk,
        "store": cast.store.pk,
        "account": account.pk,
    }
    subjects = found(cast, "?q=adjuntos" + asked.format(**values))
    assert set(subjects) == expected
    assert len(subjects) == len(expected)


def test_filters_of_others_rows_make_no_sense(cast: Cast, account: CollectionAccount) -> None:
    eva = evas(cast, account, written(subject="De Eva", body="botas")).customer
    assert eva is not None
    index_all()
    for asked in (f"&agent={cast.ana.pk}", f"&store={cast.store.pk}", f"&account={account.pk}"):
        page = cast.browser(cast.charlie).get(f"/search/?q=botas{asked}").text
        assert "Select a valid choice." in page
    for who in (cast.charlie, cast.luis):
        assert "De Eva" not in cast.browser(who).get(f"/search/?q=botas&customer={eva.pk}").text
    page = cast.browser(cast.ana).get(f"/search/?q=botas&agent={cast.luis.pk}").text
    assert "De Eva" in page  # an agent has no such filter
    spanish = cast.browser(cast.olga, language="es").get("/search/?q=botas&since=ayer").text
    assert "Introduzca una fecha válida." in spanish


def test_without_words_nothing_is_found_and_the_page_says_how(cast: Cast) -> None:
    page = cast.browser(cast.ana, language="es").get("/search/").text
    assert "¿Qué busca?" in page
    assert "¿Qué busca?" not in cast.browser(cast.ana, language="es").get("/search/?q=***").text
    english = cast.browser(cast.ana).get("/search/?q=zapatos").text
    assert "No letter holds these words" in english


def test_one_customers_letters_and_back_to_all(cast: Cast, account: CollectionAccount) -> None:
    eva = evas(cast, account, written(subject="De Eva", body="botas")).customer
    assert eva is not None
    card = cast.browser(cast.ana).get(f"/customers/{eva.pk}").text
    assert f'href="/search/?customer={eva.pk}"' in card
    page = cast.browser(cast.ana).get(f"/search/?q=botas&customer={eva.pk}").text
    assert "Only letters of Eva." in page
    assert 'href="?q=botas"' in page
    assert f'<input type="hidden" name="customer" value="{eva.pk}">' in page


def test_the_top_of_every_page_has_the_field(cast: Cast) -> None:
    home = cast.browser(cast.ana).get("/").text
    assert '<form class="top-search" method="get" action="/search/"' in home
    assert "top-search" not in cast.browser(cast.ana).get("/search/").text
    assert "top-search" not in cast.browser().get("/sign-in/").text


def test_a_hostile_question_is_only_text(cast: Cast, account: CollectionAccount) -> None:
    evas(cast, account, written(subject="De Eva", body="botas"))
    for asked in (
        "%22",
        "%00",
        "botas%00",
        "AND",
        "')--",
        "<script>alert(1)</script>",
        "%ed%a0%80",
    ):
        page = cast.browser(cast.ana).get(f"/search/?q={asked}")
        assert page.status_code in (200, 400), asked
        assert "<script>alert" not in page.text


def test_fifty_letters_take_as_few_queries_as_one(
    cast: Cast, account: CollectionAccount, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    eva = evas(cast, account, written(subject="De Eva", body="botas")).customer
    many = [filed(eva, cast.shop) for _ in range(120)]
    index([indexable(one, text="botas") for one in many])
    index_all()
    browser = cast.browser(cast.ana)
    browser.get("/search/")
    for page, rows in (("", 50), ("&page=2", 50), ("&page=3", 21), ("&page=4", 0)):
        with django_assert_max_num_queries(18):
            shown = browser.get(f"/search/?q=botas{page}").text
        assert shown.count('<li class="letter-row') == rows
    assert Message.objects.count() == 121


def test_the_last_page_says_that_there_is_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, account: CollectionAccount
) -> None:
    monkeypatch.setattr("buzon.web.pages.search.LAST", 1)
    eva = evas(cast, account, written(subject="De Eva", body="botas")).customer
    index([indexable(filed(eva, cast.shop), text="botas") for _ in range(60)])
    index_all()
    page = cast.browser(cast.ana).get("/search/?q=botas&page=7").text
    assert page.count('<li class="letter-row') == 50
    assert "There are more; say more of what you look for" in page
