"""A text longer than anybody reads is cut; as an attachment, or in the octets, it is whole."""

import pytest

from buzon.wire.reading import attachment_octets, read
from buzon.wire.reading.body import TEXT_LIMIT

LINE = "El pedido no llegó, señor.\r\n".encode()
LONG = LINE * (TEXT_LIMIT // len(LINE) + 1)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_long_text_is_cut_and_says_so(kind: str) -> None:
    head = (
        b"From: Eva <eva@x.example>\r\nContent-Type: text/%b; charset=utf-8\r\n\r\n" % kind.encode()
    )
    reading = read(head + LONG)
    assert reading.warnings == (f"text-cut: {TEXT_LIMIT}",)
    assert reading.text.startswith("El pedido no llegó, señor.")
    assert max(len(reading.text), len(reading.html)) <= TEXT_LIMIT
    assert reading.body_digest == read(head + LONG).body_digest != read(head + LINE).body_digest


def test_one_at_the_limit_is_whole() -> None:
    text = b"x" * TEXT_LIMIT
    reading = read(b"From: Eva <eva@x.example>\r\n\r\n" + text)
    assert (reading.text, reading.warnings) == (text.decode(), ())


def test_a_long_attachment_is_whole() -> None:
    octets = (
        b"From: Eva <eva@x.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHola.\r\n--b\r\n"
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n"
        + LONG
        + b"\r\n--b--\r\n"
    )
    reading = read(octets)
    (attachment,) = reading.attachments
    assert (reading.text, reading.warnings) == ("Hola.", ())
    assert attachment_octets(octets, attachment.part) == LONG
