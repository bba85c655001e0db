"""Collecting over IMAP: every folder's new mail forward, its history backward (see models/folder).

every folder: open read-only ─▶ baseline | renumbering
every folder: wanted rows ─▶ new mail ─▶ history ⟲ new mail ─▶ changes      } until all history
              │                  │         of every folder                  } is here
              │                  └─ after a minute the next folder's turn   }
every folder: settle
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog
from django.utils import timezone

from buzon.intake import renumbering, settle_imap
from buzon.intake.custody import Batch, commit
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.names import is_void
from buzon.intake.run import Run
from buzon.intake.same_uids import find_void, reopen
from buzon.intake.take_imap import Orders, download_wanted, take_all
from buzon.intake.window import is_history, is_wanted, is_within, outside_by_uid
from buzon.wire.errors import FolderMissing, NotPermitted, Permanent
from buzon.wire.imap import ImapSession, Listed, Selected
from buzon.wire.imap.session import LISTED_OCTETS

log = structlog.get_logger("buzon.collect")
MOST_NAMED = 20  # ledger ids and UIDs in one line of the log
NEVER = datetime.min.replace(tzinfo=UTC)
COMPARED_EVERY = timedelta(days=1)
TURN_SECONDS = 60.0  # of one folder's history
LOOK_SECONDS = 1.0  # from one look at the other folders to the next: one question for each folder


def collect(run: Run, session: ImapSession) -> None:
    """Every folder of the account, and then what R6 asks of the server.

    A folder that the server refuses holds up no other; its error is raised at the end.
    """
    folders, refused = _open_all(run, session)
    run.looks.take()
    histories = [
        _History(run, session, folder, [other for other in folders if other is not folder])
        for folder in folders
    ]
    exists: dict[int, int] = {}
    while len(exists) < len(folders):
        for history in histories:
            if _visit(run, session, history, seconds=TURN_SECONDS):
                folder = history.folder
                there = _notice_changes(run, session, folder)
                if not is_void(folder):  # else once more, from the start
                    exists[folder.pk] = there
    run.totals.listed = sum(exists.values())
    run.totals.outside = sum(folder.outside for folder in folders)
    run.process()
    for folder in folders:
        settle_imap.settle_folder(run, session, folder)
    if refused:
        raise refused[0]


def _open_all(run: Run, session: ImapSession) -> tuple[list[Folder], list[Permanent]]:
    """All baselines first: how much history there is decides how it is notified."""
    opened: list[Folder] = []
    refused: list[Permanent] = []
    for folder in run.account.folders.order_by("role", "id"):
        try:
            _open(run, session, folder)
            opened.append(folder)
        except (FolderMissing, NotPermitted) as error:
            refused.append(error)
    return opened, refused


def _open(run: Run, session: ImapSession, folder: Folder) -> Selected:
    """Read-only, with UIDs that mean what our rows say."""
    selected = session.selected
    if selected is not None and selected.name == folder.name and not is_void(folder):
        return selected
    selected = session.examine(folder.name)
    if folder.uidvalidity is None:
        _take_baseline(run, session, folder, selected)
    elif folder.uidvalidity != selected.uidvalidity:
        renumbering.find_again(run, session, folder, selected)
    elif selected.uidnext is not None and selected.uidnext <= folder.high:
        folder.reconciled_at = NEVER  # it may only grow (RFC 9051 §2.3.1.1): look at all of it
    if folder.list_again:
        _list_again(run, session, folder)
    return selected


def _take_baseline(run: Run, session: ImapSession, folder: Folder, selected: Selected) -> None:
    """The first successful look: from here on everything later is new (R4)."""
    uidnext = selected.uidnext or _next_uid(session, selected)
    from_now = run.account.start == CollectionAccount.Start.NOW
    there = session.listing(1, uidnext - 1) if uidnext > 1 and not from_now else []
    within = [message for message in there if is_within(run.account, message.internal_date)]
    octets = sum(message.size for message in within)
    now = timezone.now()
    commit(
        run,
        Batch(),
        folder=folder,
        uidvalidity=selected.uidvalidity,
        baseline_at=now,
        history_begun_at=now,
        baseline_uidnext=uidnext,
        high=uidnext - 1,
        low=1 if from_now else uidnext,
        outside=selected.exists if from_now else len(there) - len(within),
        history_total=len(within),
        history_octets=octets,
        to_come=len(within),
        octets_to_come=octets,
    )


def _next_uid(session: ImapSession, selected: Selected) -> int:
    """For a server that does not say UIDNEXT: only old ones may leave it out (RFC 3501 §6.3.1)."""
    return max(session.uids(), default=0) + 1 if selected.exists else 1


def _list_again(run: Run, session: ImapSession, folder: Folder) -> None:
    """A person asked for the history once more: what of it has no row is to come."""
    end = folder.baseline_uidnext or folder.high + 1
    listed = session.listing(1, end - 1) if end > 1 else []
    known = _known_below(folder, end)
    history = [
        message
        for message in listed
        if message.uid not in known
        and is_history(folder, uid=message.uid, date=message.internal_date)
    ]
    within = [message for message in history if is_within(run.account, message.internal_date)]
    octets = sum(message.size for message in within)
    commit(
        run,
        Batch(),
        folder=folder,
        list_again=False,
        history_begun_at=timezone.now(),
        low=end,
        outside=len(history) - len(within),
        history_total=folder.history_total - folder.to_come + len(within),
        history_octets=folder.history_octets - folder.octets_to_come + octets,
        to_come=len(within),
        octets_to_come=octets,
    )


def _known_below(folder: Folder, uid: int) -> set[int | None]:
    """UIDs that have a row: none in a first download, most of them when it is listed again."""
    rows = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity, uid__lt=uid)
    return set(rows.live().values_list("uid", flat=True))


def _visit(run: Run, session: ImapSession, history: "_History", *, seconds: float) -> bool:
    """What waits in a folder, what is new, and so many seconds of its history; whether that was all
    for now.
    """
    selected = _open(run, session, history.folder)
    download_wanted(run, session, history.folder, between=history.collect_new)
    _collect_new(run, session, history.folder, selected.uidnext)
    return not is_void(history.folder) and history.collect(ends=monotonic() + seconds)


def _collect_new(
    run: Run, session: ImapSession, folder: Folder, uidnext: int | None = None
) -> None:
    """Forward from `high`; `uidnext`, where it is known, tells for free that there is nothing.

    The last that we know is listed with the new: it tells whether the UIDs are void.
    """
    if uidnext is not None and uidnext <= folder.high + 1:
        return
    heard = _Heard(told=True)
    while heard.told:
        heard = _Heard()
        from_last = session.listing(max(folder.high, 1), None)
        if find_void(run, session, folder, [one for one in from_last if one.uid <= folder.high]):
            return
        listed = [message for message in from_last if message.uid > folder.high]
        take_all(run, session, folder, Orders(run, folder, listed, end="high"), looking=heard)


@dataclass(slots=True)
class _Heard:
    """While new mail is collected, whether there is more."""

    told: bool = False

    def allows(self, octets: int) -> bool:
        return True

    def is_due(self, *, told: bool) -> bool:
        self.told |= told
        return False

    def look(self) -> bool:
        return True


@dataclass(slots=True)
class _History:
    """A folder's history backward from `low`, newest first, turn by turn.

    New mail comes first: between any two batches it is looked for in this folder, and every second
    in the `others`.
    """

    run: Run
    session: ImapSession
    folder: Folder
    others: Sequence[Folder]
    looked_at: float = field(default_factory=monotonic)
    told: bool = False  # that there is new mail in this folder
    waits: bool = False
    orders: Orders | None = None
    place: tuple[object, ...] = ()  # where the next of these orders belongs

    def collect(self, *, ends: float) -> bool:
        """A batch at least, and more until `ends`; whether that was all for now: it is here, or the
        rest waits for a person, or for another day.
        """
        # It is not listed at each look, only to find out that the first batch has to wait.
        price = LISTED_OCTETS * self.session.exists + self.run.bodies.octets
        if self.folder.low <= 1 or not self.allows(price):
            return True
        if self.orders is None or self.place != self._place_now():
            self.orders, self.place = self._listed(), self._place_now()
        validity = self.place[:-1]
        if take_all(self.run, self.session, self.folder, self.orders, looking=self, ends=ends):
            if validity != self._place_now()[:-1]:
                return False
            commit(self.run, Batch(), folder=self.folder, low=1, to_come=0, octets_to_come=0)
            self.looked_at = float("-inf")  # what came since waits for the next run otherwise
            self.collect_new()
            return True
        if validity == self._place_now()[:-1]:
            self.place = self._place_now()
        return self.waits

    def allows(self, octets: int) -> bool:
        self.waits = self.run.history_is_paused() or self.run.holds_history(octets)
        return not self.waits

    def is_due(self, *, told: bool) -> bool:
        """Each batch asks about this folder in its own breath."""
        self.told = told
        return told or self._others_are_due()

    def look(self) -> bool:
        """Whether the orders are still of this folder, which was left to look elsewhere."""
        place = self._place_now()
        if self.told:
            _collect_new(self.run, self.session, self.folder)
        if self._others_are_due():
            self._look_elsewhere()
        return place == self._place_now()

    def collect_new(self) -> None:
        """Of this folder, and now and then of the others."""
        if self.session.noop().exists is not None:
            _collect_new(self.run, self.session, self.folder)
        if self._others_are_due():
            self._look_elsewhere()

    def _place_now(self) -> tuple[object, ...]:
        """To look elsewhere the folder is left; it may be another one when we are back."""
        return self.folder.uidvalidity, *self.folder.validity_changes, self.folder.low

    def _listed(self) -> Orders:
        low = self.folder.low
        listed = self.session.listing(1, low - 1)
        known = _known_below(self.folder, low) | outside_by_uid(self.folder)
        within = [m for m in reversed(listed) if is_within(self.run.account, m.internal_date)]
        newest_first = [message for message in within if message.uid not in known]
        return Orders(self.run, self.folder, newest_first, end="low")

    def _others_are_due(self) -> bool:
        return bool(self.others) and monotonic() - self.looked_at >= LOOK_SECONDS

    def _look_elsewhere(self) -> None:
        self.looked_at = monotonic()
        for other in self.others:
            self._collect_new_of(other)
        if self.session.selected is None or self.session.selected.name != self.folder.name:
            selected = _open(self.run, self.session, self.folder)
            _collect_new(self.run, self.session, self.folder, selected.uidnext)

    def _collect_new_of(self, other: Folder) -> None:
        """A server that does not tell UIDNEXT has its other folders looked at in their turn."""
        uidnext = self.session.next_uid(other.name)
        if uidnext is not None and uidnext > other.high + 1:
            _open(self.run, self.session, other)
            _collect_new(self.run, self.session, other, uidnext)


def _notice_changes(run: Run, session: ImapSession, folder: Folder) -> int:
    """Messages on the server = live rows + outside; where that fails, list and put it right.

    Other clients delete and move mail: their rows are closed, and what was outside is counted
    anew. A message within the window without a row is collected. Returns how many there are.
    Once a day all of it is compared, because two changes may cancel each other out in the count.
    """
    session.noop()
    if folder.low > 1:  # the rest of the history waits: what was not listed yet has no rows
        return session.exists
    live = Arrival.objects.filter(folder=folder, uidvalidity=folder.uidvalidity).live()
    if session.exists != live.count() + folder.outside:
        _collect_new(run, session, folder)
    if is_void(folder) or (_is_to_be_compared(folder) and _is_void_now(run, session, folder)):
        return session.exists
    if session.exists != live.count() + folder.outside or _is_to_be_compared(folder):
        _put_right(run, session, folder, dict(live.values_list("uid", "pk")))
    return session.exists


def _is_void_now(run: Run, session: ImapSession, folder: Folder) -> bool:
    listed = session.listing(1, folder.high) if folder.high else []
    return find_void(run, session, folder, listed)


def _is_to_be_compared(folder: Folder) -> bool:
    last = folder.reconciled_at or folder.baseline_at
    return last is not None and timezone.now() - last > COMPARED_EVERY


def _put_right(
    run: Run, session: ImapSession, folder: Folder, known: dict[int | None, int]
) -> None:
    uids = [uid for uid in session.uids() if uid <= folder.high]
    present = set(uids)
    gone = [pk for uid, pk in known.items() if uid not in present]
    back = reopen(run, session, folder, present - known.keys())
    strays = _listing_of(session, [uid for uid in uids if uid not in known and uid not in back])
    outside = outside_by_uid(folder)
    inside = [message for message in strays if message.uid not in outside]
    missed = [m for m in inside if is_wanted(run.account, folder, uid=m.uid, date=m.internal_date)]
    if gone or missed:
        names = {"gone": gone[:MOST_NAMED], "missing": [m.uid for m in missed[:MOST_NAMED]]}
        log.info("books differ", account=run.account.pk, folder=folder.pk, **names)
    commit(
        run,
        Batch(gone=gone),
        folder=folder,
        outside=len(strays) - len(missed),
        reconciled_at=timezone.now(),
    )
    take_all(run, session, folder, Orders(run, folder, missed[::-1], end=None))


def _listing_of(session: ImapSession, uids: Sequence[int]) -> list[Listed]:
    if not uids:
        return []
    wanted = set(uids)
    return [m for m in session.listing(min(uids), max(uids)) if m.uid in wanted]
