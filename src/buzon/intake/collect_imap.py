"""Collecting over IMAP: folder by folder, new mail forward, history backward (see models/folder).

open read-only ─▶ baseline | renumbering ─▶ wanted rows ─▶ new mail ─▶ history ⟲ new mail
                                                                          └─▶ changes ─▶ settle
"""

from collections.abc import Sequence

from django.utils import timezone

from buzon.intake import renumbering, settle_imap
from buzon.intake.custody import Batch, commit
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.run import Run
from buzon.intake.take_imap import batches, download_wanted, take
from buzon.intake.window import is_wanted, is_within
from buzon.wire.imap import ImapSession, Listed, Selected


def collect(run: Run, session: ImapSession) -> None:
    """Every folder of the account, and then what R6 asks of the server."""
    folders = list(run.account.folders.order_by("role", "id"))
    for folder in folders:
        _collect_folder(run, session, folder)
    run.process()
    for folder in folders:
        settle_imap.settle_folder(run, session, folder)


def _collect_folder(run: Run, session: ImapSession, folder: Folder) -> None:
    selected = session.examine(folder.name)
    if folder.uidvalidity is None:
        _take_baseline(run, session, folder, selected)
    elif folder.uidvalidity != selected.uidvalidity:
        renumbering.find_again(run, session, folder, selected)
    download_wanted(run, session, folder)
    _collect_new(run, session, folder, selected.uidnext)
    _collect_history(run, session, folder)
    listed = _notice_changes(run, session, folder)
    run.totals.listed += listed
    run.totals.outside += folder.outside


def _take_baseline(run: Run, session: ImapSession, folder: Folder, selected: Selected) -> None:
    """The first successful look: from here on everything later is new (R4)."""
    uidnext = selected.uidnext or _next_uid(session, selected)
    from_now = run.account.start == CollectionAccount.Start.NOW
    commit(
        run,
        Batch(),
        folder=folder,
        uidvalidity=selected.uidvalidity,
        baseline_at=timezone.now(),
        baseline_uidnext=uidnext,
        high=uidnext - 1,
        low=1 if from_now else uidnext,
        outside=selected.exists if from_now else 0,
    )


def _next_uid(session: ImapSession, selected: Selected) -> int:
    """For a server that does not say UIDNEXT: only old ones may leave it out (RFC 3501 §6.3.1)."""
    return max(session.uids(), default=0) + 1 if selected.exists else 1


def _collect_new(
    run: Run, session: ImapSession, folder: Folder, uidnext: int | None = None
) -> None:
    """Forward from `high`; `uidnext`, where it is known, tells for free that there is nothing."""
    if uidnext is not None and uidnext <= folder.high + 1:
        return
    listed = session.listing(folder.high + 1, None)
    done = 0
    for batch in batches(run.account, listed):
        run.report("new", done, len(listed))
        take(run, session, folder, batch, end="high")
        run.process()
        done += len(batch)


def _collect_history(run: Run, session: ImapSession, folder: Folder) -> None:
    """Backward from `low`, newest first, looking for new mail between any two batches."""
    if folder.low <= 1:
        return
    newest_first = _within_window(run, folder, session.listing(1, folder.low - 1))[::-1]
    done = 0
    for batch in batches(run.account, newest_first):
        run.report("history", done, len(newest_first))
        take(run, session, folder, batch, end="low")
        run.process()
        done += len(batch)
        if session.noop().exists is not None:
            _collect_new(run, session, folder)
    commit(run, Batch(), folder=folder, low=1)


def _within_window(run: Run, folder: Folder, listed: Sequence[Listed]) -> list[Listed]:
    """The history that the account wants; the first time, count the rest as outside."""
    wanted = [m for m in listed if is_within(run.account, m.internal_date)]
    if folder.low == folder.baseline_uidnext:
        outside = len(listed) - len(wanted)
        commit(run, Batch(), folder=folder, outside=outside, history_total=len(wanted))
    return wanted


def _notice_changes(run: Run, session: ImapSession, folder: Folder) -> int:
    """Messages on the server = live rows + outside; where that fails, list and put it right.

    Other clients delete and move mail: their rows are closed, and what was outside is counted
    anew. A message within the window without a row is collected. Returns how many there are.
    """
    changes = session.noop()
    if changes.exists is not None:
        _collect_new(run, session, folder)
    exists = session.selected.exists if session.selected else 0
    live = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity).live()
    if exists == live.count() + folder.outside:
        return exists
    uids = [uid for uid in session.uids() if uid <= folder.high]
    known = dict(live.values_list("uid", "pk"))
    present = set(uids)
    gone = [pk for uid, pk in known.items() if uid not in present]
    _close(run, gone)
    strays = [uid for uid in uids if uid not in known]
    _collect_missing(run, session, folder, strays)
    return exists


def _close(run: Run, gone: Sequence[int]) -> None:
    now = timezone.now()
    for start in range(0, len(gone), 500):
        rows = list(Arrival.objects.filter(pk__in=gone[start : start + 500]))
        for row in rows:
            row.gone_at = now
        commit(run, Batch(changed=rows))


def _collect_missing(run: Run, session: ImapSession, folder: Folder, strays: Sequence[int]) -> None:
    """What has no row: outside the window, or missed, and then collected now."""
    listed = _listing_of(session, strays)
    missed = [m for m in listed if is_wanted(run.account, folder, uid=m.uid, date=m.internal_date)]
    commit(run, Batch(), folder=folder, outside=len(listed) - len(missed))
    for batch in batches(run.account, missed):
        take(run, session, folder, batch, end=None)
        run.process()


def _listing_of(session: ImapSession, uids: Sequence[int]) -> list[Listed]:
    if not uids:
        return []
    wanted = set(uids)
    return [m for m in session.listing(min(uids), max(uids)) if m.uid in wanted]
