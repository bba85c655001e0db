"""Where a header ends, and that its digest is the same however it reached us."""

import hashlib

import pytest

from buzon.wire.reading import read, read_header, split_header


@pytest.mark.parametrize(
    ("octets", "header", "body"),
    [
        (b"A: b\r\nC: d\r\n\r\nbody\r\n", b"A: b\r\nC: d", b"body\r\n"),
        (b"A: b\nC: d\n\nbody\n", b"A: b\nC: d", b"body\n"),
        (b"A: b\r\n\r\n", b"A: b", b""),
        (b"A: b\r\n", b"A: b", b""),
        (b"A: b", b"A: b", b""),
        (b"A: b\n\r\nx", b"A: b", b"x"),
        (b"A: b\r\n\r\n\r\nx", b"A: b", b"\r\nx"),
        (b"\r\nbody", b"", b"body"),
        (b"\n", b"", b""),
        (b"", b"", b""),
    ],
)
def test_split(octets: bytes, header: bytes, body: bytes) -> None:
    assert split_header(octets) == (header, body)


@pytest.mark.parametrize("ending", [b"", b"\r\n", b"\r\n\r\n"])
def test_digest_of_the_header_alone_is_that_of_the_message(ending: bytes) -> None:
    header = b"From: a@b.es\r\nSubject: x\r\n y"
    reading = read(header + b"\r\n\r\nbody")
    assert read_header(header + ending).header_digest == reading.header_digest
    assert reading.header_digest == hashlib.sha256(header).hexdigest()
    assert reading.body_digest == hashlib.sha256(b"body").hexdigest()


def test_fields_of_identity_are_as_written() -> None:
    reading = read(
        b"From: =?utf-8?q?A?=\r\n <a@b.es>\r\nDate: Tue,  5 Mar 2024 10:20 +0100\r\n\r\n"
    )
    assert reading.from_field == "=?utf-8?q?A?= <a@b.es>"
    assert reading.date_field == "Tue,  5 Mar 2024 10:20 +0100"
    assert reading.return_path is None


def test_stray_line_does_not_hide_the_fields_after_it() -> None:
    assert read(b"Subject: x\r\nstray\r\nFrom: a@b.es\r\n\r\nbody").from_[0].address == "a@b.es"
