"""The page of failed messages: what went wrong with each, and all ways to try them again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from buzon.desk.reasons import reason
from buzon.intake import ledger, vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
PAGE = "/quarantine/"
WHY = reason("not_understood", error="its octets are missing", template="its octets are missing")


@pytest.fixture
def account(cast: Cast, settings: Settings) -> CollectionAccount:
    settings.BUZON_KEYS = "first:" + "A" * 43 + "="
    return account_of(cast, "Pedidos")


def account_of(cast: Cast, name: str) -> CollectionAccount:
    return add_account(cast.shop, name=name, host="h.example", username="u", secret="s")


def fail(of: CollectionAccount, number: int = 1, **fields: Any) -> list[Arrival]:
    """So many rows that wait for a person, unless the fields say otherwise."""
    folder = of.folders.get()
    first = Arrival.objects.count() + 1
    fields = {"outcome": "failed", "reason": WHY, "attempts": 3, "size": 1234} | fields
    return Arrival.objects.bulk_create(
        Arrival(
            organization=of.organization, account=of, folder=folder, uidvalidity=1,
            uid=first + place, sender="zoe@stranger.example", **fields,
        )
        for place in range(number)
    )  # fmt: skip


def shown(page: Any) -> list[int]:
    return [int(part.split('"')[0]) for part in page.text.split('<tr id="arrival-')[1:]]


def waiting() -> set[int]:
    return set(Arrival.objects.filter(outcome="waiting").values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["3 messages failed", "1 is tried again by itself.", "2 wait for you.",
             "It could not be processed: its octets are missing", "tried 3 times",
             "it waits for you", "tried 1 time;", "only on the server", "download it (.eml)"],
        ),
        (
            "es",
            ["Han fallado 3 mensajes", "1 se reintenta solo.", "2 esperan a que usted decida.",
             "No se ha podido procesar: falta su contenido", "3 intentos",
             "espera a que usted decida", "1 intento;", "solo en el servidor",
             "descargarlo (.eml)"],
        ),
    ],
)  # fmt: skip
def test_what_went_wrong_and_what_comes_next(
    cast: Cast, account: CollectionAccount, language: str, words: list[str]
) -> None:
    (tried,) = fail(account, attempts=1, retry_at=timezone.now() + timedelta(minutes=10))
    (held,) = fail(account, sha256="ab" * 32)
    (header,) = fail(account, header_sha256="cd" * 32)
    fail(account, outcome="filed", reason=reason("known_customer"))
    page = cast.browser(cast.olga, language=language).get(PAGE)
    assert shown(page) == [header.pk, held.pk, tried.pk]
    for each in words:
        assert each in page.text.replace("&#39;", "'"), each
    for row in (held, header):
        assert f'href="/ledger/{row.pk}/raw"' in page.text
    assert f'href="/ledger/{tried.pk}/raw"' not in page.text


def test_the_octets_come_as_they_are(cast: Cast, account: CollectionAccount) -> None:
    octets = b"From: a@b.example\r\n\r\n\x00\xff odd\n"
    name = vault.digest(octets)
    vault.put(cast.shop.pk, [(name, octets)])
    (row,) = fail(account, sha256=name)
    got = cast.browser(cast.olga).get(f"/ledger/{row.pk}/raw")
    assert got.content == octets
    assert got.headers["Content-Disposition"] == f'attachment; filename="message-{row.pk}.eml"'


def test_all_of_them_or_those_of_one_mailbox(cast: Cast, account: CollectionAccount) -> None:
    other = account_of(cast, "Info")
    mine, theirs = fail(account, 3), fail(other, 2)
    browser = cast.browser(cast.olga)
    page = browser.get(f"{PAGE}?account={other.pk}")
    assert set(shown(page)) == {row.pk for row in theirs}
    assert "2 messages failed" in page.text
    assert "Try all of Info again" in page.text
    page = browser.post(f"{PAGE}?account={other.pk}", {"verb": "all"}, follow=True)
    assert "2 messages wait for the next collection." in page.text
    assert waiting() == {row.pk for row in theirs}
    assert set(shown(page)) == {row.pk for row in mine}
    page = browser.post(PAGE, {"verb": "all"}, follow=True)
    assert "3 messages wait" in page.text
    assert "No message has failed" in page.text
    assert len(waiting()) == 5


def test_the_ticked_ones(cast: Cast, account: CollectionAccount) -> None:
    first, _second, third = fail(account, 3)
    browser = cast.browser(cast.olga)
    assert "Tick the messages first." in browser.post(PAGE, {"verb": "retry"}).text
    chosen = {"verb": "retry", "ids": [first.pk, third.pk]}
    page = browser.post(PAGE, chosen, follow=True)
    assert "What you asked for" in page.text
    assert waiting() == {first.pk, third.pk}
    page = browser.post(PAGE, chosen)  # the button of an old page once more
    assert "is waiting: only failed messages can be retried." in page.text
    assert browser.post(PAGE, {"verb": "drop"}).status_code == 404


def test_where_nothing_is_collected_the_page_says_so(
    cast: Cast, account: CollectionAccount
) -> None:
    fail(account)
    CollectionAccount.objects.filter(pk=account.pk).update(active=False)
    page = cast.browser(cast.olga).post(PAGE, {"verb": "all"}, follow=True).text
    assert page.count("Pedidos is not being collected now") == 1


def test_ten_thousand_in_parts_with_few_queries(
    cast: Cast, account: CollectionAccount, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = fail(account, 10_000)
    browser = cast.browser(cast.olga)
    browser.get(PAGE)
    with django_assert_max_num_queries(12):
        page = browser.get(PAGE)
    assert "10,000 messages failed" in page.text
    assert page.text.count('type="checkbox" name="ids"') == ledger.AT_ONCE
    assert len(page.content) < 100_000
    older = f"{PAGE}?before={rows[-ledger.AT_ONCE].pk}"
    assert f'href="?{older.split("?")[1]}"' in page.text
    assert shown(browser.get(older))[0] == rows[-ledger.AT_ONCE].pk - 1
    with django_assert_max_num_queries(14):
        browser.post(PAGE, {"verb": "all"})
    assert not Arrival.objects.filter(outcome="failed").exists()


def test_it_is_the_administrators_and_each_organizations_own(
    cast: Cast, account: CollectionAccount
) -> None:
    (row,) = fail(account)
    assert cast.browser(cast.ana).get(PAGE).status_code == 404
    charlie = cast.browser(cast.charlie)
    assert shown(charlie.get(f"{PAGE}?account={account.pk}")) == []
    charlie.post(f"{PAGE}?account={account.pk}", {"verb": "all"})
    assert "no message" in charlie.post(PAGE, {"verb": "retry", "ids": [row.pk]}).text
    assert not waiting()


@pytest.mark.parametrize("query", ["account=x", "account=999999", "before=x", "before=٣"])
def test_an_address_that_makes_no_sense_shows_all(
    cast: Cast, account: CollectionAccount, query: str
) -> None:
    (row,) = fail(account)
    page = cast.browser(cast.olga).get(f"{PAGE}?{query}")
    assert (page.status_code, shown(page)) == (200, [row.pk])


def test_the_other_pages_lead_here(cast: Cast, account: CollectionAccount) -> None:
    (row,) = fail(account)
    browser = cast.browser(cast.olga)
    mine = f'href="{PAGE}?account={account.pk}"'
    assert mine in browser.get(f"/collection-accounts/{account.pk}").text
    assert mine in browser.get("/collection-accounts/").text
    assert f'href="{PAGE}"' in browser.get("/ledger/?outcome=failed").text
    assert f'href="{PAGE}"' in browser.get(f"/ledger/{row.pk}").text
    start = browser.get("/").text
    assert f'href="{PAGE}"' in start
    assert "1 message failed" in start
