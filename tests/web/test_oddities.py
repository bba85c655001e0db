"""Every oddity that a reading may note has a sentence, in both languages."""

import re
from pathlib import Path

import pytest
from django.utils import translation

from buzon.web.oddities import DOUBTFUL, SENTENCES, in_words, is_doubtful
from buzon.wire import reading

_NOTED = re.compile(r'\bnote\(\s*"([a-z0-9-]+)"')


def test_each_code_of_the_source_has_a_sentence_and_no_other_has() -> None:
    folder = Path(reading.__file__).parent
    noted = {code for path in folder.glob("*.py") for code in _NOTED.findall(path.read_text())}
    assert len(noted) > 25
    assert noted | {"unreadable", DOUBTFUL} == set(SENTENCES)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "The character set was guessed: cp1252"),
        ("es", "El juego de caracteres se ha adivinado: cp1252"),
    ],
)
def test_a_detail_follows_the_sentence(language: str, told: str) -> None:
    with translation.override(language):
        assert in_words(["dmarc_failed", "charset-guessed: cp1252"]) == [told]


def test_a_sentence_without_a_detail_ends() -> None:
    assert in_words(["base64-cut", "date-without-offset"]) == [
        "An encoded part was cut off; its last characters are lost.",
        "Its date does not say in which time zone.",
    ]


def test_the_only_detail_that_is_a_sentence_is_translated() -> None:
    with translation.override("es"):
        assert in_words(["charset-wrong: none declared, read as utf-8"]) == [
            "El texto no está en el juego de caracteres que dice: ninguno declarado, leído como"
            " utf-8"
        ]


def test_a_code_of_an_earlier_version_is_shown_as_it_is() -> None:
    assert in_words(["no-such-code: x"]) == ["no-such-code: x"]


def test_doubt_is_about_the_sender_alone() -> None:
    assert is_doubtful(["charset-wrong", DOUBTFUL])
    assert not is_doubtful(["charset-wrong"])
