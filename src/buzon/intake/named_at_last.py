"""A POP3 server that names a known message by another UIDL, by its first, by none any more, or by
the same after it had gone.

    known by the digest of its octets ─▶ the same octets under a UIDL ─┐
                                         (a server that learnt UIDLs)  ├─▶ the same arrival
    its name went just now            ─▶ the same octets, new name    ─┤
                                         (it moved, rebuilt its index, or names badly this time)
    its name went at some time        ─▶ the same octets, same name   ─┘
                                         (the mail was hidden for a while)

Names that go and come in one listing are seen to before (`renaming_pop3`); this is for what is only
known once it is here. The row takes the new name, so that what is in custody is never filed again.
*Just now* is since the last collection that went well: one that was cut short may have closed rows
and found nothing anew. Mail that went before stays gone: its return under another name is a new
arrival, and so is other mail of the same name (RFC 1939 §7).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from buzon.intake.given import Given
from buzon.intake.models import Arrival, Folder
from buzon.intake.names import DIGEST
from buzon.intake.run import Run

Held = defaultdict[str, list[Arrival]]


def known_before(run: Run, folder: Folder, got: Sequence[tuple[Arrival, Given]]) -> list[Arrival]:
    """Those of the retrieved rows whose message has a row already: that row takes the name, and
    these leave the ledger. One transaction. Raises LeaseLost.
    """
    digests = [(message.sha256, new) for new, message in got if message.error is None]
    since = run.account.last_collected_at or run.account.created_at
    gone = _gone(folder, digests, since)
    unnamed = _unnamed(folder)
    pairs = []
    for digest, new in digests:
        old = _of_same_name(gone[digest], new) or _last(gone[digest], since)
        if old is None and unnamed[digest] and not _is_unnamed(new):
            old = unnamed[digest].pop()
        if old is not None:
            pairs.append((old, new))
    if pairs:
        _take_names(run, pairs)
    return [new for _, new in pairs]


def _is_unnamed(row: Arrival) -> bool:
    return (row.uidl or "").startswith(DIGEST)


def _gone(folder: Folder, digests: Sequence[tuple[str, Arrival]], since: datetime) -> Held:
    """By digest, the oldest last: what went just now, and what has one of these names."""
    just_now = Q(gone_at__gte=since, settled_at=None)
    named = Q(gone_at__isnull=False, uidl__in=[new.uidl for _, new in digests])
    rows = Arrival.objects.filter(
        just_now | named, folder=folder, sha256__in={digest for digest, _ in digests}
    )
    return _by_digest((row.sha256, row) for row in rows.order_by("-pk"))


def _of_same_name(held: list[Arrival], new: Arrival) -> Arrival | None:
    """Taken from `held`. A name that says no more than the octets do may be of a new message where
    we removed the old one.
    """
    chosen = [row for row in held if row.uidl == new.uidl]
    if _is_unnamed(new):
        chosen = [row for row in chosen if row.settled_at is None]
    return _taken(held, chosen)


def _last(held: list[Arrival], since: datetime) -> Arrival | None:
    """Of what went just now; those that we removed ourselves are settled. Taken from `held`."""
    return _taken(held, [row for row in held if _went_just_now(row, since)])


def _taken(held: list[Arrival], chosen: list[Arrival]) -> Arrival | None:
    if chosen:
        held.remove(chosen[-1])
    return chosen[-1] if chosen else None


def _went_just_now(row: Arrival, since: datetime) -> bool:
    return row.gone_at is not None and row.gone_at >= since and row.settled_at is None


def _unnamed(folder: Folder) -> Held:
    """Those on the server that have no UIDL, by the digest that their name holds."""
    rows = Arrival.objects.filter(folder=folder, uidl__startswith=DIGEST, gone_at=None)
    names = ((row.uidl or "", row) for row in rows.order_by("-pk"))
    return _by_digest((name.removeprefix(DIGEST).partition("#")[0], row) for name, row in names)


def _by_digest(pairs: Iterable[tuple[str, Arrival]]) -> Held:
    held: Held = defaultdict(list)
    for digest, row in pairs:
        held[digest].append(row)
    return held


def _take_names(run: Run, pairs: Sequence[tuple[Arrival, Arrival]]) -> None:
    with transaction.atomic():
        run.lease.fence()
        for old, new in pairs:
            Arrival.objects.filter(pk=new.pk).delete()
            Arrival.objects.filter(pk=old.pk).update(
                uidl=new.uidl,
                generation=new.generation,
                listed_size=new.listed_size,
                gone_at=None,
                settling_at=None,
                settled_at=None,
            )
