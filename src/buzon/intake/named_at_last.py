"""A POP3 server that names a known message by another UIDL, by its first, or by none any more.

    known by the digest of its octets ─▶ the same octets under a UIDL ─┐
                                         (a server that learnt UIDLs)  ├─▶ the same arrival
    its name went just now            ─▶ the same octets, new name    ─┘
                                         (it moved, rebuilt its index, or names badly this time)

Names that go and come in one listing are seen to before (`renaming_pop3`); this is for what is only
known once it is here. The row takes the new name, so that what is in custody is never filed again.
*Just now* is since the last collection that went well: one that was cut short may have closed rows
and found nothing anew. Mail that went before stays gone: its return under whatever name is a new
arrival (RFC 1939 §7).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from django.db import transaction

from buzon.intake import vault
from buzon.intake.compare_pop3 import DIGEST
from buzon.intake.models import Arrival, Folder
from buzon.intake.retrieved import FromServer
from buzon.intake.run import Run

Message = TypeVar("Message", bound=FromServer)
Held = defaultdict[str, list[Arrival]]


def known_before(run: Run, folder: Folder, got: Sequence[tuple[Arrival, Message]]) -> list[Arrival]:
    """Those of the retrieved rows whose message has a row already: that row takes the name, and
    these leave the ledger. One transaction. Raises LeaseLost.
    """
    digests = [(vault.digest(message.octets), new) for new, message in got if message.error is None]
    gone = _just_gone(run, folder, {digest for digest, _ in digests})
    unnamed = _unnamed(folder)
    pairs = []
    for digest, new in digests:
        held = gone[digest] or ([] if _is_unnamed(new) else unnamed[digest])
        if held:
            pairs.append((held.pop(), new))
    if pairs:
        _take_names(run, pairs)
    return [new for _, new in pairs]


def _is_unnamed(row: Arrival) -> bool:
    return (row.uidl or "").startswith(DIGEST)


def _just_gone(run: Run, folder: Folder, digests: Collection[str]) -> Held:
    """By digest, the oldest last; those that we removed ourselves are settled."""
    since = run.account.last_collected_at or run.account.created_at
    rows = Arrival.objects.filter(
        folder=folder, gone_at__gte=since, settled_at=None, sha256__in=digests
    )
    return _by_digest((row.sha256, row) for row in rows.order_by("-pk"))


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
                uidl=new.uidl, generation=new.generation, gone_at=None, settling_at=None
            )
