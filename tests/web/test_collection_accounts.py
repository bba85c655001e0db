"""The list of incoming mailboxes and the page of one: state, progress, counts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from buzon.desk.reasons import reason
from buzon.intake.models import CollectionAccount
from buzon.wire.errors import AuthRejected, ConnectFailed, MailError, Throttled, TlsRefused
from tests.web.accounts import (
    account_of,
    arrive,
    fails,
    set_state,
    words,
)
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/collection-accounts/"


def test_the_list_shows_each_account_with_its_counts(cast: Cast) -> None:
    account = account_of(cast.shop, store=cast.store, create_customer=True, group=cast.group)
    arrive(account, 1_200)
    arrive(account, 2, outcome="failed", sha256="")
    browser = cast.browser(cast.olga)
    CollectionAccount.objects.update(last_collected_at=timezone.now() - timedelta(seconds=20))
    account.duties.update(due_at=timezone.now() + timedelta(seconds=40))
    page = browser.get(LIST).text
    told = words(page)
    assert "Pedidos pedidos@example.com IMAP · imap.example.com:993 Norte" in told
    assert "Working" in told
    assert re.search(r"2\d s ago in (3\d|40) s", told)
    assert f'href="/ledger/?account={account.pk}&amp;outcome=filed"><span>Filed</span> ' in page
    assert "<strong>1,200</strong>" in page
    assert f'href="/quarantine/?account={account.pk}"' in page
    assert "outcome=skipped" not in page
    assert "1 of 10 in use" in told
    spanish = words(cast.browser(cast.olga, language="es").get(LIST).text)
    assert "Archivado 1 200" in spanish
    assert "En uso: 1 de 10" in spanish


def test_an_empty_list_leads_to_the_form(cast: Cast) -> None:
    page = cast.browser(cast.olga).get(LIST).text
    assert "No incoming mailbox yet" in page
    assert 'href="/collection-accounts/new"' in page


def test_r1_a_full_list_says_so_instead_of_offering_the_form(
    cast: Cast, settings: Settings
) -> None:
    settings.BUZON_MAX_ACCOUNTS = 1
    account_of(cast.shop)
    page = cast.browser(cast.olga).get(LIST).text
    assert "There cannot be more than these." in page
    assert 'href="/collection-accounts/new"' not in page


def test_the_list_refreshes_itself_by_a_part(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    assert 'hx-get="/collection-accounts/?part=rows"' in browser.get(LIST).text
    part = browser.get(LIST, {"part": "rows"}).text
    assert "<html" not in part
    # What has the focus gets it again: it has a name of its own.
    assert f'id="account-{account.pk}"' in part
    assert all("id=" in tag for tag in re.findall(r"<a [^>]*>", part))
    page = browser.get(f"{LIST}{account.pk}")
    assert f'hx-get="/collection-accounts/{account.pk}?part=state"' in page.text
    assert f'hx-get="/collection-accounts/{account.pk}?part=mail"' in page.text
    assert "<html" not in browser.get(f"{LIST}{account.pk}", {"part": "state"}).text
    mail = browser.get(f"{LIST}{account.pk}", {"part": "mail"}).text
    assert "<html" not in mail
    assert all("id=" in tag for tag in re.findall(r"<a [^>]*>", mail))


def test_r14_a_first_download_shows_how_far_it_is(cast: Cast) -> None:
    account = account_of(cast.shop)
    begun = timezone.now() - timedelta(minutes=5)
    account.folders.update(
        baseline_at=begun,
        history_begun_at=begun,
        history_total=2_000,
        history_octets=2_000_000,
        to_come=1_800,
        octets_to_come=1_800_000,
        pace=[[0.0, 1_950, 1_950_000], [45.0, 1_800, 1_800_000]],
    )
    until = timezone.now() + timedelta(minutes=1)
    account.duties.filter(kind="collect").update(lease_owner="worker", lease_until=until)
    for address in (LIST, f"{LIST}{account.pk}"):
        told = words(cast.browser(cast.olga).get(address).text)
        assert "First download" in told
        assert "200 of 2,000 letters (10%), the newest first" in told
        assert "200 kB of 2.0 MB downloaded · 3 letters a second · about 9 minutes left" in told
    spanish = words(cast.browser(cast.olga, language="es").get(LIST).text)
    assert "200 de 2 000 cartas (10 %), primero las más recientes" in spanish
    assert "tiempo restante: unos 9 minutos" in spanish


FAILING: list[tuple[str, MailError, tuple[str, str], tuple[str, str]]] = [
    (
        "rejected",
        AuthRejected("The server does not accept this login.", answer="[AUTH] No"),
        ("Rejected by the server", "The server said: [AUTH] No. Check the user name"),
        ("Rechazada por el servidor", "El servidor dijo: [AUTH] No."),
    ),
    (
        "unreachable",
        ConnectFailed("The server's name {host} was not found; check how it is written.", host="h"),
        ("Server out of reach", "Buzón tries again by itself. If it lasts"),
        ("Servidor inaccesible", "Buzón lo vuelve a intentar solo."),
    ),
    (
        "rejected",
        TlsRefused("The certificate of {host} is not trusted: {why}.", host="h", why="x"),
        ("Rejected by the server", "it shows the certificate"),
        ("Rechazada por el servidor", "le mostrará el certificado"),
    ),
    (
        "throttled",
        Throttled("The server asks for a pause."),
        ("Slowed down by the server", "there is nothing for you to do"),
        ("servidor", "usted no tiene que hacer nada"),
    ),
]


@pytest.mark.parametrize(("state", "error", "english", "spanish"), FAILING)
def test_a_failing_account_says_why_and_what_to_do(
    cast: Cast, state: str, error: MailError, english: tuple[str, str], spanish: tuple[str, str]
) -> None:
    account = account_of(cast.shop)
    fails(account, state, error)
    for language, parts in (("en", english), ("es", spanish)):
        browser = cast.browser(cast.olga, language=language)
        for address in (LIST, f"{LIST}{account.pk}"):
            told = words(browser.get(address).text)
            assert all(part in told for part in parts), told


def test_one_that_is_behind_says_so(cast: Cast) -> None:
    set_state(account_of(cast.shop), "behind", reason("behind", kind="Behind"))
    pages = {"en": "all workers are busy with other accounts", "es": "aumente BUZON_WORKERS"}
    for language, part in pages.items():
        assert part in words(cast.browser(cast.olga, language=language).get(LIST).text)


def test_one_whose_history_waits_for_another_day_says_until_when(cast: Cast) -> None:
    why = reason("day_limit", kind="DayLimit", host="imap.gmail.com", limit=2500, hours=7)
    set_state(account_of(cast.shop), "throttled", why)
    pages = {
        "en": ("at most 2500 MB a day", "in about 7 h.", "There is nothing for you to do."),
        "es": ("como mucho 2500 MB al día", "dentro de unas 7 h.", "No tiene que hacer nada."),
    }
    for language, parts in pages.items():
        told = words(cast.browser(cast.olga, language=language).get(LIST).text)
        assert all(part in told for part in parts), told


def test_nobody_collecting_is_said(cast: Cast) -> None:
    account = account_of(cast.shop)
    account.duties.update(due_at=timezone.now() - timedelta(minutes=9))
    browser = cast.browser(cast.olga)
    assert "due since" in browser.get(LIST).text
    assert "nobody collects" in browser.get(f"{LIST}{account.pk}").text
    account.duties.update(
        lease_owner="worker", lease_until=timezone.now() + timedelta(minutes=1)
    )  # fmt: skip
    assert "under way" in words(browser.get(LIST).text)
    assert "nobody collects" not in browser.get(f"{LIST}{account.pk}").text


def test_customers_for_nobody_are_said(cast: Cast) -> None:
    """R10."""
    account_of(cast.shop, create_customer=True)
    assert "no group is chosen" in cast.browser(cast.olga).get(LIST).text


@pytest.mark.parametrize(
    ("language", "why", "answers"),
    [
        (
            "en",
            {"renumbered": "Perhaps it was emptied", "renumbered_often": "is being repaired"},
            ["nothing is deleted there for it", "wrong mailbox or the wrong server",
             "What arrives waits there", "Deleting what was downloaded goes on as well."],
        ),
        (
            "es",
            {"renumbered": "Quizá se vació", "renumbered_often": "se esté reparando"},
            ["no se elimina nada allí por ello", "el buzón o el servidor equivocado",
             "Lo que llegue espera allí", "También se sigue eliminando lo ya descargado."],
        ),
    ],
)  # fmt: skip
def test_each_answer_says_what_it_does(
    cast: Cast, language: str, why: dict[str, str], answers: list[str]
) -> None:
    account = account_of(cast.shop, after="delete")
    details = {"folder": "INBOX", "found": 1, "expected": 9, "times": 3}
    browser = cast.browser(cast.olga, language=language)
    for code, explained in why.items():
        set_state(account, "stopped", reason(code, **details))
        told = words(browser.get(f"{LIST}{account.pk}").text)
        for each in (explained, *answers):
            assert each in told, (code, each)
        assert [one in told for one in why.values()].count(True) == 1
    CollectionAccount.objects.update(after="leave")
    assert answers[-1] not in words(browser.get(f"{LIST}{account.pk}").text)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "no letter is lost after a restore: what the backup lacks is collected again"),
        (
            "es",
            "no se pierde ninguna carta al restaurar: lo que falte en la copia se vuelve a recoger",
        ),
    ],
)
def test_where_deletion_is_switched_on_stands_what_makes_a_restore_safe(
    cast: Cast, language: str, told: str
) -> None:
    browser = cast.browser(cast.olga, language=language)
    assert told in words(browser.get(f"{LIST}new").text)


def test_the_page_shows_folders_ledger_and_failures(cast: Cast) -> None:
    account = account_of(cast.shop, folders=["INBOX"], sent_folders=["Enviados"])
    account.folders.filter(name="INBOX").update(
        baseline_at=timezone.now(), history_total=100, low=61, outside=7, to_come=60
    )
    arrive(account, 40, of_history=True, sender="eva@example.com", reason=reason("known_customer"))
    failing = {"reason": reason("not_understood", error="x"), "attempts": 3, "sha256": ""}
    arrive(account, 1, outcome="failed", sender="roto@example.com", **failing)
    told = words(cast.browser(cast.olga).get(f"{LIST}{account.pk}").text)
    # on the server, in the ledger, still to come, outside the window
    assert "INBOX 108 41 60 7" in told
    assert "Enviados sent letters not looked at yet 0 0 0 0" in told
    assert "eva@example.com Filed The sender is a customer" in told
    assert "Messages that failed" in told
    assert told.count("roto@example.com") == 2
    assert "tried 3 times; it waits for you" in told


def test_the_list_takes_no_more_queries_for_fifty(
    cast: Cast, settings: Settings, django_assert_max_num_queries: Any
) -> None:
    settings.BUZON_MAX_ACCOUNTS = 50
    for number in range(50):
        account = account_of(cast.shop, f"a{number}", store=cast.store, group=cast.group)
        account.folders.update(history_begun_at=timezone.now(), history_total=9, to_come=5)
        arrive(account, 2, of_history=True)
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(17):
        assert _shown(browser, LIST) == 50
    with django_assert_max_num_queries(15):
        assert _shown(browser, LIST + "?part=rows") == 50


def test_the_page_takes_no_more_queries_for_a_full_ledger(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    names = [f"f{number}" for number in range(50)]
    account = account_of(cast.shop, folders=names, store=cast.store, group=cast.group)
    arrive(account, 60)
    arrive(account, 60, outcome="failed", sha256="")
    browser = cast.browser(cast.olga)
    with django_assert_max_num_queries(20):
        page = browser.get(f"{LIST}{account.pk}").text
    assert page.count('data-label="On the server"') == 50
    with django_assert_max_num_queries(14):
        browser.get(f"{LIST}{account.pk}/change")


def _shown(browser: Client, address: str) -> int:
    return browser.get(address).text.count('<td class="account-state">')
