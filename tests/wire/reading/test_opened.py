"""A message of which first the header is read, and then all: as if each were read by itself."""

from pathlib import Path

import pytest

from buzon.wire.reading import Opened, read, read_header, split_header
from buzon.wire.reading.header import Header
from tests.wire.reading.corpus import golden_messages

GOLDEN = golden_messages()


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_in_whatever_order_it_is_asked(path: Path) -> None:
    octets = path.read_bytes()
    header, whole = read_header(split_header(octets)[0]), read(octets)
    first_header, first_whole = Opened(octets), Opened(octets)
    assert (first_header.header(), first_header.whole()) == (header, whole)
    assert (first_whole.whole(), first_whole.header()) == (whole, header)
    assert first_whole.whole() == whole


def test_what_is_odd_about_one_reading_is_not_told_by_the_other() -> None:
    octets = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nno part\r\n"
    opened = Opened(octets)
    before = opened.header().warnings
    assert set(opened.whole().warnings) > set(before)
    assert opened.header().warnings == before


def test_fields_that_cannot_be_read_stop_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no header")

    monkeypatch.setattr(Header, "parse", fails)
    opened = Opened(b"Subject: x\r\n\r\ntext")
    assert opened.header().warnings == ("unreadable: ValueError",)
    assert opened.whole().warnings == ("unreadable: ValueError",)
