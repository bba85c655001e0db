"""POP3: known names went, and there are messages of unknown names. Find the mail again first.

    1. ask for the header of each unknown message (TOP); without TOP, and where it has no UIDL of
       its own, for all of it
    2. match them with the rows whose names went (`match_pop3`), and retrieve those of which only
       the octets tell
    3. of the rest, those dated before the baseline are history, as far as history is missing: the
       oldest first; what was outside the window stays outside
    4. loop guard; and where much is lost and as much is strange and old, it may be another mailbox:
       stop, change nothing, and ask a person (`buzon account resume`)
    5. one transaction: found rows take the new names, the others are closed, history goes outside
       or into the ledger, and so does new mail

Everything is asked before anything is changed, so a session that is cut leaves all as it was. A
message that the server does not give, or hangs up at (`stumbles`), is waited for, for a day, with
the names that may be its.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from buzon.desk.reasons import reason
from buzon.intake.again import again
from buzon.intake.batches import MOST_HEADERS, by_octets
from buzon.intake.collect_pop3_digest import keyed_batches, known_unnamed
from buzon.intake.compare_pop3 import (
    Names,
    add_outside,
    add_rows,
    forget_outside,
    generations,
    is_history_begun,
)
from buzon.intake.gone import close
from buzon.intake.match_pop3 import Card, Search
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.names import DIGEST, is_void
from buzon.intake.renumbering import MustAsk, guard_against_loops
from buzon.intake.run import Run
from buzon.intake.statements import update_arrivals
from buzon.intake.stumbles import pop3_headers, pop3_messages
from buzon.intake.window import is_history, is_wanted
from buzon.wire.errors import NotPermitted
from buzon.wire.pop3 import Listing, Pop3Session

FEW = 10  # rows; that so many went says nothing of the mailbox
ENOUGH = 0.8
WAIT_FOR_UNTOLD = timedelta(days=1)
_CHUNK = 500


def is_suspect(folder: Folder, names: Names, named: Mapping[str, Listing], *, unnamed: int) -> bool:
    """Whether messages that we know may be among those whose names we do not know.

    Messages without a UIDL are known by their octets: they cannot change their names among
    themselves, only from or to a UIDL.
    """
    if folder.baseline_at is None:
        return False
    known = names.rows.keys() | names.outside
    new = named.keys() - known
    if is_void(folder):
        return bool(new or unnamed)
    if not names.outside_gone.isdisjoint(new):
        return True
    gone = any(name not in named for name in known if not name.startswith(DIGEST))
    by_digest = folder.low > 1 or any(name.startswith(DIGEST) for name in known)
    return (gone and bool(new or unnamed)) or (by_digest and bool(new))


@dataclass(slots=True)
class _Look:
    """What one listing, and the answers to what was asked about it, say."""

    search: Search
    expected: int  # rows known by a header, before
    gone_outside: list[str]
    kept_names: bool  # some message has the name that it had
    untold_unnamed: int
    is_elsewhere: bool  # the names were of another server
    outside_gone: set[str]  # names of what was outside and went, before this listing
    outside: list[Card] = field(default_factory=list)
    history: list[Card] = field(default_factory=list)

    @property
    def untold(self) -> int:
        """How many messages the server did not give, so that nobody knows which they are."""
        return self.untold_unnamed + sum(not card.is_told for card in self.search.unknown)

    @property
    def is_renaming(self) -> bool:
        """Whether UIDLs became other UIDLs. From or to no UIDL of its own is none: a server that
        has one for several messages gives and takes it with each that comes or goes.
        """
        moved = [(row.uidl or "", card.name) for row, card in self.search.again]
        moved += zip(self.gone_outside, (card.name for card in self.outside), strict=False)
        return any(DIGEST not in (old[: len(DIGEST)], new[: len(DIGEST)]) for old, new in moved)

    @property
    def new(self) -> list[Card]:
        """Messages that are neither known nor history."""
        old = {id(card) for card in (*self.outside, *self.history)}
        return [card for card in self.search.unknown if id(card) not in old]


def find_again(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    names: Names,
    listing: Sequence[Listing],
) -> None:
    """All five steps. Raises MustAsk, MailError, LeaseLost, and then nothing has changed."""
    look = _looked(run, session, folder, names, listing)
    look.search.match()
    if doubts := look.search.in_doubt():
        retrieve(run, session, folder, doubts)
        look.search.match()
    _date(run.account, folder, look)
    changes = _ask_if_needed(run, folder, look)
    again(lambda: _commit(run, folder, look, changes))
    folder.refresh_from_db()


# 1. What is there.


def _looked(
    run: Run, session: Pop3Session, folder: Folder, names: Names, listing: Sequence[Listing]
) -> _Look:
    known = names.rows.keys() | names.outside
    named = {each.uidl for each in listing if each.uidl is not None}
    unnamed, untold, present = _unnamed_cards(
        run, session, folder, [each for each in listing if each.uidl is None]
    )
    cards = [Card(each, each.uidl) for each in listing if each.uidl and each.uidl not in known]
    tell(run, session, folder, cards)
    present |= named
    # What has no UIDL is gone only where all of those were seen.
    went = [n for n in known - present if not (untold and n.startswith(DIGEST))]
    return _Look(
        search=Search(_rows([names.rows[n] for n in went if n in names.rows]), cards + unnamed),
        expected=Arrival.objects.filter(folder=folder).live().exclude(header_digest="").count(),
        gone_outside=sorted(name for name in went if name in names.outside),
        kept_names=not known.isdisjoint(present),
        untold_unnamed=untold,
        is_elsewhere=is_void(folder),
        outside_gone=names.outside_gone,
    )


def _rows(keys: Sequence[int]) -> list[Arrival]:
    rows: list[Arrival] = []
    for start in range(0, len(keys), _CHUNK):
        rows += Arrival.objects.filter(pk__in=keys[start : start + _CHUNK])
    return rows


def _unnamed_cards(
    run: Run, session: Pop3Session, folder: Folder, unnamed: Sequence[Listing]
) -> tuple[list[Card], int, set[str]]:
    """Those that we do not know, how many were not given, and the names of all the others."""
    known = known_unnamed(folder)
    cards = []
    for batch in keyed_batches(run, session, folder, unnamed, known=known):
        for each in batch:
            if each.key in known.rows or each.key in known.outside:
                continue
            card = Card(each.listing, each.key, is_too_large=each.message is None)
            if each.message is not None:
                card.tell_whole(each.message.octets)
            cards.append(card)
    return cards, known.untold, known.present


def tell(run: Run, session: Pop3Session, folder: Folder, cards: Sequence[Card]) -> None:
    """Every card's header, by TOP; where there is none, by the whole message."""
    for start in range(0, len(cards), MOST_HEADERS):
        run.between_steps()
        if session.has_top:
            _ask_headers(run, session, folder, cards[start : start + MOST_HEADERS])
    if session.has_top:
        return
    left = [card for card in cards if not card.is_told]
    for card in left:
        card.is_too_large = card.listing.size > run.account.max_message_bytes
    retrieve(run, session, folder, [card for card in left if not card.is_too_large])


