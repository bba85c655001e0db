"""What must become of every letter by the rules of the system: the independent count.

Written from the design's table, with nothing of the product's code. A journey asks the product what
became of each letter, and compares.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tests.journeys import cast
from tests.journeys.specimens import ALL, LARGE, OLD, Mail, SentSpecimen, Specimen

ONE_BY_ONE = 50  # letters of history that are notified one by one
FRESH = timedelta(days=7)

CustomerKey = tuple[str, str]  # the store's name or "", the folded address
LetterKey = tuple[str, int]  # "in" or "sent", the number of the letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """How the account is set. `dies_at` is the moment of the kill, and in which collection."""

    name: str
    protocol: str
    create: bool
    after: str
    start: str
    dies_at: str
    dies_in_second: bool = False
    store: str = cast.CENTRO
    history: str = "auto"
    group: bool = True
    limited: bool = False
    trusts: bool = False
    lists_as_persons: bool = False
    hand_out_existing: bool = False
    notify_agent: bool = True
    sent_folder: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one arrival. `linked`: to the customer, who is made if there is none."""

    outcome: str  # outside | filed | skipped | ignored | oversized
    linked: bool = False
    created: bool = False
    by_person: bool = False  # its customer's agent is told, and a customer who waits is handed out


class Rules:
    """The count for one journey."""

    def __init__(self, journey: Journey, mail: Mail) -> None:
        self.journey = journey
        self.mail = mail
        self.known = {
            (known.store, address.folded): known
            for known in cast.CUSTOMERS
            for address in known.addresses
        }
        self.sent_fates = {m.number: self._sent_fate(m) for m in mail.sent}
        self.sent_ids = {
            m.message_id for m in mail.sent if self.sent_fates[m.number].outcome == "filed"
        }
        self.fates = {m.number: self._fate(m) for m in mail.letters}

    # -- one letter

    def _fate(self, letter: Specimen) -> Fate:
        if self._is_outside(letter):
            return Fate("outside")
        fate = self._within(letter)
        too_large = self.journey.limited and len(letter.octets) > LARGE
        if too_large and fate.outcome == "filed":
            return Fate("oversized", fate.linked, fate.created, fate.by_person)
        return fate

    def _is_outside(self, letter: Specimen) -> bool:
        """R4: only what was there before the first look can be."""
        if letter.is_new or self.journey.start == "all":
            return False
        if self.journey.start == "now":
            return True
        if self.journey.protocol == "pop3" and not letter.dated:
            return False  # nobody knows how old it is
        return letter.received_at < self.mail.start

    def _within(self, letter: Specimen) -> Fate:
        """The table "What becomes of a message"."""
        known = self.customer_of(letter.sender) is not None
        if letter.sender == cast.OWN_ADDRESS or self._is_blocked(letter.sender):
            return Fate("ignored")
        if self.is_of_ours(letter):
            return Fate("filed", linked=True, by_person=True)
        if not known and not self.journey.create:
            return Fate("skipped")
        if self.journey.trusts and letter.forged:
            return Fate("filed", linked=known, by_person=known)
        person = letter.kind == "person" or (
            letter.kind in ("list", "bulk") and self.journey.lists_as_persons
        )
        if known or not person or not letter.sender:
            return Fate("filed", linked=known, by_person=known and person)
        return Fate("filed", linked=True, created=True, by_person=True)

    def _is_blocked(self, sender: str) -> bool:
        return sender in cast.BLOCKED or "@" + sender.rpartition("@")[2] in cast.BLOCKED

    def is_of_ours(self, letter: Specimen) -> bool:
        """A bounce of a letter that we sent and hold: the folder of sent mail comes last, so those
        that were there with the old letters are known to the new ones alone.
        """
        return letter.is_new and letter.returned in self.sent_ids

    def _sent_fate(self, sent: SentSpecimen) -> Fate:
        """Matched by recipient, notified to nobody, never more than looked at on the server."""
        if not self.journey.sent_folder:
            return Fate("absent")
        if self.journey.start == "now":
            return Fate("outside")
        if self.journey.start == "date" and sent.received_at < self.mail.start:
            return Fate("outside")
        return Fate("filed", linked=True) if self._recipient(sent) else Fate("skipped")

    # -- customers

    def customer_of(self, address: str) -> CustomerKey | None:
        """R5: that store's customer, then one of no store; without a store any (none is twice)."""
        stores = (self.journey.store, "") if self.journey.store else ("", cast.CENTRO, cast.NORTE)
        known = next((self.known[s, address] for s in stores if (s, address) in self.known), None)
        return (known.store, known.addresses[0].folded) if known else None

    def customer_key(self, letter: Specimen) -> CustomerKey | None:
        """Whose letter it is, once all is collected."""
        fate = self.fates[letter.number]
        if not fate.linked:
            return None
        if self.is_of_ours(letter):
            sent = next(m for m in self.mail.sent if m.message_id == letter.returned)
            return self._recipient(sent)
        if fate.created:
            return self.journey.store, letter.sender
        return self.customer_of(letter.sender)

    def _recipient(self, sent: SentSpecimen) -> CustomerKey | None:
        found = (self.customer_of(address) for address in sent.to)
        return next((key for key in found if key is not None), None)

    def sent_customer_key(self, sent: SentSpecimen) -> CustomerKey | None:
        return self._recipient(sent) if self.sent_fates[sent.number].linked else None

    def created(self) -> set[CustomerKey]:
        """R8."""
        made = (m for m in self.mail.letters if self.fates[m.number].created)
        return {(self.journey.store, m.sender) for m in made}

    def handed_out(self, *, by_history: bool = False) -> set[CustomerKey]:
        """R10: the created, and who has lost their agent or (where it is set) never had one."""
        waiting = set()
        for letter in self.mail.letters[: OLD if by_history else ALL]:
            key = self.customer_key(letter)
            if key is None or not self.fates[letter.number].by_person or key not in self.known:
                continue
            agent = self.known[key].agent
            if agent == "Rosa" or (not agent and self.journey.hand_out_existing):
                waiting.add(key)
        return self.created() | (waiting if self.journey.group else set())

    # -- letters

    def letter_key(self, letter: Specimen) -> LetterKey:
        """The same for all arrivals of one letter; a header alone proves nothing."""
        whole = self.fates[letter.number].outcome == "filed"
        return "in", (letter.letter if whole and letter.message_id else letter.number)

    def held(self) -> list[Specimen]:
        """Every arrival of which a letter is made, in the order of delivery."""
        return [m for m in self.mail.letters if self.fates[m.number].outcome in _HELD]

    def told_one_by_one(self) -> list[Specimen]:
        """R7: letters of which the customer's agent is told, each letter once."""
        muted = self._muted()
        before = {self.letter_key(m) for m in self.held() if not m.is_new} if muted else set()
        told: dict[LetterKey, Specimen] = {}
        for letter in self.held():
            key = self.letter_key(letter)
            if key not in before and self.fates[letter.number].by_person:
                told.setdefault(key, letter)
        return list(told.values()) if self.journey.notify_agent else []

    def _muted(self) -> bool:
        if self.journey.history != "auto":
            return self.journey.history == "silent"
        return self._history_length() > ONE_BY_ONE

    def _history_length(self) -> int:
        old = (m for m in self.mail.letters if not m.is_new)
        within = sum(self.fates[m.number].outcome != "outside" for m in old)
        sent = sum(f.outcome not in ("outside", "absent") for f in self.sent_fates.values())
        return within + sent

    def summed_up(self) -> bool:
        """Whether each agent gets one summary of the history."""
        return self.journey.history == "auto" and self._muted()

    def history_by_customer(self) -> dict[CustomerKey, set[LetterKey]]:
        """What the summaries count: letters of the history, of customers with an agent by then."""
        given = self.handed_out(by_history=True)
        letters: defaultdict[CustomerKey, set[LetterKey]] = defaultdict(set)
        for letter in self.held():
            key = self.customer_key(letter)
            if letter.is_new or key is None:
                continue
            if key in given or (key in self.known and self.known[key].agent != "Rosa"):
                letters[key].add(self.letter_key(letter))
        return letters

    def conversations(self) -> set[frozenset[LetterKey]]:
        """Letters joined because one names the other's Message-ID, and both are held."""
        names: dict[LetterKey, tuple[str, ...]] = {}
        holders: defaultdict[str, set[LetterKey]] = defaultdict(set)
        for letter in self.held():
            key = self.letter_key(letter)
            names[key] = (*letter.names, *self._returned(letter))
            if letter.message_id:
                holders[letter.message_id].add(key)
        for sent in self.mail.sent:
            if self.sent_fates[sent.number].outcome == "filed":
                names["sent", sent.number] = ()
                holders[sent.message_id].add(("sent", sent.number))
        edges = ((key, other) for key, ids in names.items() for i in ids for other in holders[i])
        return joined(names, edges)

    def _returned(self, letter: Specimen) -> tuple[str, ...]:
        """A bounce belongs to the letter that it brings back, if that is one of ours."""
        return (letter.returned,) if self.is_of_ours(letter) else ()

    # -- the server

    def is_read(self, letter: Specimen) -> bool:
        """History is filed as read, but for the letters of the last week."""
        if letter.is_new or (self.journey.protocol == "pop3" and not letter.dated):
            return False
        return letter.received_at < self.mail.now - FRESH

    def left_on_server(self) -> list[Specimen]:
        """R6: only what was downloaded whole is removed, and only where that is asked for."""
        if self.journey.after != "delete":
            return self.mail.letters
        return [m for m in self.mail.letters if self.fates[m.number].outcome != "filed"]

    def count(self, letters: Iterable[Specimen], outcome: str) -> int:
        return sum(self.fates[m.number].outcome == outcome for m in letters)


_HELD = ("filed", "oversized")


def joined(
    keys: Iterable[LetterKey], edges: Iterable[tuple[LetterKey, LetterKey]]
) -> set[frozenset[LetterKey]]:
    """The connected groups."""
    group = {key: {key} for key in keys}
    for one, other in edges:
        if group[one] is not group[other]:
            both = group[one] | group[other]
            group.update(dict.fromkeys(both, both))
    return {frozenset(members) for members in group.values()}
