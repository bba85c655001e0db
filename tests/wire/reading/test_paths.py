"""The fast path is taken for everyday mail, and says what the tolerant path says."""

import dataclasses
from pathlib import Path

import pytest

from buzon.wire.reading import read
from buzon.wire.reading.body import read_body
from buzon.wire.reading.fast import Unaccounted, fast_tree
from buzon.wire.reading.header import Header, split_header
from buzon.wire.reading.tolerant import tolerant_tree
from buzon.wire.reading.values import Oddities
from tests.wire.reading.corpus import collected, golden_messages, needs_others

EVERYDAY = [
    "alternative",
    "alternative-inside-mixed-with-invoice",
    "inline-image",
    "text-image-text",
    "text-file-attached",
    "forwarded-message",
    "bounce-dsn",
    "filename-rfc2231",
    "filename-encoded-word",
]


def by_fast_path(octets: bytes):
    odd = Oddities()
    return read_body(fast_tree(octets, Header.parse(split_header(octets)[0], odd), odd), odd)


@pytest.mark.parametrize("name", EVERYDAY)
def test_everyday_mail_takes_the_fast_path(name: str) -> None:
    path = next(p for p in golden_messages() if p.stem == name)
    by_fast_path(path.read_bytes())


def assert_paths_agree(path: Path) -> bool:
    octets = path.read_bytes()
    try:
        fast = by_fast_path(octets)
    except Unaccounted:
        return False
    odd = Oddities()
    tolerant = read_body(tolerant_tree(octets, odd), odd)
    # A last line end in quoted-printable is the one thing they may differ in.
    fast, tolerant = (
        dataclasses.replace(b, text=b.text.rstrip(), html=b.html.rstrip()) for b in (fast, tolerant)
    )
    assert fast == tolerant
    return True


@pytest.mark.parametrize("path", golden_messages(), ids=lambda path: path.stem)
def test_paths_agree_on_the_golden_corpus(path: Path) -> None:
    assert_paths_agree(path)


@needs_others
def test_paths_agree_on_collected_messages() -> None:
    taken = sum(assert_paths_agree(path) for path in collected("", ".eml", ".msg", ".raw", ".txt"))
    assert taken >= 250


def test_same_octets_same_reading() -> None:
    for path in golden_messages():
        assert read(path.read_bytes()) == read(bytes(bytearray(path.read_bytes())))
