"""A POP3 server that names a known message by another UIDL, or by its first.

    known by the digest of its octets ─┐
    known by a UIDL that went just now ├─▶ the same octets under a new UIDL: the same arrival
                                       ┘   (a server that moved, or rebuilt its index)

The row takes the new name, so that what is in custody is never filed again. Mail that went before
this run stays gone: its return under whatever name is a new arrival (RFC 1939 §7).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models import Q

from buzon.intake import vault
from buzon.intake.compare_pop3 import DIGEST
from buzon.intake.models import Arrival, Folder
from buzon.intake.retrieved import FromServer
from buzon.intake.run import Run

Message = TypeVar("Message", bound=FromServer)


def known_before(run: Run, folder: Folder, got: Sequence[tuple[Arrival, Message]]) -> list[Arrival]:
    """Those of the retrieved rows whose message has a row already: that row takes the name, and
    these leave the ledger. One transaction. Raises LeaseLost.
    """
    digests = [
        (vault.digest(message.octets), new)
        for new, message in got
        if message.error is None and not (new.uidl or "").startswith(DIGEST)
    ]
    held = _rows_of(run, folder, {digest for digest, _ in digests})
    pairs = [(held[digest].pop(), new) for digest, new in digests if held[digest]]
    if pairs:
        _take_names(run, pairs)
    return [new for _, new in pairs]


def _rows_of(run: Run, folder: Folder, digests: Collection[str]) -> defaultdict[str, list[Arrival]]:
    by_digest = Q(uidl__startswith=DIGEST, gone_at=None)
    just_gone = Q(gone_at__gte=run.began_at, settled_at=None, sha256__in=digests)
    held: defaultdict[str, list[Arrival]] = defaultdict(list)
    for row in Arrival.objects.filter(by_digest | just_gone, folder=folder).order_by("-pk"):
        name = row.uidl or ""
        key = name.removeprefix(DIGEST).partition("#")[0] if name.startswith(DIGEST) else row.sha256
        held[key].append(row)
    return held


def _take_names(run: Run, pairs: Sequence[tuple[Arrival, Arrival]]) -> None:
    with transaction.atomic():
        run.lease.fence()
        for old, new in pairs:
            Arrival.objects.filter(pk=new.pk).delete()
            Arrival.objects.filter(pk=old.pk).update(
                uidl=new.uidl, generation=new.generation, gone_at=None, settling_at=None
            )
