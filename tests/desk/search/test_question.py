"""What somebody typed, as words to look for."""

import pytest

from buzon.desk.search.question import MOST_WORDS, Term, terms_of, to_fts5, to_tsquery


@pytest.mark.parametrize(
    ("typed", "fts5", "tsquery"),
    [
        ("niño2", '"nino2"', "(nino2)"),
        ('"Botas  ROJAS"', '"botas rojas"', "(botas <-> rojas)"),
        ("«botas rojas»", '"botas rojas"', "(botas <-> rojas)"),
        ("“botas rojas", '"botas rojas"', "(botas <-> rojas)"),
        ("Bot*", '"bot" *', "(bot:*)"),
        ('"botas roj*"', '"botas roj" *', "(botas <-> roj:*)"),
        ('"botas roj"*', '"botas roj" *', "(botas <-> roj:*)"),
        ('"botas ro*"', '"botas ro"', "(botas <-> ro)"),
        ("bo*", '"bo"', "(bo)"),
        ("ana.b@x.es", '"ana b x es"', "(ana <-> b <-> x <-> es)"),
        ("7 12", '"7" AND "12"', "(7) & (12)"),
        ("bota", '("bota" OR "botas")', "(bota | botas)"),
        ("luces", '("luces" OR "luce" OR "luz" OR "luc")', "(luces | luce | luz | luc)"),
    ],
)
def test_what_is_looked_for(typed: str, fts5: str, tsquery: str) -> None:
    terms = terms_of(typed)
    assert to_fts5(terms) == fts5
    assert to_tsquery(terms) == tsquery


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("letter", {"letters", "letteres"}),
        ("letters", {"letter"}),
        ("papel", {"papels", "papeles"}),
        ("papeles", {"papele", "papel"}),
        ("box", {"boxs", "boxes"}),
        ("luz", {"luzs", "luces", "luzes"}),
        ("party", {"partys", "parties", "partyes"}),
        ("parties", {"partie", "party", "parti"}),
        ("gas", {"ga"}),
        ("si", set()),
        ("es", set()),
        ("a4s", set()),
    ],
)
def test_singular_and_plural_in_both_languages(word: str, forms: set[str]) -> None:
    (term,) = terms_of(word)
    assert set(term.forms) == forms


@pytest.mark.parametrize("typed", ["", " ", "***", '"', '""', '"" ""*', "?!", "\0", "_", "«»", "%"])
def test_without_a_word_nothing_is_looked_for(typed: str) -> None:
    assert terms_of(typed) == []


@pytest.mark.parametrize(
    "typed",
    ["a" * 10_000, "a " * 10_000, '"' + "a " * 10_000, "a-" * 10_000, '"a" ' * 10_000],
    ids=["one long", "many", "one phrase", "in one", "many phrases"],
)
def test_a_question_is_bounded(typed: str) -> None:
    terms = terms_of(typed)
    assert 1 <= sum(len(term.words) for term in terms) <= MOST_WORDS
    assert len(to_fts5(terms)) < 5_000


def test_what_a_term_is_found_by() -> None:
    assert Term(("bot",), begins=True).fits(["botas"])
    assert not Term(("bot",)).fits(["botas"])
    assert Term(("bota",), forms=("botas",)).fits(["botas"])
    assert Term(("las", "bo"), begins=True).fits(["las", "botas"])
    assert not Term(("las", "botas")).fits(["las"])
    assert not Term(("las", "bo"), begins=True).fits(["los", "botas"])
