"""Letters that come while the demonstration runs: from old customers and new ones, without end.

Each text has blanks that are filled in anew, so that no two letters are the same.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from random import Random
from unicodedata import normalize

from buzon.demo.shop import places
from buzon.demo.shop.book import BookError, Entry, read_all
from buzon.demo.shop.letter import Letter, compose

_FIRST = "c-bounce"  # of a letter that the shop sent: shown early, because it is rare
_BY_THEN = 5  # so many letters come before it
_TRIES = 100  # of other words, before a body is used twice


class Arriving:
    """Makes the next letter when asked; with the same seed and past always the same ones."""

    def __init__(self, past: Iterable[Letter], *, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 (variety, not a secret)
        self._texts = {entry.name: entry for entry in read_all("coming-")}
        self._past = {letter.entry.name: letter for letter in past}
        self._seen: defaultdict[tuple[str, str], list[Letter]] = defaultdict(list)
        for letter in self._past.values():
            self._remember(letter)
        self._waiting: list[str] = []
        self._bodies: set[str] = set()
        self._count = 0

    def next(self, *, now: datetime) -> Letter:
        """A letter that is written just now. Raises BookError for a text that makes no sense."""
        text = self._next_text()
        self._count += 1
        earlier = self._earlier(text)
        filled = self._filled(text, earlier)
        answered = earlier if text.after else None
        letter = compose(filled, date=now.replace(microsecond=0), earlier=answered)
        self._remember(letter)
        return letter

    def _next_text(self) -> Entry:
        """Every text once in an order of chance, then all of them again in another."""
        if not self._waiting:
            self._waiting = sorted(self._texts)
            self._random.shuffle(self._waiting)
            self._waiting.remove(_FIRST)
            if self._count == 0:
                self._waiting.insert(_BY_THEN, _FIRST)
        return self._texts[self._waiting.pop(0)]

    def _earlier(self, text: Entry) -> Letter | None:
        """The letter that is answered, or whose writer writes again."""
        if text.after and text.after != "any":
            return self._past[text.after]
        if text.sender != "old" and not text.after:
            return None
        known = self._seen[text.to[0], text.language] or self._seen["hello", text.language]
        return self._random.choice(known)

    def _filled(self, text: Entry, earlier: Letter | None) -> Entry:
        """The text with its blanks filled in as they never were before."""
        for _ in range(_TRIES):
            blanks = self._blanks(text, earlier)
            body = _filled(text.text, blanks, text)
            if body not in self._bodies:
                break
        self._bodies.add(body)
        return replace(
            text,
            name=f"{text.name}-{self._count}",
            sender=self._sender(text, blanks, earlier),
            subject=_filled(text.subject, blanks, text),
            text=body,
        )

    def _sender(self, text: Entry, blanks: dict[str, str], earlier: Letter | None) -> str:
        if text.sender == "old" and earlier is not None:
            return earlier.entry.sender
        if text.sender != "new":
            return text.sender
        name = blanks["name"]
        domain = self._random.choice(places.DOMAINS[text.language])
        return f"{name} <{_ascii(name)}.{self._count}@{domain}>"

    def _blanks(self, text: Entry, earlier: Letter | None) -> dict[str, str]:
        choose, language = self._random.choice, text.language
        first, last = choose(places.FIRST_NAMES[language]), choose(places.LAST_NAMES[language])
        known = parseaddr(earlier.entry.sender)[0] if earlier else ""
        amount = f"{self._random.randrange(900, 39_000) / 100:.2f}"
        return {
            "order": str(5_000 + self._count * 7 + self._random.randrange(7)),
            "item": choose(places.ITEMS[text.to[0]]),
            "town": choose(places.TOWNS[language]),
            "weekday": choose(places.WEEKDAYS[language]),
            "name": known or f"{first} {last}",
            "phone": f"555 {self._random.randrange(1_000):03} {self._count % 1_000:03}",
            "amount": amount.replace(".", ",") if language == "es" else amount,
        }

    def _remember(self, letter: Letter) -> None:
        """Only what a person wrote to us can be answered, and only its writer writes again."""
        entry = letter.entry
        if entry.kind == "person" and entry.dmarc == "pass" and entry.folder == "INBOX":
            self._seen[entry.to[0], entry.language].append(letter)


def _filled(written: str, blanks: dict[str, str], text: Entry) -> str:
    try:
        return written.format_map(blanks)
    except (KeyError, ValueError) as error:
        raise BookError(f"{text.name}: there is no blank {error}.") from error


def _ascii(name: str) -> str:
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return plain.lower().replace(" ", ".")
