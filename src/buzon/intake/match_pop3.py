"""Which message, of a name that the ledger does not know, is which row whose name went.

octets              exact, where they are here
header and size     where it has what no other header has: a Message-ID or a Received field
header alone        with a Message-ID, where only one has it: servers are wrong about sizes
header, or size     without such a field: only the octets tell
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from buzon.intake import renumbering, vault
from buzon.intake.models import Arrival
from buzon.intake.retrieved import header_of
from buzon.wire.pop3 import Listing
from buzon.wire.reading import read_header
from buzon.wire.reading.received import received_date


@dataclass(slots=True, eq=False)
class Card:
    """One message: `name` as the ledger would call it, and what its header, or all of it, told.

    `date` is its topmost Received field's, else its Date field's.
    """

    listing: Listing
    name: str
    header_digest: str = ""
    sha256: str = ""
    date: datetime | None = None
    has_message_id: bool = False
    is_traced: bool = False
    is_too_large: bool = False

    @property
    def is_told(self) -> bool:
        """Whether we know which message it is, as far as that can be known."""
        return bool(self.header_digest) or self.is_too_large

    @property
    def is_singular(self) -> bool:
        """Its header tells it from every other message but a copy of it."""
        return self.has_message_id or self.is_traced

    def tell(self, header: bytes) -> None:
        """Take in what the header says."""
        reading, received = read_header(header), received_date(header)
        self.header_digest = reading.header_digest
        self.has_message_id = bool(reading.message_id)
        self.is_traced = received is not None
        self.date = received or reading.date

    def tell_whole(self, octets: vault.Octets) -> None:
        """Take in the whole message."""
        self.tell(header_of(octets))
        self.sha256 = vault.digest(octets)


@dataclass(slots=True)
class Search:
    """Rows whose names went, messages of unknown names, and the pairs that were found."""

    gone: list[Arrival]
    unknown: list[Card]
    again: list[tuple[Arrival, Card]] = field(default_factory=list)

    def match(self) -> None:
        """Find what can be found with what the cards say now."""
        self._by_octets()
        self._by_header(self.gone, [card for card in self.unknown if not card.sha256])
        not_held = [row for row in self.gone if not row.sha256]
        self._by_header(not_held, [card for card in self.unknown if card.sha256])

    def in_doubt(self) -> list[Card]:
        """Those of which only the octets tell whether they are one of the rows."""
        held = [row for row in self.gone if row.sha256 and row.settling_at is None]
        headers = {row.header_digest for row in held if row.header_digest}
        sizes = {row.size for row in held}
        return [
            card
            for card in self.unknown
            if not card.sha256
            and not card.is_too_large
            and (not card.is_told or card.header_digest in headers or card.listing.size in sizes)
        ]

    def _by_octets(self) -> None:
        held: dict[str, list[Arrival]] = defaultdict(list)
        for row in _preferred_last(self.gone):
            if row.sha256:
                held[row.sha256].append(row)
        pairs = []
        for card in self.unknown:
            rows = held[card.sha256] if card.sha256 else []
            # One that we were deleting is most likely gone: an equal one may well be new.
            if rows and (rows[-1].settling_at is None or card.is_singular):
                pairs.append((rows.pop(), card))
        self._take(pairs)

    def _by_header(self, rows: Sequence[Arrival], cards: Sequence[Card]) -> None:
        by_number = {card.listing.number: card for card in cards if card.is_singular}
        found = renumbering.match(
            _preferred_last(rows),
            [
                renumbering.Card(
                    number, card.listing.size, card.header_digest, card.date, card.has_message_id
                )
                for number, card in by_number.items()
            ],
        )
        self._take((row, by_number[card.uid]) for row, card in found.again)

    def _take(self, pairs: Iterable[tuple[Arrival, Card]]) -> None:
        pairs = list(pairs)
        self.again += pairs
        rows, cards = {row.pk for row, _ in pairs}, {id(card) for _, card in pairs}
        self.gone = [row for row in self.gone if row.pk not in rows]
        self.unknown = [card for card in self.unknown if id(card) not in cards]


def _preferred_last(rows: Sequence[Arrival]) -> list[Arrival]:
    """The oldest, of those that we were not about to delete."""
    return sorted(rows, key=lambda row: (row.settling_at is None, -row.pk))
