"""UIDVALIDITY has changed: every UID we know is void (RFC 9051 §2.3.1.1). Find the mail again.

    1. loop guard: three changes within a day stop the account
    2. list every message's whole header and size
    3. match them, as multisets of (header digest, size), with the rows still expected here; then
       by header alone what has a Message-ID and is unique (servers are wrong about sizes); and by
       size and internal date what the server does not give (`stumbles`)
    4. under 80 % found: stop, change nothing, and ask a person (`buzon account resume`)
    5. of the rest, what was there at the baseline is history: it stays outside, or is to come, as
       the window says, in whatever order the UIDs are now (`before_baseline`); all else is new
    6. one transaction: found rows get their new UIDs, the others are closed, new mail gets rows,
       the cursor stands behind everything listed

The same is done where a person changed the server or the login, and where a UID is found to name
another message under the same UIDVALIDITY: such UIDs are void (`names`).

Nothing is settled before that transaction has committed.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from buzon.desk.reasons import reason, sentence
from buzon.intake.again import again
from buzon.intake.before_baseline import dates_of_history
from buzon.intake.gone import close
from buzon.intake.models import Arrival, Folder, OutsideMail
from buzon.intake.run import Run
from buzon.intake.statements import insert_arrivals, update_arrivals
from buzon.intake.stumbles import imap_headers
from buzon.intake.window import is_wanted
from buzon.wire.imap import ImapSession, Selected
from buzon.wire.reading import read_header
from buzon.wire.reading.received import received_date

ENOUGH = 0.8
MOST_CHANGES = 3
GUARDED = timedelta(days=1)


class MustAsk(Exception):
    """The account stops until a person decides; `why` is the reason as data."""

    def __init__(self, why: dict[str, Any]) -> None:
        self.why = why
        told = _("{why}: nothing was changed; decide with buzon account resume.")
        self.sentence = told.format(why=sentence(why))
        super().__init__(self.sentence)


class Card(NamedTuple):
    """What is kept of one header of the new listing; `sent` is the topmost Received field's date,
    else the Date field's.
    """

    uid: int
    size: int
    digest: str
    date: datetime | None
    has_message_id: bool
    sent: datetime | None = None


@dataclass(slots=True)
class Found:
    """What the new listing says of the rows: (row, its message), rows that are gone, and messages
    without a row.
    """

    again: list[tuple[Arrival, Card]] = field(default_factory=list)
    gone: list[Arrival] = field(default_factory=list)
    unknown: list[Card] = field(default_factory=list)
    highest: int = 0


@dataclass(slots=True)
class Sorted:
    """What the messages without a row are. `by_uid`: outside, though its internal date would say
    that it is not: the server has lost it.
    """

    new: list[Card] = field(default_factory=list)
    to_come: list[Card] = field(default_factory=list)
    outside: list[Card] = field(default_factory=list)
    by_uid: list[Card] = field(default_factory=list)


def find_again(run: Run, session: ImapSession, folder: Folder, selected: Selected) -> None:
    """All six steps. Raises MustAsk, and then nothing has changed."""
    changes = guard_against_loops(run, folder)
    cards = _cards(run, session, folder)
    rows = list(Arrival.objects.filter(folder=folder).live())
    found = match(rows, cards)
    # A row whose header never came cannot be found again, and is no sign of anything.
    expected = sum(bool(row.header_digest) for row in rows)
    again_ = sum(bool(row.header_digest) for row, _ in found.again)
    if again_ < ENOUGH * expected and not run.account.accept_renumbering:
        raise MustAsk(reason("renumbered", found=again_, expected=expected, folder=folder.name))
    sorted_ = _sorted(run, folder, found)
    again(lambda: _commit(run, folder, selected, found, sorted_, changes))
    folder.refresh_from_db()
    run.retrieved.clear()  # by names that may mean others now


def guard_against_loops(run: Run, folder: Folder) -> list[str]:
    """The changes of the last day, this one included, as ISO times. Raises MustAsk."""
    now = timezone.now()
    recent = [at for at in folder.validity_changes if _is_recent(at)] + [now.isoformat()]
    if len(recent) >= MOST_CHANGES and not run.account.accept_renumbering:
        raise MustAsk(reason("renumbered_often", times=len(recent), folder=folder.name))
    return recent


def _is_recent(at: str) -> bool:
    moment = parse_datetime(at)
    return moment is not None and moment > timezone.now() - GUARDED


def _cards(run: Run, session: ImapSession, folder: Folder) -> list[Card]:
    uids = session.uids()
    cards = []
    for header in imap_headers(run, session, folder, uids):
        run.between_steps()
        if header.error is not None:
            cards.append(Card(header.uid, header.size, "", header.internal_date, False))
            continue
        reading = read_header(header.octets)
        digest, named = reading.header_digest, bool(reading.message_id)
        sent = received_date(header.octets) or reading.date
        cards.append(Card(header.uid, header.size, digest, header.internal_date, named, sent))
    return cards + _left_out(session, set(uids) - {card.uid for card in cards})


def _left_out(session: ImapSession, uids: Set[int]) -> list[Card]:
    """Of what the server does not give, it lists the size and the date all the same."""
    if not uids:
        return []
    listed = session.listing(min(uids), max(uids))
    return [Card(m.uid, m.size, "", m.internal_date, False) for m in listed if m.uid in uids]


def match(rows: Sequence[Arrival], cards: Sequence[Card]) -> Found:
    """Which row is which message. Rows and cards in any order; of equal ones the order stays."""
    found = Found(highest=max((card.uid for card in cards), default=0))
    waiting: dict[tuple[str, int], list[Arrival]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: -(row.uid or 0)):
        waiting[row.header_digest, row.size].append(row)
    left: list[Card] = []
    for card in sorted(cards):
        candidates = waiting[card.digest, card.size] if card.digest else []
        if candidates:
            found.again.append((candidates.pop(), card))
        else:
            left.append(card)
    _match_by_header(found, [row for one in waiting.values() for row in one], left)
    return found


def _match_by_header(found: Found, rows: Sequence[Arrival], cards: Sequence[Card]) -> None:
    rows_of, cards_of = defaultdict(list), defaultdict(list)
    for row in rows:
        rows_of[row.header_digest].append(row)
    for card in cards:
        cards_of[card.digest].append(card)
    for card in cards:
        same = rows_of[card.digest]
        if card.has_message_id and len(same) == len(cards_of[card.digest]) == 1:
            found.again.append((same.pop(), card))
        else:
            found.unknown.append(card)
    found.gone = [row for one in rows_of.values() for row in one]
    _match_untold(found)


def _match_untold(found: Found) -> None:
    """What the server does not give: by its size and internal date, where there is no other such.

    Before it is removed its header is asked for (`settle_imap`), so nothing is lost by it.
    """
    rows_of, cards_of = defaultdict(list), defaultdict(list)
    for row in found.gone:
        rows_of[row.listed_size or row.size, row.internal_date].append(row)
    for card in found.unknown:
        if not card.digest and card.date is not None:
            cards_of[card.size, card.date].append(card)
    only = [key for key, cards in cards_of.items() if len(cards) == len(rows_of[key]) == 1]
    pairs = [(rows_of[key][0], cards_of[key][0]) for key in only]
    rows, cards = {row.pk for row, _ in pairs}, {card.uid for _, card in pairs}
    found.again += pairs
    found.gone = [row for row in found.gone if row.pk not in rows]
    found.unknown = [card for card in found.unknown if card.uid not in cards]


def _sorted(run: Run, folder: Folder, found: Found) -> Sorted:
    """Step 5."""
    gone = sum(row.of_history for row in found.gone)
    missing = folder.outside + folder.to_come + gone
    history = dates_of_history(folder, found.unknown, found.again, missing=missing)
    told = Sorted()
    # From here on a UID below the baseline's is one of now, and has a row or is history.
    folder.baseline_uidnext = found.highest + 1
    for card in found.unknown:
        if card.uid not in history:
            told.new.append(card)
        elif is_wanted(run.account, folder, uid=card.uid, date=history[card.uid]):
            told.to_come.append(card)
        else:
            told.outside.append(card)
            if is_wanted(run.account, folder, uid=card.uid, date=card.date):
                told.by_uid.append(card)
    return told


def _commit(
    run: Run,
    folder: Folder,
    selected: Selected,
    found: Found,
    told: Sorted,
    changes: list[str],
) -> None:
    """Step 6."""
    octets = sum(card.size for card in told.to_come)
    with transaction.atomic():
        run.lease.fence()
        close([row.pk for row in found.gone])
        for row, card in found.again:
            row.uid, row.uidvalidity = card.uid, selected.uidvalidity
        update_arrivals([row for row, _ in found.again], ["uid", "uidvalidity"])
        insert_arrivals([_row(run, folder, selected, card) for card in told.new])
        OutsideMail.everything.filter(folder=folder).delete()
        OutsideMail.objects.bulk_create(
            [OutsideMail(folder=folder, uidl=str(card.uid)) for card in told.by_uid]
        )
        Folder.objects.filter(pk=folder.pk).update(
            uidvalidity=selected.uidvalidity,
            baseline_uidnext=folder.baseline_uidnext,
            high=found.highest,
            low=found.highest + 1 if told.to_come else 1,
            to_come=len(told.to_come),
            octets_to_come=octets,
            outside=len(told.outside),
            validity_changes=changes,
        )


def _row(run: Run, folder: Folder, selected: Selected, card: Card) -> Arrival:
    """New mail, which waits for download."""
    return Arrival(
        organization_id=run.account.organization_id,
        account=run.account,
        folder=folder,
        uidvalidity=selected.uidvalidity,
        uid=card.uid,
        size=card.size,
        internal_date=card.date,
    )