def _ask_headers(run: Run, session: Pop3Session, folder: Folder, cards: Sequence[Card]) -> None:
    by_number = {card.listing.number: card for card in cards}
    try:
        for top in pop3_headers(run, session, folder, [card.listing for card in cards]):
            run.lease.renew_if_needed()
            if top.error is None:
                by_number[top.number].tell(top.octets)
    except NotPermitted:
        if session.has_top:
            raise  # else TOP, though offered, turned out not to work


def retrieve(run: Run, session: Pop3Session, folder: Folder, cards: Sequence[Card]) -> None:
    """The octets, to look at and to forget."""
    for chunk in by_octets(cards, lambda card: card.listing.size):
        run.before_batch()
        by_number = {card.listing.number: card for card in chunk}
        for message in pop3_messages(run, session, folder, [card.listing for card in chunk]):
            run.lease.renew_if_needed()
            try:
                if message.error is None:
                    by_number[message.number].tell_whole(message.octets)
            finally:
                if not isinstance(message.octets, bytes):
                    message.octets.close()
        run.received(session.bytes_in)


# 3. and 4. What it means.


def _date(account: CollectionAccount, folder: Folder, look: _Look) -> None:
    """Sets `outside` and `history`: what was outside, went and is back, and else no more than is
    missing of both, unless the first look never
    came to its end, the server is another one, or a person said: go on.
    """
    missing = len(look.gone_outside) + sum(row.of_history for row in look.search.gone)
    if folder.low > 1 or account.accept_renumbering or look.is_elsewhere:
        missing = len(look.search.unknown)
    old = [card for card in look.search.unknown if is_history(folder, uid=None, date=card.date)]
    # A name may be used anew: that it is the same mail, only a server's date tells.
    back = [card for card in old if card.name in look.outside_gone and card.is_traced]
    old = [card for card in old if card not in back]
    oldest = sorted(old, key=lambda card: (card.date, -card.listing.number))
    for card in (*back, *oldest[:missing]):
        wanted = is_wanted(account, folder, uid=None, date=card.date)
        (look.history if wanted else look.outside).append(card)


