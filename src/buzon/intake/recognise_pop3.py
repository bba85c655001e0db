"""POP3: whether a UIDL still names the message that its row is of.

A UIDL may be used again once its message was deleted (RFC 1939 §7), and another server may have the
same ones. So a message is looked at once more where the size in LIST is not what it was, and before
it is deleted by a session that has not retrieved it.

the header is another        another message
the same, and it is singular the same message (it has a Message-ID or a Received field)
the same, or without TOP     only the octets tell, where we hold them
not given                    nobody knows: nothing is done to it (`stumbles`: it holds up nothing)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from buzon.intake.compare_pop3 import Names
from buzon.intake.gone import close
from buzon.intake.match_pop3 import Card
from buzon.intake.models import Arrival, Folder
from buzon.intake.renaming_pop3 import retrieve, tell
from buzon.intake.run import Run
from buzon.intake.statements import update_arrivals
from buzon.wire.pop3 import Listing, Pop3Session

_CHUNK = 500


@dataclass(slots=True)
class Recognised:
    """Rows whose message is there under their name, and rows whose name another one has now; of
    what the server did not give, neither.
    """

    same: list[Arrival] = field(default_factory=list)
    other: list[Arrival] = field(default_factory=list)


def recognise(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    rows: Sequence[Arrival],
    *,
    named: Mapping[str, Listing],
) -> Recognised:
    """Look at the messages that have the names of these rows now. Changes nothing."""
    pairs = [(row, Card(named[row.uidl or ""], row.uidl or "")) for row in rows]
    tell(run, session, folder, [card for _, card in pairs])
    limit = run.account.max_message_bytes
    doubts = [card for row, card in pairs if _only_octets_tell(row, card)]
    retrieve(run, session, folder, [card for card in doubts if card.listing.size <= limit])
    found = Recognised()
    for row, card in pairs:
        is_same = _is_same(row, card)
        if is_same is not None:
            (found.same if is_same else found.other).append(row)
    return found


def _only_octets_tell(row: Arrival, card: Card) -> bool:
    has_same_header = bool(card.header_digest) and card.header_digest == row.header_digest
    return has_same_header and bool(row.sha256) and not (card.is_singular or card.sha256)


def _is_same(row: Arrival, card: Card) -> bool | None:
    """None where nobody knows."""
    if not row.header_digest:
        return True  # it was never seen: it is whatever is there
    if not card.header_digest:
        return None
    if card.sha256 and row.sha256:
        return card.sha256 == row.sha256
    if card.header_digest != row.header_digest:
        return False
    return None if _only_octets_tell(row, card) else True


def look_at_other_sizes(
    run: Run, session: Pop3Session, folder: Folder, names: Names, named: Mapping[str, Listing]
) -> Names:
    """Known names whose messages have another size than before: the rows of those that are others
    are closed, so that what is there is new. Returns what the ledger knows then.
    """
    keys = [
        names.rows[uidl]
        for uidl, size in names.sizes.items()
        if uidl in named and named[uidl].size != size
    ]
    if not keys:
        return names
    rows: list[Arrival] = []
    for start in range(0, len(keys), _CHUNK):
        rows += Arrival.objects.filter(pk__in=keys[start : start + _CHUNK])
    found = recognise(run, session, folder, rows, named=named)
    for row in found.same:
        row.listed_size = named[row.uidl or ""].size
        row.size = row.size if row.sha256 else row.listed_size
    with transaction.atomic():
        run.lease.fence()
        update_arrivals(found.same, ["listed_size", "size"])
        close([row.pk for row in found.other])
    return Names.of(folder)


def let_go(run: Run, rows: Sequence[Arrival]) -> None:
    """Their names mean other messages: the next session takes those as new."""
    with transaction.atomic():
        run.lease.fence()
        close([row.pk for row in rows])
