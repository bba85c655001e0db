"""Address fields: every shape in use gives the addresses that its syntax holds, and no others."""

import time

import pytest

from buzon.wire.reading.addresses import parse_addresses
from buzon.wire.reading.values import Oddities


def parsed(value: str) -> list[tuple[str, str]]:
    return [(a.name, a.address) for a in parse_addresses(value, Oddities())]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ana@example.es", [("", "ana@example.es")]),
        ("<ana@example.es>", [("", "ana@example.es")]),
        ("  Ana  Lopez   <ana@example.es>  ", [("Ana Lopez", "ana@example.es")]),
        ('"Ana \\"la\\" Lopez" <ana@example.es>', [('Ana "la" Lopez', "ana@example.es")]),
        ('"Lopez, Ana" <a@b.es>, c@d.es', [("Lopez, Ana", "a@b.es"), ("", "c@d.es")]),
        ("Ana Lopez, <a@b.es>", [("Ana Lopez", ""), ("", "a@b.es")]),
        ("a@b.es,,, c@d.es,", [("", "a@b.es"), ("", "c@d.es")]),
        ("a@b.es; c@d.es", [("", "a@b.es"), ("", "c@d.es")]),
        ("a@b.es c@d.es", [("", "a@b.es"), ("", "c@d.es")]),
        ("<ana @ example.es>", [("", "ana@example.es")]),
        ("ana @ example.es", [("", "ana@example.es")]),
        ("<mailto:ana@example.es>", [("", "ana@example.es")]),
        ("mailto:ana@example.es", [("", "ana@example.es")]),
        ("<@relay.es,@otro.es:ana@example.es>", [("", "ana@example.es")]),
        ("<'ana@example.es'>", [("", "ana@example.es")]),
        ("ana@[IPv6:2001:db8::1]", [("", "ana@[IPv6:2001:db8::1]")]),
        ("Ana <ana@[192.0.2.1]>", [("Ana", "ana@[192.0.2.1]")]),
        ("G: a@b.es, C <c@d.es>;", [("", "a@b.es"), ("C", "c@d.es")]),
        ("undisclosed-recipients:;", []),
        ("MAILER-DAEMON", [("MAILER-DAEMON", "")]),
        ("<MAILER-DAEMON>", [("MAILER-DAEMON", "")]),
        ("Ana <>", [("Ana", "")]),
        ("<>", [("", "")]),
        ("", []),
        ("Ana <ana@example.es", [("Ana", "ana@example.es")]),
        ('"Ana <ana@example.es>', [('"Ana', "ana@example.es")]),
        ("ana@example.es (Ana)", [("Ana", "ana@example.es")]),
        ("Ana (ventas) <ana@example.es>", [("Ana", "ana@example.es")]),
        ("a@b.es <c@d.es>", [("a@b.es", "c@d.es")]),
        ("X <a@b.es> <c@d.es>", [("X", "a@b.es"), ("", "c@d.es")]),
        ("=?utf-8?q?P=C3=A9rez,_Ana?= <a@b.es>", [("Pérez, Ana", "a@b.es")]),
        ("=?utf-8?q?a=40b.es?=", [("a@b.es", "")]),
        ("a@b@c.es", [("a@b@c.es", "")]),
        ("<a b@c.es>", [("a b@c.es", "")]),
        ("x" * 400 + "@example.es", [("x" * 400 + "@example.es", "")]),
    ],
)
def test_shape(value: str, expected: list[tuple[str, str]]) -> None:
    assert parsed(value) == expected


def test_a_hundred_thousand_recipients_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buzon.wire.reading.addresses.ADDRESSES_LIMIT", 200_000)
    simple = ", ".join(f'"Cliente, {i}" <c{i}@example.es>' for i in range(100_000))
    odd = ", ".join(f"(x) c{i}@example.es (y)" for i in range(20_000))
    started = time.perf_counter()
    assert len(parsed(simple)) == 100_000
    assert len(parsed(odd)) == 20_000
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "unit",
    ["(", '"', "<", "\\", "=?a?q?", "a<", '"a\\', ",", ":", "a@", " ", "[", "<a@b> ", "(a)", '"" '],
)
def test_hostile_repetition_is_linear(unit: str) -> None:
    value = unit * (300_000 // len(unit))
    started = time.perf_counter()
    parsed(value)
    assert time.perf_counter() - started < 3