def _ask_if_needed(run: Run, folder: Folder, look: _Look) -> list[str]:
    """The renamings of the last day, with this one if it is one. Raises MustAsk."""
    _ask_if_strange(run.account, folder, look)
    if look.is_renaming and not look.kept_names:
        return guard_against_loops(run, folder)
    return list(folder.validity_changes)


def _ask_if_strange(account: CollectionAccount, folder: Folder, look: _Look) -> None:
    """Mail that is new has come since the last collection; much that is older, instead of much that
    we know, is another mailbox, or one that was restored from somewhere. On another server, that
    much is lost is enough.
    """
    last = account.last_collected_at
    # One whose header never came cannot be found again; one that we were deleting went as asked.
    lost = sum(bool(row.header_digest) and not row.settling_at for row in look.search.gone)
    few = (lost < FEW and not look.is_elsewhere) or lost <= (1 - ENOUGH) * look.expected
    if last is None or few or account.accept_renumbering:
        return
    strange = [*look.history, *look.new]
    if (
        look.is_elsewhere
        or sum(card.date is not None and card.date < last for card in strange) >= lost
    ):
        found, expected = look.expected - lost, look.expected
        raise MustAsk(reason("renumbered", found=found, expected=expected, folder=folder.name))


# 5. What is done.


def _commit(run: Run, folder: Folder, look: _Look, changes: list[str]) -> None:
    waits = _is_to_wait(folder, look)
    gone = [] if waits else look.search.gone
    with transaction.atomic():
        run.lease.fence()
        _take_names(folder, look.search.again)
        close([row.pk for row in gone])
        # While we wait, only as many as were found again.
        forget_outside(folder, look.gone_outside[: len(look.outside) if waits else None])
        add_outside(folder, [card.name for card in look.outside])
        new = [card for card in look.new if card.is_told or not waits]
        _add(run.account, folder, look.history, of_history=True)
        _add(run.account, folder, new, of_history=False)
        values: dict[str, Any] = {"validity_changes": changes, "untold_since": None}
        values["uidvalidity"] = None
        if waits:
            values["untold_since"] = folder.untold_since or timezone.now()
        if not is_history_begun(folder):
            lost = [row.size for row in gone if row.of_history and not row.sha256]
            found = [card.listing.size for card in look.history]
            values["history_total"] = F("history_total") + len(found) - len(lost)
            values["history_octets"] = F("history_octets") + sum(found) - sum(lost)
        Folder.objects.filter(pk=folder.pk).update(**values)


def _is_to_wait(folder: Folder, look: _Look) -> bool:
    """Whether what is missing may still be among the messages that the server did not give."""
    if not look.untold or not (look.search.gone or look.gone_outside):
        return False
    since = folder.untold_since
    return since is None or timezone.now() - since < WAIT_FOR_UNTOLD


def _take_names(folder: Folder, pairs: Sequence[tuple[Arrival, Card]]) -> None:
    past = generations(folder, [card.name for _, card in pairs])
    for row, card in pairs:
        row.uidl, row.generation = card.name, past.get(card.name, 0) + 1
        row.listed_size, row.settling_at = card.listing.size, None
    changed = ["uidl", "generation", "listed_size", "settling_at"]
    update_arrivals([row for row, _ in pairs], changed)


def _add(
    account: CollectionAccount, folder: Folder, cards: Sequence[Card], *, of_history: bool
) -> None:
    listed = [Listing(card.listing.number, card.listing.size, card.name) for card in cards]
    add_rows(account, folder, listed, of_history=of_history)
