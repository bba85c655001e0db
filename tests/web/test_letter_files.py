"""A letter's files: harmless to save, whatever their names; letters too large; blocked senders."""

import hashlib
from typing import Any

import pytest

from buzon.desk.customers import add_customer
from buzon.desk.models import BlockedSender
from buzon.intake.models import Arrival, CollectionAccount
from tests.web.cast import Cast
from tests.web.letters import collected, evas, oversized, shown, with_files, written

pytestmark = pytest.mark.django_db


# Files


def test_an_attachment_is_a_download_that_no_browser_runs(
    cast: Cast, account: CollectionAccount
) -> None:
    octets = b"<script>alert(1)</script>"
    message = evas(cast, account, with_files(("factura.html", "text/html", octets)))
    page = shown(cast.browser(cast.ana), message)
    place = page.split(f"/letters/{message.pk}/attachments/")[1].split('"')[0]
    answer = cast.browser(cast.ana).get(f"/letters/{message.pk}/attachments/{place}")
    assert answer.content == octets
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Content-Disposition"] == 'attachment; filename="factura.html"'


@pytest.mark.parametrize(
    ("name", "kind", "told", "content_type"),
    [
        ("../../etc/passwd", "text/x-sh", '"etc_passwd.sh"', "application/octet-stream"),
        ("C:\\autoexec.bat", "text/plain", '"C_autoexec.bat"', "application/octet-stream"),
        ("factura\u202efdp.exe", "application/pdf", '"facturafdp.exe"', "application/octet-stream"),
        ("fo\u200bto.png", "image/png", '"foto.png"', "image/png"),
        ("dibujo.svg", "image/svg+xml", '"dibujo.svg"', "application/octet-stream"),
        ("año €.pdf", "application/pdf", "utf-8''a%C3%B1o%20%E2%82%AC.pdf",
         "application/octet-stream"),
        ("con.txt", "text/plain", '"_con.txt"', "application/octet-stream"),
    ],
)  # fmt: skip
def test_evil_names_are_saved_harmless(
    cast: Cast, account: CollectionAccount, name: str, kind: str, told: str, content_type: str
) -> None:
    message = evas(cast, account, with_files((name, kind, b"octets")))
    page = shown(cast.browser(cast.ana), message)
    assert "\u202e" not in page
    assert "\u200b" not in page
    assert "../" not in page
    place = page.split(f"/letters/{message.pk}/attachments/")[1].split('"')[0]
    answer = cast.browser(cast.ana).get(f"/letters/{message.pk}/attachments/{place}")
    assert told in answer["Content-Disposition"]
    assert answer["Content-Type"] == content_type


def test_an_attachment_that_is_not_there_does_not_exist(
    cast: Cast, account: CollectionAccount
) -> None:
    message = evas(cast, account, with_files(("a.txt", "text/plain", b"a")))
    for part in (0, 1, 99):  # the containers, and the letter's own text, are no attachments
        answer = cast.browser(cast.ana).get(f"/letters/{message.pk}/attachments/{part}")
        assert answer.status_code == 404


def test_the_original_is_what_was_received(cast: Cast, account: CollectionAccount) -> None:
    octets = written(body="exact \xa0 octets")
    message = evas(cast, account, octets)
    answer = cast.browser(cast.ana).get(f"/letters/{message.pk}/raw")
    assert hashlib.sha256(answer.content).hexdigest() == message.sha256
    assert answer.content == octets
    assert answer["Content-Disposition"] == f'attachment; filename="letter {message.pk}.eml"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


# Larger than the limit

BIG: dict[str, Any] = {
    "content_type": "multipart/mixed",
    "filename": "",
    "size": 0,
    "parts": [
        {"content_type": "text/plain", "filename": "", "size": 90, "parts": []},
        {"content_type": "video/mp4", "filename": "vídeo.mp4", "size": 80_000_000, "parts": []},
    ],
}


def test_an_oversized_letter_is_fetched_when_asked_for(
    cast: Cast, account: CollectionAccount
) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    message = oversized(account, written(subject="Un vídeo"), size=80_000_900, structure=BIG)
    browser = cast.browser(cast.ana)
    page = shown(browser, message)
    assert "only its header was collected" in page
    assert "vídeo.mp4" in page
    assert "not downloaded" in page
    assert "Fetch the whole letter (80 MB)" in page
    assert browser.get(f"/letters/{message.pk}/raw").status_code == 404
    answer = browser.post(f"/letters/{message.pk}/fetch", follow=True)
    assert "The letter is downloaded with the next collection." in answer.text
    assert "It was asked for" in answer.text
    arrival = Arrival.objects.get(message=message)
    assert (arrival.outcome, arrival.asked_by_person) == ("waiting", True)


def test_an_oversized_letter_that_is_gone_cannot_be_fetched(
    cast: Cast, account: CollectionAccount
) -> None:
    add_customer(cast.shop, addresses=["eva@example.com"], agent=cast.ana)
    message = oversized(account, written(), size=80_000_900, structure={})
    Arrival.objects.update(gone_at=message.received_at)
    page = cast.browser(cast.ana).post(f"/letters/{message.pk}/fetch", follow=True).text
    assert page.count("It is no longer on the server.") == 1
    assert "The letter is no longer on the server." in page


# Blocking


@pytest.mark.parametrize(
    ("written_", "pattern"),
    [("spam@x.example", "spam@x.example"), ("@x.example", "@x.example")],
)
def test_a_letters_sender_is_blocked(
    cast: Cast, account: CollectionAccount, written_: str, pattern: str
) -> None:
    message = collected(account, written("Spam <Spam@X.example>"))[0]
    browser = cast.browser(cast.olga)
    form = browser.get(f"/letters/{message.pk}/blocking").text
    assert form.count('type="radio" name="written"') == 2
    assert "everybody who writes from @x.example" in form
    page = browser.post(f"/letters/{message.pk}/blocking", {"written": written_}, follow=True)
    assert f"Mail from {pattern} is ignored from now on." in page.text
    assert BlockedSender.objects.get().pattern == pattern


def test_nobody_else_is_blocked_than_the_sender(cast: Cast, account: CollectionAccount) -> None:
    message = collected(account, written("Spam <spam@x.example>"))[0]
    page = cast.browser(cast.olga, language="es").post(
        f"/letters/{message.pk}/blocking", {"written": "eva@example.com"}
    )
    assert "Escoja una opción válida." in page.text
    assert not BlockedSender.objects.exists()


def test_an_agent_blocks_nobody(cast: Cast, account: CollectionAccount) -> None:
    message = evas(cast, account, written())
    assert cast.browser(cast.ana).get(f"/letters/{message.pk}/blocking").status_code == 404
