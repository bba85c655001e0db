"""Whatever the octets: a reading, storable, the same each time, in linear time."""

import dataclasses
import encodings.aliases
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzon.wire.reading import Reading, attachment_octets, read, read_header
from buzon.wire.reading.addresses import ADDRESSES_LIMIT
from buzon.wire.reading.header import HEADER_LIMIT
from tests.wire.reading import greedy
from tests.wire.reading.corpus import golden_octets

GOLDEN = golden_octets()
HEAD = b"From: a@b.es\r\nSubject: x\r\n"


def assert_sound(reading: Reading) -> None:
    for text in texts_of(reading):
        assert "\0" not in text
        text.encode("utf-8")
    assert not [w for w in reading.warnings if w.startswith("unreadable")]
    if reading.date is not None:
        assert reading.date.utcoffset() is not None
    assert all(len(a.address) <= 320 for a in reading.from_)


def texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts_of(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts_of(getattr(value, field.name))


def assert_reads(octets: bytes) -> Reading:
    reading = read(octets)
    assert_sound(reading)
    assert_sound(read_header(octets))
    for attachment in reading.attachments[:3]:
        assert len(attachment_octets(octets, attachment.part)) == attachment.size
    return reading


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3_000))
def test_any_octets(octets: bytes) -> None:
    assert assert_reads(octets) == read(octets)


LINES = st.sampled_from(
    [
        b"From: a@b", b"Subject: =?utf-8?q?=C3", b"\r\n", b"--x", b"--x--", b" folded",
        b"\0\xff\xfe",
        b"Content-Type: multipart/mixed; boundary=x", b"Content-Type: message/rfc822",
        b"Content-Type: multipart/digest; boundary=x", b"Content-Type: text/html; charset=utf-16",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x", b"AAA=", b"=E",
        b"Content-Type: message/delivery-status", b"Final-Recipient: rfc822; a@b",
        b"Return-Path: <>",
        b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%B1", b"From: <",
        b"Date: Tue, 5 Mar 0000 10:20:30 +9999", b"Date: 31 Dec 9999 23:59:59 -0900", b'To: "a, (',
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES, max_size=40))
def test_any_pile_of_mail_lines(lines: list[bytes]) -> None:
    assert_reads(b"\r\n".join(lines))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(GOLDEN), st.randoms(use_true_random=False))
def test_any_mutation_of_the_corpus(octets: bytes, chance: random.Random) -> None:
    assert_reads(mutated(octets, chance))


def mutated(octets: bytes, chance: random.Random) -> bytes:
    data = bytearray(octets)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        way = chance.randrange(4)
        if way == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif way == 1:
            del data[at : at + chance.randrange(80)]
        elif way == 2:
            data[at:at] = data[max(0, at - chance.randrange(200)) : at]
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(8)))
    return bytes(data)


@pytest.mark.parametrize("codec", sorted({*encodings.aliases.aliases.values(), "undefined"}))
def test_every_codec_of_python_as_charset(codec: str) -> None:
    content_type = f"Content-Type: text/plain; charset={codec}\r\n".encode()
    assert_reads(HEAD + content_type + b"\r\n\xe1\xe9 +2AA- \\ud800 \x1b$B \0" + b"xn--" * 50)
    assert_reads(b"Subject: =?" + codec.encode() + b"?q?=D8=00=E1a?=\r\n\r\n")


MIXED = b"Content-Type: multipart/mixed; boundary="


def nested(depth: int) -> bytes:
    return HEAD + b"".join(
        MIXED + b"b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth)
    ) + b"Content-Type: text/plain\r\n\r\nhola\r\n"  # fmt: skip


