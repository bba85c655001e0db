"""Dates as people write them, in both languages: one clock, months as each language writes them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from buzon.web import shown

NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)  # half past six in the evening in Madrid


@pytest.fixture(autouse=True)
def in_madrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    with timezone.override(ZoneInfo("Europe/Madrid")):
        yield


@pytest.mark.parametrize(
    ("language", "at", "moment", "stamp", "whole"),
    [
        ("en", "2026-11-23T17:05", "18:05", "23 Nov 2026, 18:05", "23 November 2026, 18:05"),
        ("es", "2026-11-23T17:05", "18:05", "23 nov 2026, 18:05", "23 de noviembre de 2026, 18:05"),
        ("en", "2026-10-12T05:59", "12 Oct", "12 Oct 2026, 07:59", "12 October 2026, 07:59"),
        ("es", "2026-10-12T05:59", "12 oct", "12 oct 2026, 07:59", "12 de octubre de 2026, 07:59"),
        ("en", "2025-01-02T08:00", "2 Jan 2025", "2 Jan 2025, 09:00", "2 January 2025, 09:00"),
        ("es", "2025-01-02T08:00", "2 ene 2025", "2 ene 2025, 09:00", "2 de enero de 2025, 09:00"),
    ],
)
def test_a_moment_is_short_and_whole_on_hovering(
    language: str, at: str, moment: str, stamp: str, whole: str
) -> None:
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    with translation.override(language):
        told = {shown.moment: moment, shown.stamp: stamp}
        for show, expected in told.items():
            found = re.fullmatch(
                r'<time datetime="[^"]+" title="([^"]+)">([^<]+)</time>', show(when)
            )
            assert found
            assert found.groups() == (whole, expected)


@pytest.mark.parametrize(
    ("language", "octets", "written"),
    [
        ("en", 1, "1 byte"),
        ("en", 999, "999 bytes"),
        ("es", 1_600, "2 kB"),
        ("en", 1_234_567, "1.2 MB"),
        ("es", 1_234_567, "1,2 MB"),
    ],
)
def test_sizes_have_the_language_s_comma(language: str, octets: int, written: str) -> None:
    with translation.override(language):
        assert shown.size(octets) == written


def test_what_never_was_is_a_dash() -> None:
    assert [shown.moment(None), shown.stamp(None), shown.ago(None), shown.day(None)] == [
        shown.ABSENT
    ] * 4


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("eva.lago@x.co.es", "eva.lago@<wbr>x.<wbr>co.<wbr>es"),
        (
            "a.very.long.name.of.eva@x.es",
            "a.<wbr>very.<wbr>long.<wbr>name.<wbr>of.<wbr>eva@<wbr>x.<wbr>es",
        ),
        ("example.com", "example.<wbr>com"),
        ("Eva J. Lago", "Eva J. Lago"),
        ("New: eva@x.es, 3.000 m", "New: eva@<wbr>x.<wbr>es, 3.000 m"),
        ('"<b>"@x.es.', "&quot;&lt;b&gt;&quot;@<wbr>x.<wbr>es."),
        ("", ""),
    ],
)
def test_an_address_goes_on_in_the_next_line_after_its_at_and_its_dots(
    words: str, written: str
) -> None:
    assert shown.breakable(words) == written
