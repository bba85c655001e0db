"""UIDs under one UIDVALIDITY that went and are back, or that name another message than before.

A server that hides its mail for a moment gives it back under the same UIDs: the closed rows are
opened again. One that makes a folder anew under the same UIDVALIDITY, which RFC 9051 §2.3.1.1
forbids, shows it by sizes and dates that are not those of the rows. A header decides either time.
"""

from collections.abc import Collection, Mapping, Sequence, Set

import structlog
from django.db import transaction

from buzon.intake.gone import not_downloaded
from buzon.intake.models import Arrival, Folder
from buzon.intake.names import VOID_UIDVALIDITY
from buzon.intake.run import Run
from buzon.intake.stumbles import imap_headers
from buzon.wire.imap import ImapSession, Listed
from buzon.wire.reading import read_header

log = structlog.get_logger("buzon.collect")
MOST_ASKED = 20  # headers, where sizes or dates differ: some servers are always wrong about sizes
_CHUNK = 500


def find_void(run: Run, session: ImapSession, folder: Folder, listed: Sequence[Listed]) -> bool:
    """Whether some of these UIDs, which have rows, name other messages now. Then all of the
    folder's are void, and it has to be opened anew. Raises LeaseLost.
    """
    strange = _strange(folder, listed)
    if not strange or not _is_any_another(run, session, folder, strange):
        return False
    with transaction.atomic():
        run.lease.fence()
        Arrival.objects.filter(folder=folder).live().update(uidvalidity=VOID_UIDVALIDITY)
        Folder.objects.filter(pk=folder.pk).update(uidvalidity=VOID_UIDVALIDITY)
    folder.uidvalidity = VOID_UIDVALIDITY
    run.retrieved.clear()
    log.warning("uids void", account=run.account.pk, folder=folder.pk)
    return True


def reopen(run: Run, session: ImapSession, folder: Folder, uids: Collection[int]) -> set[int]:
    """Of these UIDs, which have no row, those whose closed rows are theirs: they are open again.
    What we had removed there waits to be removed again. Raises LeaseLost.
    """
    closed = {row.uid or 0: row for row in _closed(folder, sorted(uids))}
    same: dict[int, int] = {}
    untold = set(closed)
    for header in imap_headers(run, session, folder, sorted(closed)):
        run.lease.renew_if_needed()
        row = closed[header.uid]
        untold.discard(header.uid)
        if header.error is None and read_header(header.octets).header_digest == row.header_digest:
            same[header.uid] = row.pk
    same |= {uid: closed[uid].pk for uid in _as_listed(session, closed, untold)}
    keys = list(same.values())
    with transaction.atomic():
        run.lease.fence()
        for start in range(0, len(keys), _CHUNK):
            rows = Arrival.objects.filter(pk__in=keys[start : start + _CHUNK])
            rows.update(gone_at=None, settling_at=None, settled_at=None)
    return set(same)


def _as_listed(session: ImapSession, closed: Mapping[int, Arrival], uids: Set[int]) -> list[int]:
    """Of what the server does not give: what has the size and the date that its row has."""
    if not uids:
        return []
    listed = session.listing(min(uids), max(uids))
    return [m.uid for m in listed if m.uid in uids and not _is_strange(closed[m.uid], m)]


def _strange(folder: Folder, listed: Sequence[Listed]) -> dict[int, str]:
    """By UID, the header digests of the newest rows that the listing does not fit."""
    by_uid = {message.uid: message for message in listed}
    rows = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity).live()
    found: dict[int, str] = {}
    for row in rows.filter(uid__gte=min(by_uid, default=0)).order_by("-uid").iterator():
        message = by_uid.get(row.uid or 0)
        if message is None or not row.header_digest:
            continue
        if _is_strange(row, message):
            found[message.uid] = row.header_digest
        if len(found) == MOST_ASKED:
            break
    return found


def _is_strange(row: Arrival, listed: Listed) -> bool:
    size = row.size if row.listed_size is None else row.listed_size
    return (size, row.internal_date) != (listed.size, listed.internal_date)


def _is_any_another(run: Run, session: ImapSession, folder: Folder, known: dict[int, str]) -> bool:
    """Whether a header is there now that is not the one of its row."""
    for header in imap_headers(run, session, folder, sorted(known)):
        run.lease.renew_if_needed()
        if header.error is None and read_header(header.octets).header_digest != known[header.uid]:
            return True
    return False


def _closed(folder: Folder, uids: Sequence[int]) -> list[Arrival]:
    """Of each UID the latest, where it is known by its header."""
    rows: list[Arrival] = []
    for start in range(0, len(uids), _CHUNK):
        rows += (
            Arrival.objects.filter(
                folder=folder,
                uidvalidity=folder.uidvalidity,
                uid__in=uids[start : start + _CHUNK],
                gone_at__isnull=False,
            )
            .exclude(header_digest="")
            .exclude(not_downloaded())
            .order_by("pk")
        )
    return rows
