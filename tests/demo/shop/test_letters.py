"""The letters of the demonstration: each is read without error, and is what it is meant to be."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import pytest

from buzon.demo.shop.arriving import Arriving
from buzon.demo.shop.history import past_letters
from buzon.demo.shop.letter import Letter
from buzon.demo.shop.places import SERVER
from buzon.wire.reading import Reading, attachment_octets, dmarc_verdict, read

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
PAST = past_letters(now=NOW, seed=1931)
# What these shapes are for is to be odd: some octets of theirs are lost, guessed or in the way.
ODD = {
    "unknown-charset": "charset-unknown",
    "undeclared": "charset-guessed",
}
WARNED = {"list-4": ("header-8bit",)}  # a list server that writes its name as it is


def arriving(count: int, *, seed: int = 7) -> list[Letter]:
    letters = Arriving(PAST, seed=seed)
    return [letters.next(now=NOW + timedelta(seconds=5 * n)) for n in range(count)]


COMING = arriving(400)


def readings(letters: list[Letter]) -> list[tuple[Letter, Reading]]:
    return [(letter, read(letter.octets)) for letter in letters]


def named(name: str) -> Letter:
    return next(letter for letter in PAST if letter.entry.name == name)


def test_there_are_about_three_hundred_in_two_languages_and_no_two_alike() -> None:
    assert 290 <= len(PAST) <= 340
    languages = Counter(letter.entry.language for letter in PAST)
    assert min(languages["es"], languages["en"]) > 120
    assert len({letter.entry.text for letter in PAST}) == len(PAST)
    assert len({letter.message_id for letter in PAST}) == len(PAST)


def test_each_is_read_as_what_it_is_meant_to_be() -> None:
    for letter, reading in readings(PAST + COMING):
        assert reading.kind.value == letter.entry.kind, letter.entry.name
        assert reading.subject == letter.subject, letter.entry.name
        assert reading.from_[0].address == parseaddr(letter.entry.sender)[1]


def test_only_the_odd_ones_are_warned_of() -> None:
    for letter, reading in readings(PAST + COMING):
        odd = ODD.get(letter.entry.shape)
        if odd is not None:
            assert any(warning.startswith(odd) for warning in reading.warnings)
        else:
            assert reading.warnings == WARNED.get(letter.entry.name, ()), letter.entry.name


def test_what_was_written_is_what_is_read_in_every_shape() -> None:
    """Line breaks apart: the first words of a letter, through charset and encoding and MIME."""
    shapes = {letter.entry.shape for letter in PAST}
    assert len(shapes) >= 12
    for letter, reading in readings(PAST + COMING):
        start = " ".join(letter.entry.text.split())[:60]
        assert start in " ".join(reading.text.split()), letter.entry.name


def test_attachments_are_what_their_names_say() -> None:
    beginnings = {
        "png": b"\x89PNG\r\n\x1a\n", "scan": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff\xe0",
        "pdf": b"%PDF-1.4", "csv": b"\xef\xbb\xbf", "ics": b"BEGIN:VCALENDAR",
    }  # fmt: skip
    seen = set()
    for letter, reading in readings(PAST):
        if letter.entry.shape in ("picture", "damaged", "report"):
            assert reading.attachments
            continue
        assert [one.filename for one in reading.attachments] == list(letter.entry.files)
        for one in reading.attachments:
            ending = one.filename.rpartition(".")[2]
            octets = attachment_octets(letter.octets, one.part)
            assert octets.startswith(beginnings[ending])
            seen.add(ending)
    assert seen == set(beginnings)


def test_times_are_of_the_last_three_months_the_newest_of_today() -> None:
    dates = [letter.date for letter in PAST]
    assert dates == sorted(dates)
    assert NOW - timedelta(days=91) < dates[0] < NOW - timedelta(days=80)
    assert dates[-1] <= NOW
    assert sum(date > NOW - timedelta(days=1) for date in dates) >= 10


def test_a_conversation_goes_back_and_forth_and_quotes_as_its_language_does() -> None:
    lost = [named(f"paquete-{number}") for number in range(1, 6)]
    assert [letter.entry.folder for letter in lost] == ["INBOX", "Sent", "INBOX", "Sent", "INBOX"]
    assert [len(letter.references) for letter in lost] == [0, 1, 2, 3, 4]
    assert all(one.date < two.date for one, two in itertools.pairwise(lost))
    last = read(lost[-1].octets)
    assert last.references == tuple(letter.message_id for letter in lost[:-1])
    assert "escribió:\n> Entonces seguramente lo tiene el vecino." in last.text.replace("\r", "")
    assert last.text.startswith("¡Apareció!")
    english = " ".join(read(named("harrier-2").octets).text.split())
    assert "Martin Keogh <martin.keogh@post.example> wrote: > Hi, >" in english


def test_the_server_vouches_for_all_but_those_who_pretend() -> None:
    verdicts = Counter(
        (letter.entry.dmarc, dmarc_verdict(read(letter.octets), SERVER)) for letter in PAST
        if letter.entry.folder == "INBOX"
    )  # fmt: skip
    assert set(verdicts) == {("pass", "pass"), ("fail", "fail"), ("none", None)}
    assert verdicts["fail", "fail"] >= 3


def test_the_same_seed_gives_the_same_letters_but_for_times() -> None:
    again = past_letters(now=NOW, seed=1931)
    assert [letter.octets for letter in again] == [letter.octets for letter in PAST]
    later = past_letters(now=NOW + timedelta(days=400), seed=1931)
    assert [letter.entry.name for letter in later] != []
    assert {letter.entry for letter in later} == {letter.entry for letter in PAST}
    assert [letter.octets for letter in arriving(60)] == [one.octets for one in COMING[:60]]
    assert [letter.octets for letter in arriving(60, seed=8)] != [one.octets for one in COMING[:60]]


def test_new_letters_vary_and_come_from_old_customers_and_new_ones() -> None:
    assert len({letter.entry.name.rpartition("-")[0] for letter in COMING}) >= 60
    assert len({letter.entry.text for letter in COMING}) == len(COMING)
    assert len({letter.message_id for letter in COMING}) == len(COMING)
    known = {parseaddr(letter.entry.sender)[1] for letter in PAST}
    senders = [parseaddr(letter.entry.sender)[1] for letter in COMING]
    old = sum(sender in known for sender in senders)
    assert 50 < old < len(COMING) - 50
    assert sum(bool(letter.references) for letter in COMING) > 30


def test_no_blank_is_left_open() -> None:
    for letter in COMING:
        assert not set("{}") & set(letter.subject + letter.text), letter.entry.name


def test_a_letter_of_ours_comes_back_early() -> None:
    place, returned = next(
        (place, read(letter.octets))
        for place, letter in enumerate(COMING)
        if letter.entry.name.startswith("c-bounce")
    )
    assert place < 10
    assert returned.bounced_ids == (named("boda-2").message_id,)
    assert returned.bounce[0].address == "rosa.delgado@fincalasgolondrinas.example"


@pytest.mark.parametrize("name", ["both-shops", "both-shops-2"])
def test_some_arrive_twice(name: str) -> None:
    assert len(named(name).entry.to) == 2
