"""What an administrator does on the page of an incoming mailbox, and who else cannot."""

from datetime import timedelta

import pytest
from django.utils import timezone

from buzon.desk.reasons import reason
from buzon.intake import vault
from buzon.intake.accounts import credentials_of
from buzon.intake.models import Arrival, CollectionAccount, Duty
from tests.web.accounts import (
    account_of,
    arrive,
    error_of,
    set_state,
    words,
)
from tests.web.cast import Cast

pytestmark = pytest.mark.django_db
LIST = "/collection-accounts/"


def test_a_stop_asks_its_question_and_goes_on_when_answered(cast: Cast) -> None:
    account = account_of(cast.shop)
    set_state(account, "stopped", reason("renumbered", folder="INBOX", found=1, expected=9))
    account.duties.update(due_at=None)
    browser = cast.browser(cast.olga)
    page = browser.get(f"{LIST}{account.pk}").text
    assert "Shall Buzón go on with this mailbox?" in page
    assert words(page).count("only 1 of 9 messages were found again.") == 1
    assert "Collect now" not in page
    spanish = cast.browser(cast.olga, language="es").get(f"{LIST}{account.pk}").text
    assert "¿Debe Buzón continuar con esta cuenta?" in spanish
    refused = browser.post(f"{LIST}{account.pk}/due", follow=True)
    assert "waits for a decision" in refused.text
    done = browser.post(f"{LIST}{account.pk}/resumption", follow=True)
    assert "Pedidos goes on." in done.text
    account.refresh_from_db()
    assert (account.state, account.accept_renumbering) == ("working", True)
    assert all(duty.due_at is not None for duty in Duty.objects.all())


def test_collect_now_makes_it_due(cast: Cast) -> None:
    account = account_of(cast.shop)
    later = timezone.now() + timedelta(hours=1)
    account.duties.update(due_at=later)
    page = cast.browser(cast.olga).post(f"{LIST}{account.pk}/due", follow=True)
    assert "Pedidos is being collected." in page.text
    assert all(duty.due_at < later for duty in Duty.objects.all())


def test_pause_and_go_on(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    page = browser.post(f"{LIST}{account.pk}/active", {"active": "no"}, follow=True).text
    assert "Pedidos is paused." in page
    assert "Paused" in words(page)
    assert "Let it go on" in page
    account.refresh_from_db()
    assert not account.active
    refused = cast.browser(cast.olga, language="es").post(f"{LIST}{account.pk}/due", follow=True)
    assert "Pedidos está en pausa: reanúdela antes." in refused.text
    browser.post(f"{LIST}{account.pk}/active", {"active": "yes"})
    account.refresh_from_db()
    assert account.active


def test_removing_says_what_goes_and_what_stays(cast: Cast) -> None:
    account = account_of(cast.shop)
    arrive(account, 1_234)
    digest = vault.digest(b"abc")
    vault.put(cast.shop.pk, [(digest, b"abc")])
    browser = cast.browser(cast.olga)
    page = words(browser.get(f"{LIST}{account.pk}/removal").text)
    assert "Remove Pedidos?" in page
    assert "1,234 rows of the ledger" in page
    assert CollectionAccount.objects.exists()
    done = browser.post(f"{LIST}{account.pk}/removal", follow=True)
    assert "Removed Pedidos and 1,234 rows of its ledger." in done.text
    assert not CollectionAccount.objects.exists()
    assert not Arrival.objects.exists()
    assert vault.get(cast.shop.pk, digest) == b"abc"


def test_the_only_copies_are_not_lost_with_their_account(cast: Cast) -> None:
    """Failed here, and no longer on the server."""
    account = account_of(cast.shop)
    arrive(account, 2, outcome="failed", gone_at=timezone.now())
    arrive(account, 3, outcome="failed")  # still on the server
    browser = cast.browser(cast.olga)
    asked = words(browser.get(f"{LIST}{account.pk}/removal").text)
    assert "2 messages are in no letter yet, and no longer on their server" in asked
    page = browser.post(f"{LIST}{account.pk}/removal").text
    assert "2 messages of Pedidos are in no letter yet" in error_of(page, "discard")
    assert Arrival.objects.count() == 5
    browser.post(f"{LIST}{account.pk}/removal", {"discard": "on"})
    assert not CollectionAccount.objects.exists()


def test_a_shown_certificate_is_trusted(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    address = f"{LIST}{account.pk}/certificate"
    page = browser.post(address, {"trust": "ab" * 32}, follow=True)
    assert "From now on Pedidos accepts exactly this certificate." in page.text
    account.refresh_from_db()
    assert account.pinned_sha256 == "ab" * 32
    assert credentials_of(account).secret == "s3cret-4711"
    refused = browser.post(address, {"trust": "nonsense"}, follow=True)
    assert "64 hexadecimal digits" in refused.text
    account.refresh_from_db()
    assert account.pinned_sha256 == "ab" * 32


PLACES = ["", "/change", "/removal"]
DEEDS = ["/due", "/active", "/resumption", "/certificate", "/check", "/removal", "/change"]


def test_nobody_else_sees_or_does_anything(cast: Cast) -> None:
    account = account_of(cast.shop)
    before = CollectionAccount.objects.values().get()
    for browser, status in (
        (cast.browser(cast.charlie), 404),
        (cast.browser(cast.ana), 404),
        (cast.browser(), 302),
    ):
        for place in PLACES:
            assert browser.get(f"{LIST}{account.pk}{place}").status_code == status, place
        for deed in DEEDS:
            assert browser.post(f"{LIST}{account.pk}{deed}").status_code == status, deed
    assert "Pedidos" not in cast.browser(cast.charlie).get(LIST).text
    assert cast.browser(cast.ana).get(LIST).status_code == 404
    assert CollectionAccount.objects.values().get() == before


def test_deeds_are_posted(cast: Cast) -> None:
    account = account_of(cast.shop)
    browser = cast.browser(cast.olga)
    for deed in ("/due", "/active", "/resumption", "/certificate", "/check"):
        assert browser.get(f"{LIST}{account.pk}{deed}").status_code == 405
