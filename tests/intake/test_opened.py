"""A filed letter opened again: every shape of its octets, and of their absence."""

from typing import Any

import pytest

from buzon.desk.filing import file_letter
from buzon.desk.models import Message, Organization
from buzon.intake import vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, RawMessage
from buzon.intake.opened import open_attachment, open_letter, raw_octets
from tests.desk import cast

pytestmark = pytest.mark.django_db

TWO_PARTS = (
    b"From: eva@example.com\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nHola.\r\n--b\r\nContent-Type: text/plain\r\n"
    b"Content-Disposition: attachment; filename=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"b2N0ZXRz\r\n--b--\r\n"
)


@pytest.fixture
def shop(db: None) -> Organization:
    return cast.organization()


def filed(shop: Organization, octets: bytes | None, **fields: Any) -> Message:
    name = vault.digest(octets) if octets is not None else ""
    if octets is not None:
        vault.put(shop.pk, [(name, octets)])
    letter = cast.letter(shop, sha256=name, **fields)
    return file_letter(letter, customer=None, link={}).message


def oversized(shop: Organization, header: bytes, structure: dict[str, Any]) -> Message:
    message = filed(shop, None)
    account = add_account(shop, name="sales", host="h.example", username="u", secret="s")
    name = vault.digest(header)
    vault.put(shop.pk, [(name, header)])
    Arrival.objects.create(
        organization=shop,
        account=account,
        folder=account.folders.get(),
        uid=1,
        outcome="oversized",
        header_sha256=name,
        structure=structure,
        message=message,
    )
    return message


def test_text_and_attachments_are_read_from_the_octets(shop: Organization) -> None:
    message = filed(shop, TWO_PARTS)
    opened = open_letter(message)
    assert opened.reading is not None
    assert opened.trouble == ""
    assert opened.reading.text.strip() == "Hola."
    (attached,) = opened.reading.attachments
    assert open_attachment(message, attached.part) == (attached, b"octets")
    assert raw_octets(message) == TWO_PARTS


@pytest.mark.parametrize("part", [-1, 0, 1, 3, 10_000])
def test_what_is_no_attachment_is_not_opened(shop: Organization, part: int) -> None:
    message = filed(shop, TWO_PARTS)
    with pytest.raises(LookupError):
        open_attachment(message, part)


@pytest.mark.parametrize("octets", [b"", b"\x00\xff\r\n\r\n", b"Subject: only a header"])
def test_any_octets_have_a_reading(shop: Organization, octets: bytes) -> None:
    assert open_letter(filed(shop, octets)).reading is not None


def test_missing_octets_are_a_sentence(shop: Organization) -> None:
    message = filed(shop, TWO_PARTS)
    RawMessage.objects.all().delete()
    opened = open_letter(message)
    assert opened.reading is None
    assert "are missing" in opened.trouble
    with pytest.raises(vault.NotHeld):
        raw_octets(message)


def test_octets_of_another_organization_are_not_these(shop: Organization) -> None:
    message = filed(shop, TWO_PARTS)
    RawMessage.objects.update(organization=cast.organization())
    assert open_letter(message).reading is None


def test_damaged_octets_are_a_sentence(shop: Organization) -> None:
    message = filed(shop, TWO_PARTS)
    RawMessage.objects.update(octets=b"something else")
    opened = open_letter(message)
    assert opened.reading is None
    assert "is damaged" in opened.trouble


def test_of_an_oversized_letter_header_and_named_files(shop: Organization) -> None:
    inner = {"content_type": "video/mp4", "filename": "v.mp4", "size": 9, "parts": []}
    structure = {"content_type": "multipart/mixed", "filename": "", "size": 0, "parts": [inner]}
    message = oversized(shop, b"From: eva@example.com\r\nSubject: Film\r\n\r\n", structure)
    opened = open_letter(message)
    assert opened.reading is not None
    assert opened.reading.subject == "Film"
    assert [(one.filename, one.size) for one in opened.parts] == [("v.mp4", 9)]
    with pytest.raises(vault.NotHeld):
        open_attachment(message, 1)


def test_an_oversized_letter_whose_header_is_gone_is_a_sentence(shop: Organization) -> None:
    message = oversized(shop, b"Subject: Film\r\n\r\n", {})
    RawMessage.objects.all().delete()
    assert "are missing" in open_letter(message).trouble
    Arrival.objects.all().delete()
    assert "are missing" in open_letter(message).trouble
