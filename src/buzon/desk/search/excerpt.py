"""Where in a letter the words stand that it was found by: a few words around the first of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from buzon.desk.models import SearchEntry
from buzon.desk.search.question import Term, terms_of
from buzon.desk.search.words import FILES, PEOPLE, TEXT, Damaged, spans, unpacked

BEFORE, AFTER = 60, 160  # characters around the first word
_MORE = "…"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Pieces of a letter's text, one after the other, each with whether it was looked for."""

    pieces: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


def excerpts(text: str, message_ids: Collection[int]) -> dict[int, Excerpt]:
    """By the letter's key, for each of these letters that was found by its text, by the name of a
    file, or by people. What it was found by in the subject alone is seen there.
    """
    terms = terms_of(text)
    rows = SearchEntry.objects.filter(message__in=message_ids).values_list("message_id", "packed")
    told: dict[int, Excerpt] = {}
    for key, octets in rows:
        excerpt = _of_entry(bytes(octets), terms)
        if excerpt is not None:
            told[key] = excerpt
    return told


def _of_entry(octets: bytes, terms: Sequence[Term]) -> Excerpt | None:
    try:
        texts = unpacked(octets)
    except Damaged:
        return None
    found = (_excerpt(texts[place], terms) for place in (TEXT, FILES, PEOPLE))
    return next((one for one in found if one is not None), None)


def _excerpt(text: str, terms: Sequence[Term]) -> Excerpt | None:
    text = " ".join(text.split())
    hits = _hits(text, terms)
    if not hits:
        return None
    begin = _begin_of_a_word(text, hits[0][0])
    end = hits[0][0] + AFTER
    pieces = [(_MORE if begin else "", False)]
    for start, stop in hits:
        pieces += [(text[begin:start], False), (text[start:stop], True)]
        begin = stop
    pieces += [(text[begin:end], False), (_MORE if begin < end < len(text) else "", False)]
    return Excerpt(tuple(piece for piece in pieces if piece[0]))


def _hits(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where what was looked for begins and ends: the first time, and close behind it."""
    words = list(spans(text))
    plain = [word for _, _, word in words]
    hits: list[tuple[int, int]] = []
    for place, (start, _, _) in enumerate(words):
        if hits and start > hits[0][0] + AFTER:
            break
        if hits and start < hits[-1][1]:
            continue
        fitting = (t for t in terms if t.fits(plain[place : place + len(t.words)]))
        term = next(fitting, None)
        if term is not None:
            hits.append((start, words[place + len(term.words) - 1][1]))
    return hits


def _begin_of_a_word(text: str, hit: int) -> int:
    """So far before the hit, but not in the middle of a word where that can be helped."""
    begin = hit - BEFORE
    if begin <= 0:
        return 0
    space = text.find(" ", begin, hit)
    return begin if space < 0 else space + 1
