"""UIDVALIDITY has changed: every UID we know is void (RFC 9051 §2.3.1.1). Find the mail again.

    1. loop guard: three changes within a day stop the account
    2. list every message's whole header and size
    3. match them, as multisets of (header digest, size), with the rows still expected here
    4. under 80 % found: stop, change nothing, and ask a person (`buzon account resume`)
    5. one transaction: found rows get their new UIDs, the others are closed, what was before the
       window stays outside, the cursor stands behind everything listed

Mail without a row, within the window, is then collected by the check that ends every collection
(messages on the server = live rows + outside).

Nothing is settled before that transaction has committed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from buzon.desk.reasons import reason, sentence
from buzon.intake.again import again
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.run import Run
from buzon.intake.window import is_within
from buzon.wire.imap import Header, ImapSession, Selected
from buzon.wire.reading import read_header

ENOUGH = 0.8
MOST_CHANGES = 3
GUARDED = timedelta(days=1)


class MustAsk(Exception):
    """The account stops until a person decides; `why` is the reason as data."""

    def __init__(self, why: dict[str, Any]) -> None:
        self.why = why
        self.sentence = f"{sentence(why)}: nothing was changed; decide with buzon account resume."
        super().__init__(self.sentence)


@dataclass(slots=True)
class Found:
    """What the new listing says of the rows: (row, its new UID), rows that are gone, new mail."""

    again: list[tuple[Arrival, int]] = field(default_factory=list)
    gone: list[Arrival] = field(default_factory=list)
    unknown: list[Header] = field(default_factory=list)
    highest: int = 0


def find_again(run: Run, session: ImapSession, folder: Folder, selected: Selected) -> None:
    """All five steps. Raises MustAsk, and then nothing has changed but the loop guard."""
    changes = _guard_against_loops(run, folder)
    headers = []
    for header in session.headers(session.uids()):
        run.between_steps()
        headers.append(header)
    expected = list(Arrival.objects.filter(folder=folder).live())
    found = _match(expected, headers)
    if len(found.again) < ENOUGH * len(expected) and not run.account.accept_renumbering:
        raise MustAsk(
            reason("renumbered", found=len(found.again), expected=len(expected), folder=folder.name)
        )
    again(lambda: _commit(run, folder, selected, found, changes))
    folder.refresh_from_db()
    run.account.accept_renumbering = False


def _guard_against_loops(run: Run, folder: Folder) -> list[str]:
    now = timezone.now()
    recent = [at for at in folder.validity_changes if _is_recent(at)] + [now.isoformat()]
    if len(recent) >= MOST_CHANGES and not run.account.accept_renumbering:
        raise MustAsk(reason("renumbered_often", times=len(recent), folder=folder.name))
    return recent


def _is_recent(at: str) -> bool:
    moment = parse_datetime(at)
    return moment is not None and moment > timezone.now() - GUARDED


def _match(expected: Sequence[Arrival], headers: Sequence[Header]) -> Found:
    found = Found(highest=max((header.uid for header in headers), default=0))
    waiting: dict[tuple[str, int], list[Arrival]] = defaultdict(list)
    for row in sorted(expected, key=lambda row: -(row.uid or 0)):
        waiting[row.header_digest, row.size].append(row)
    for header in headers:
        candidates = waiting[read_header(header.octets).header_digest, header.size]
        if candidates:
            found.again.append((candidates.pop(), header.uid))
        else:
            found.unknown.append(header)
    found.gone = [row for rows in waiting.values() for row in rows]
    return found


def _commit(run: Run, folder: Folder, selected: Selected, found: Found, changes: list[str]) -> None:
    now = timezone.now()
    with transaction.atomic():
        run.lease.fence()
        for row in found.gone:
            row.gone_at = now
        Arrival.objects.bulk_update(found.gone, ["gone_at"], batch_size=500)
        for row, uid in found.again:
            row.uid, row.uidvalidity = uid, selected.uidvalidity
        Arrival.objects.bulk_update(
            [row for row, _ in found.again], ["uid", "uidvalidity"], batch_size=500
        )
        # Mail without a row is not of the cursor: the check of changes finds it right after this.
        Folder.objects.filter(pk=folder.pk).update(
            uidvalidity=selected.uidvalidity,
            baseline_uidnext=None,
            high=found.highest,
            low=1,
            outside=sum(not _is_wanted(run, folder, header) for header in found.unknown),
            validity_changes=changes,
        )
        CollectionAccount.objects.filter(pk=run.account.pk).update(accept_renumbering=False)


def _is_wanted(run: Run, folder: Folder, header: Header) -> bool:
    since = folder.baseline_at
    if since is not None and header.internal_date is not None and header.internal_date >= since:
        return True
    return is_within(run.account, header.internal_date)
