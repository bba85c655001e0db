"""Which conversation a letter belongs to: References and In-Reply-To of letters that we hold.

    the letter ──names──▶ a letter that we hold           (a reply comes after its original)
    a letter that we hold ──names──▶ the letter           (history arrives newest first)

Only within one organization and one store. Where several conversations are found, they turn out
to be one and are merged. A Message-ID is its sender's and may be shared by different mails (the
standard forbids it, web forms do it): where several letters have the id in question, only those
of the same customer count, so that nobody's letters are joined by such an accident.

    relatives of all letters ══read once══▶ threads in memory ══stored once══▶ rows
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from buzon.desk.keys import Keys
from buzon.desk.letter import Letter
from buzon.desk.models import Conversation, Message, Organization
from buzon.desk.rows import in_pieces, insert_rows
from buzon.desk.statements import Relative, answers, move_conversations, move_letters, with_ids

_CONVERSATION = (
    "organization",
    "store",
    "pk",
    "customer",
    "subject",
    "started_at",
    "last_message_at",
    "closed_at",
)
_Question = Callable[[int, list[str]], list[Relative]]


@dataclass(slots=True, eq=False)
class Thread:
    """A conversation while letters are filed; `stored` where it was one before."""

    key: int
    subject: str
    started_at: datetime
    last_message_at: datetime
    closed_at: datetime | None
    customer_id: int | None
    stored: bool
    changed: bool = False
    reopened: bool = False
    became: "Thread | None" = None  # the one that took its letters

    def as_it_is(self) -> "Thread":
        """This one, or the one that has taken its letters."""
        return self if self.became is None else self.became.as_it_is()

    def take(self, letter: Letter, customer_id: int | None) -> None:
        """Move on to this letter's time. The first letter's subject is the conversation's, also
        where it arrives last.
        """
        at = letter.happened_at()
        if at < self.started_at:
            self.subject, self.started_at = letter.subject, at
        self.last_message_at = max(self.last_message_at, at)
        self.belongs_to(customer_id)
        if letter.direction == Message.Direction.INCOMING and not letter.closed:
            self.reopen()

    def belongs_to(self, customer_id: int | None) -> None:
        """It is nobody's until it is somebody's."""
        self.changed = True
        if self.customer_id is None:
            self.customer_id = customer_id

    def reopen(self) -> None:
        self.closed_at, self.reopened, self.changed = None, True, True

    def swallow(self, others: "Collection[Thread]") -> None:
        """They turn out to be this one."""
        for other in others:
            self.belongs_to(other.customer_id)
            self.last_message_at = max(self.last_message_at, other.last_message_at)
            if other.closed_at is None:
                self.reopen()
            other.became = self


@dataclass(slots=True, eq=False)
class Kin:
    """A letter held, as others see it; `whole` unless only its header is here."""

    key: int
    message_id: str
    identity: str | None
    customer_id: int | None
    whole: bool
    stored: bool
    thread: Thread


@dataclass(slots=True)
class Conversations:
    """The conversations that the letters of one transaction may concern.

    From `look_up` on until the transaction ends nobody else files letters of this organization.
    """

    organization_id: int
    store_id: int | None
    keys: Keys
    _known: dict[int, Kin] = field(default_factory=dict)
    _threads: dict[int, Thread] = field(default_factory=dict)
    _named: defaultdict[str, list[Kin]] = field(default_factory=lambda: defaultdict(list))
    _answers: defaultdict[str, list[Kin]] = field(default_factory=lambda: defaultdict(list))
    _asked: set[str] = field(default_factory=set)
    _asked_for_answers: set[str] = field(default_factory=set)

    def look_up(self, own: Iterable[str], named: Iterable[str]) -> None:
        """Find the letters held with any of these Message-IDs, and those that answer `own` ones."""
        mine = {one for one in own if one} - self._asked_for_answers
        ids = mine.union(one for one in named if one) - self._asked
        if not mine and not ids:
            return
        self._asked |= ids
        self._asked_for_answers |= mine
        lock_filing(self.organization_id)
        held = self._of_store(with_ids, ids)
        answering = self._of_store(answers, mine)
        self._load_threads([*held, *answering])
        for row in held:
            self._named[row.of].append(self._kin(row))
        for row in answering:
            self._answers[row.of].append(self._kin(row))

    def held(self, letter: Letter) -> Kin | None:
        """The letter of the same identity."""
        if letter.identity is None:
            return None
        same = (one for one in self._named[letter.message_id] if one.identity == letter.identity)
        return next(same, None)

    def add(self, key: int, letter: Letter, customer_id: int | None) -> Kin:
        """A new letter, in its conversation: found, merged or begun, and moved on to its time."""
        thread = self._place(letter, customer_id)
        kin = Kin(
            key=key,
            message_id=letter.message_id,
            identity=letter.identity,
            customer_id=customer_id,
            whole=bool(letter.sha256),
            stored=False,
            thread=thread,
        )
        self._known[key] = kin
        if letter.message_id:
            self._named[letter.message_id].append(kin)
        for name in letter.names():
            self._answers[name].append(kin)
        return kin

    def of_message(self, key: int) -> Kin | None:
        """The letter of this key, if it was found or added."""
        return self._known.get(key)

    def forget(self, key: int) -> None:
        """This letter is to be removed: nothing follows from it any more."""
        if self._known.pop(key, None) is not None:
            for index in (self._named, self._answers):
                for kins in index.values():
                    kins[:] = [one for one in kins if one.key != key]

    def store_new(self) -> None:
        """Before the letters that belong to them."""
        begun = [t for t in self._threads.values() if not t.stored and t.became is None]
        rows = [
            (
                self.organization_id,
                self.store_id,
                thread.key,
                thread.customer_id,
                thread.subject,
                thread.started_at,
                thread.last_message_at,
                thread.closed_at,
            )
            for thread in begun
        ]
        insert_rows(Conversation, _CONVERSATION, rows)

    def store_changes(self) -> None:
        """After the letters: what moved on, and what was merged."""
        merged = [t for t in self._threads.values() if t.stored and t.became is not None]
        move_letters([(thread.key, thread.as_it_is().key) for thread in merged])
        changed = [
            thread
            for thread in self._threads.values()
            if thread.stored and thread.changed and thread.became is None
        ]
        move_conversations(
            [(t.key, t.subject, t.started_at, t.last_message_at, t.customer_id) for t in changed]
        )
        reopened = [thread.key for thread in changed if thread.reopened]
        if reopened:
            Conversation.objects.filter(pk__in=reopened).update(closed_at=None)

    def _of_store(self, ask: _Question, ids: Iterable[str]) -> list[Relative]:
        """The store is compared here: asked for in SQL, it could make the planner read all the
        letters of the store instead.
        """
        found: list[Relative] = []
        for piece in in_pieces(ids):
            found += ask(self.organization_id, piece)
        return [row for row in found if row.store_id == self.store_id]

    def _load_threads(self, rows: list[Relative]) -> None:
        missing = {row.conversation_id for row in rows} - self._threads.keys()
        for piece in in_pieces(missing):
            found = Conversation.objects.filter(pk__in=piece).values_list(
                "pk", "subject", "started_at", "last_message_at", "closed_at", "customer_id"
            )
            self._threads |= {values[0]: Thread(*values, stored=True) for values in found}

    def _kin(self, row: Relative) -> Kin:
        kin = self._known.get(row.key)
        if kin is None:
            kin = self._known[row.key] = Kin(
                key=row.key,
                message_id=row.message_id,
                identity=row.identity,
                customer_id=row.customer_id,
                whole=bool(row.sha256),
                stored=True,
                thread=self._threads[row.conversation_id],
            )
        return kin

    def _place(self, letter: Letter, customer_id: int | None) -> Thread:
        found = self._found(letter, customer_id)
        if not found:
            return self._begin(letter, customer_id)
        kept, *others = sorted(found, key=lambda thread: (thread.started_at, thread.key))
        kept.swallow(others)
        kept.take(letter, customer_id)
        return kept

    def _found(self, letter: Letter, customer_id: int | None) -> set[Thread]:
        """The conversations that this letter joins."""
        found: set[Thread] = set()
        for name in letter.names():
            found |= _threads_of(self._named[name], customer_id)
        answering = self._answers[letter.message_id] if letter.message_id else []
        # Another letter has this one's Message-ID: the answers may be meant for that one.
        shared = bool(letter.message_id and self._named[letter.message_id])
        return found | _threads_of(answering, customer_id, shared=shared)

    def _begin(self, letter: Letter, customer_id: int | None) -> Thread:
        at = letter.happened_at()
        key = self.keys.next(Conversation)
        begun = Thread(
            key=key,
            subject=letter.subject,
            started_at=at,
            last_message_at=at,
            closed_at=timezone.now() if letter.closed else None,
            customer_id=customer_id,
            stored=False,
        )
        self._threads[key] = begun
        return begun


def lock_filing(organization_id: int) -> None:
    """Until the transaction ends, nobody else files letters of this organization.

    A reply and its original that are stored at the same time do not see each other, and would stay
    apart for ever. Taken at the start of a batch it also keeps two batches from waiting for each
    other (customers, groups) in opposite orders. On SQLite whoever writes is alone anyway.
    """
    if connection.features.has_select_for_update:
        # Not the key: rows that refer to the organization are stored meanwhile.
        rows = Organization.objects.select_for_update(no_key=True)
        rows.values_list("pk").get(pk=organization_id)


def _threads_of(
    kins: list[Kin], customer_id: int | None, *, shared: bool | None = None
) -> set[Thread]:
    """Whose conversations these are; of a `shared` id (by default: one that is in several
    conversations) only the customer's.
    """
    threads = {kin.thread.as_it_is() for kin in kins}
    if shared or (shared is None and len(threads) > 1):
        same = (kin for kin in kins if kin.customer_id and kin.customer_id == customer_id)
        return {kin.thread.as_it_is() for kin in same}
    return threads
