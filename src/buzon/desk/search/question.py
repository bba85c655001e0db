"""What somebody typed, understood as words to look for; whatever it is, it is only text.

botas rojas          letters that hold both words, wherever, in the singular or the plural
"botas rojas"        these words, exactly so and in this order; also “…” and «…»
bota*                words that begin so
ana@example.com      its words in this order, as anything that is written in one
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from buzon.desk.search.words import words_of

MOST_WORDS = 30  # of one question; what follows is not looked for
_QUOTES = str.maketrans("“”„«»", '"' * 5)
_PIECE = re.compile(r'"([^"]*)"?(\*?)|([^\s"]+)')
_SHORTEST = 3  # letters of a word that has a plural
_SHORTEST_BEGINNING = 3  # one of two is that of a thousand words: both databases take a second
_VOWELS = frozenset("aeiou")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to be found: words in this order. `begins`: the last one is only a beginning.

    `forms`: what may stand in its place, where it is a single word.
    """

    words: tuple[str, ...]
    begins: bool = False
    forms: tuple[str, ...] = ()

    def fits(self, words: Sequence[str]) -> bool:
        """Whether these words of a letter, one after the other, are what is looked for."""
        if len(words) != len(self.words) or tuple(words[:-1]) != self.words[:-1]:
            return False
        if self.begins:
            return words[-1].startswith(self.words[-1])
        return words[-1] == self.words[-1] or words[-1] in self.forms


def terms_of(text: str) -> list[Term]:
    """What has to be in a letter, all of it; empty where there is no word in the text."""
    terms: list[Term] = []
    left = MOST_WORDS
    for term in _pieces(text.translate(_QUOTES)):
        if len(term.words) > left:
            break
        left -= len(term.words)
        terms.append(term)
    return terms


def to_fts5(terms: Sequence[Term]) -> str:
    """For FTS5's MATCH (sqlite.org/fts5.html, 3): only quoted strings and our own operators."""
    return " AND ".join(_fts5(term) for term in terms)


def to_tsquery(terms: Sequence[Term], *, in_order: bool = True) -> str:
    """As PostgreSQL writes a tsquery (manual, 8.11.2); words hold nothing that would be quoted.

    `in_order`: whether a phrase's words have to stand in their order.
    """
    return " & ".join(_tsquery(term, " <-> " if in_order else " & ") for term in terms)


def _pieces(text: str) -> Iterator[Term]:
    for quoted, star, plain in _PIECE.findall(text):
        written = quoted or plain
        words = tuple(words_of(written))[:MOST_WORDS]
        if not words:
            continue
        begins = bool(star) or written.rstrip().endswith("*")
        begins = begins and len(words[-1]) >= _SHORTEST_BEGINNING
        simple = bool(plain) and len(words) == 1 and not begins
        yield Term(words, begins, _numbers(words[0]) if simple else ())


def _numbers(word: str) -> tuple[str, ...]:
    """The word's plural or singular, in Spanish and in English, as far as its end tells."""
    if len(word) < _SHORTEST or not word.isalpha():
        return ()
    return tuple(_singulars(word)) if word.endswith("s") else tuple(_plurals(word))


def _singulars(word: str) -> Iterator[str]:
    yield word[:-1]  # bota-s, letter-s
    if word.endswith("ces"):
        yield word[:-3] + "z"  # luces: luz
    elif word.endswith("ies"):
        yield word[:-3] + "y"  # parties: party
    if word.endswith("es") and len(word) > _SHORTEST:
        yield word[:-2]  # papel-es, box-es


def _plurals(word: str) -> Iterator[str]:
    yield word + "s"
    if word.endswith("z"):
        yield word[:-1] + "ces"
    elif word.endswith("y"):
        yield word[:-1] + "ies"
    if word[-1] not in _VOWELS:
        yield word + "es"


def _fts5(term: Term) -> str:
    if term.forms:
        return "(" + " OR ".join(f'"{word}"' for word in (*term.words, *term.forms)) + ")"
    return f'"{" ".join(term.words)}"' + (" *" if term.begins else "")


def _tsquery(term: Term, between: str) -> str:
    if term.forms:
        return "(" + " | ".join((*term.words, *term.forms)) + ")"
    return "(" + between.join(term.words) + (":*" if term.begins else "") + ")"
