"""Mail of before: pausing a first download, leaving its rest, collecting it again."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from buzon.intake.models import CollectionAccount
from tests.web.accounts import account_of, arrive, words
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/collection-accounts/"


def downloading(account: CollectionAccount) -> None:
    """In the midst of a first download: 40 of 100 letters are here."""
    now = timezone.now()
    account.folders.update(
        baseline_at=now, history_begun_at=now, baseline_uidnext=101, low=61, high=100,
        history_total=100, history_octets=1_000, to_come=60, octets_to_come=600,
    )  # fmt: skip
    arrive(account, 40, of_history=True)


def test_a_first_download_is_paused_and_goes_on(cast: Cast) -> None:
    account = account_of(cast.shop)
    downloading(account)
    browser = cast.browser(cast.olga)
    assert "Pause the first download" in browser.get(f"{LIST}{account.pk}").text
    page = browser.post(f"{LIST}{account.pk}/history", {"verb": "pause"}, follow=True).text
    assert "New letters are collected all the same." in page
    assert "First download paused" in page
    spanish = cast.browser(cast.olga, language="es").get(LIST).text
    assert "Primera descarga en pausa" in spanish
    page = browser.post(f"{LIST}{account.pk}/history", {"verb": "resume"}, follow=True).text
    assert "goes on." in page
    assert "First download paused" not in page


def test_a_first_download_that_is_over_is_not_paused(cast: Cast) -> None:
    account = account_of(cast.shop)
    downloading(account)
    CollectionAccount.objects.update(history_done_at=timezone.now())
    browser = cast.browser(cast.olga, language="es")
    page = browser.post(f"{LIST}{account.pk}/history", {"verb": "pause"}, follow=True).text
    assert "no queda nada por llegar" in page
    assert "Pausar la primera descarga" not in page


def test_the_rest_is_left_after_asking_once_more(cast: Cast) -> None:
    account = account_of(cast.shop)
    downloading(account)
    browser = cast.browser(cast.olga)
    address = f"{LIST}{account.pk}/history/cancelling"
    assert "60 letters of before have not come yet." in words(browser.get(address).text)
    assert account.folders.get().cancelled_at is None
    page = words(browser.post(address, follow=True).text)
    assert "60 letters stay on the server of" in page
    CollectionAccount.objects.update(history_done_at=timezone.now())
    page = words(browser.get(f"{LIST}{account.pk}").text)
    assert "The first download was ended: 60 letters stay on the server" in page


def test_collecting_again_from_a_day(cast: Cast) -> None:
    account = account_of(cast.shop, start="now")
    browser = cast.browser(cast.olga)
    address = f"{LIST}{account.pk}/again"
    assert "was not looked at yet" in browser.post(address, {"since": ""}).text
    downloading(account)
    assert "Enter a valid date" in browser.post(address, {"since": "soon"}).text
    later = (timezone.localdate() + timedelta(days=3)).isoformat()
    spanish = cast.browser(cast.olga, language="es").post(address, {"since": later}).text
    assert "Ese día aún no ha llegado." in spanish
    assert not account.folders.get().list_again
    page = browser.post(address, {"since": "2026-01-31"}, follow=True).text
    assert "is being looked through again" in page
    account.refresh_from_db()
    assert (account.start, account.start_date) == ("date", date(2026, 1, 31))
    assert account.folders.get().list_again