HUGE = {
    "nesting of 2,000": lambda: nested(2_000),
    "messages in messages": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3_000 + b"x",
    "100,000 recipients": lambda: (
        HEAD + b"To: " + b",\r\n ".join(b"c%d@example.es" % i for i in range(100_000)) + b"\r\n\r\n"
    ),
    "a line of 10 MB": lambda: HEAD + b"\r\n" + b"x" * 10_000_000,
    "a header line of 10 MB": lambda: HEAD + b"To: " + b"x" * 10_000_000 + b"\r\n\r\n",
    "a subject of 10 MB": lambda: b"Subject: " + b"=?utf-8?q?a? " * 800_000 + b"\r\n\r\n",
    "60 kB of spaces": lambda: HEAD + b"To:" + b" " * 60_000 + b"x\r\n\r\n" + b" " * 60_000 + b"y",
    "no header's end": lambda: HEAD * 30_000,
    "a million delimiters": lambda: HEAD + MIXED + b"x\r\n\r\n" + b"--x\r\n" * 1_000_000,
    "a million odd lines": lambda: HEAD + MIXED + b"x\r\n\r\n" + b"--\r\n--y\r\n" * 500_000,
    "20,000 parts": lambda: HEAD + MIXED + b"x\r\n\r\n" + b"--x\r\nA: b\r\n\r\nc\r\n" * 20_000,
    "containers without end": lambda: (
        HEAD + MIXED + b"x\r\n\r\n" + (b"--x\r\n" + MIXED + b"y\r\n\r\n") * 9_000
    ),
    "base64 full of padding": lambda: (
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AA=\r\n" * 800_000
    ),
    "html of open brackets": lambda: (
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<a \"<!--<script>'<!" * 100_000
    ),
    "html of nested tags": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300_000,
    "references": lambda: HEAD + b"References: " + b"<a@b> <" * 500_000 + b"\r\n\r\n",
    "a parameter of semicolons": lambda: (
        HEAD + b"Content-Type: text/plain; " + b'a="; ' * 200_000 + b"\r\n\r\n"
    ),
    "quoted printable": lambda: (
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"= \t" * 2_000_000
    ),
    "a report of blank lines": lambda: (
        b"From: mailer-daemon@x.es\r\n\r\n" + b"\r\n \t" * 500_000 + b"message-id:" * 50_000
    ),
}


@pytest.mark.parametrize("case", HUGE)
def test_huge_or_deep_is_read_in_time(case: str) -> None:
    octets = HUGE[case]()
    started = time.process_time()
    reading = read(octets)
    took = time.process_time() - started
    assert_sound(reading)
    # The machine may be shared and slow: the bound says linear, not fast.
    assert took < 6, f"{took:.1f} s for {len(octets):,} octets"


def test_a_header_is_read_up_to_its_limit() -> None:
    filler = b"X-Filler: " + b"x" * 70 + b"\r\n"
    count = HEADER_LIMIT // len(filler)
    within = read(HEAD + b"Reply-To: c@d.es\r\n" + filler * (count - 5) + b"\r\nhola\r\n")
    assert not any(one.startswith("header-cut") for one in within.warnings)
    behind = read(HEAD + filler * (count + 5) + b"Reply-To: c@d.es\r\n\r\nhola\r\n")
    assert f"header-cut: {HEADER_LIMIT}" in behind.warnings
    assert behind.reply_to == ()
    assert within.from_ == behind.from_ != ()
    assert within.text == behind.text == "hola\n"


def test_the_first_ten_thousand_addresses_are_kept() -> None:
    many = b",\r\n ".join(b"c%d@example.es" % i for i in range(ADDRESSES_LIMIT + 5))
    reading = read(HEAD + b"To: " + many + b"\r\n\r\n")
    assert f"addresses-cut: {ADDRESSES_LIMIT}" in reading.warnings
    assert [one.address for one in reading.to[:2]] == ["c0@example.es", "c1@example.es"]
    assert len(reading.to) == ADDRESSES_LIMIT


@pytest.mark.parametrize("case", greedy.CASES)
def test_a_letter_of_30_mb_takes_a_bounded_memory(case: str) -> None:
    command = [sys.executable, "-m", "tests.wire.reading.greedy", case]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) < 256 * 1_048_576


def test_nothing_of_a_deep_nest_is_lost() -> None:
    reading = read(nested(150))
    assert "nesting-cut" in reading.warnings
    assert [a.content_type for a in reading.attachments] == ["multipart/mixed"]
    assert reading.attachments[0].size > 0
