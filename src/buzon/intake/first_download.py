"""How far a first download is, each folder's and the account's: from rows alone, so that it is told
alike by the pages, by the command line, and after a restart.

    done = history_total - to_come - waiting       (the same in octets)

`to_come` moves with the cursor, in the transaction of custody; what waits is counted by its index.
The run takes a look at it every few seconds, from which rate and time left are told (`pace`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.pace import Look, pace_of, together, with_look
from buzon.lease import Lease

EVERY = 2.0  # seconds between two looks at least,
SHARE = 50  # and so many times what a look takes


class Waiting(NamedTuple):
    """History in the ledger that is not decided yet."""

    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it is: messages decided, of those of the history; their octets as the server said.

    `rate` and `octets_rate` are of a second, over the last minute; None, as `left` is, where
    nothing moves at present, or it began just now.
    """

    done: int
    total: int
    octets: int
    octets_total: int
    rate: float | None = None
    octets_rate: float | None = None
    left: timedelta | None = None

    @property
    def percent(self) -> int:
        """Whole per cent, 100 only at the end."""
        return self.done * 100 // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class FirstDownload:
    """All of an account's history that is being collected, and each folder's by its key."""

    whole: Reach
    folders: dict[int, Reach]
    paused: bool


def unfinished(account: CollectionAccount) -> list[Folder]:
    """Folders that were looked at, whose history is not yet remembered as being all here."""
    done = account.history_done_at
    folders = [each for each in account.folders.all() if each.history_begun_at is not None]
    if done is None:
        return folders
    return [each for each in folders if each.history_begun_at and each.history_begun_at > done]


def first_downloads(
    accounts: Iterable[CollectionAccount], *, moving: Collection[int]
) -> dict[int, FirstDownload]:
    """By the account's key, those that have history to come or waiting. One query for all, where
    `folders` are prefetched. `moving`: accounts that are being collected at this moment.
    """
    folders = {account: unfinished(account) for account in accounts}
    waiting = _waiting([account.pk for account, some in folders.items() if some])
    found = {
        account.pk: _download(account, some, waiting, is_moving=account.pk in moving)
        for account, some in folders.items()
        if some
    }
    return {pk: one for pk, one in found.items() if one.whole.total}


class Looks:
    """The looks that a run takes at its account's first download."""

    def __init__(self, account: CollectionAccount, lease: Lease) -> None:
        self._account = account
        self._lease = lease
        self._began = monotonic()
        self._worked: float | None = None  # seconds of work before this run
        self._next = 0.0
        self.latest: FirstDownload | None = None

    def take(self) -> None:
        """Where the last was some seconds ago: see how far it is, and whether a person has paused
        it meanwhile. Raises LeaseLost.
        """
        now = monotonic()
        if now < self._next:
            return
        folders = _unfinished_rows(self._account)
        if not folders:
            return
        paused = CollectionAccount.objects.filter(pk=self._account.pk, history_paused=True)
        self._account.history_paused = paused.exists()
        self._store(folders, now)
        self._next = now + max(EVERY, SHARE * (monotonic() - now))

    def _store(self, folders: Sequence[Folder], now: float) -> None:
        waiting = _waiting([self._account.pk])
        if self._worked is None:
            self._worked = max((look[0] for each in folders for look in each.pace), default=0.0)
            self._began = now
        at = self._worked + now - self._began
        for folder in folders:
            messages, octets = _left(folder, waiting)
            folder.pace = with_look(folder.pace, at=at, messages=messages, octets=octets)
        with transaction.atomic():
            self._lease.fence()
            for folder in folders:
                Folder.objects.filter(pk=folder.pk).update(pace=folder.pace)
        self.latest = _download(self._account, folders, waiting, is_moving=True)


def _unfinished_rows(account: CollectionAccount) -> list[Folder]:
    rows = account.folders.filter(history_begun_at__isnull=False)
    if account.history_done_at is not None:
        rows = rows.filter(history_begun_at__gt=account.history_done_at)
    return list(rows)


def _waiting(accounts: Sequence[int]) -> dict[int, Waiting]:
    """By folder; only those that have any."""
    if not accounts:
        return {}
    rows: Any = Arrival.objects.filter(account__in=accounts, outcome="waiting").obtainable()
    counted = rows.order_by().values_list("folder").annotate(
        messages=Count("pk", filter=Q(of_history=True)),
        octets=Coalesce(Sum("size", filter=Q(of_history=True)), 0),
    )  # fmt: skip
    return {folder: Waiting(messages, octets) for folder, messages, octets in counted}


def _left(folder: Folder, waiting: dict[int, Waiting]) -> tuple[int, int]:
    """Messages and octets."""
    waits = waiting.get(folder.pk, Waiting(0, 0))
    messages = min(folder.to_come + waits.messages, folder.history_total)
    octets = min(folder.octets_to_come + waits.octets, folder.history_octets)
    return messages, octets if messages else 0


def _download(
    account: CollectionAccount,
    folders: Sequence[Folder],
    waiting: dict[int, Waiting],
    *,
    is_moving: bool,
) -> FirstDownload:
    lefts = {each.pk: _left(each, waiting) for each in folders}
    looks: dict[int, Sequence[Look]] = {each.pk: each.pace if is_moving else [] for each in folders}
    reaches = {each.pk: _reach([each], lefts, looks[each.pk]) for each in folders}
    whole = _reach(folders, lefts, together(looks.values()))
    return FirstDownload(whole, reaches, account.history_paused)


def _reach(
    folders: Sequence[Folder], lefts: dict[int, tuple[int, int]], looks: Sequence[Look]
) -> Reach:
    total = sum(each.history_total for each in folders)
    octets = sum(each.history_octets for each in folders)
    pace = pace_of(looks)
    left = pace.left if pace else None
    return Reach(
        done=total - sum(lefts[each.pk][0] for each in folders),
        total=total,
        octets=octets - sum(lefts[each.pk][1] for each in folders),
        octets_total=octets,
        rate=pace.messages if pace else None,
        octets_rate=pace.octets if pace else None,
        left=None if left is None else timedelta(seconds=left),
    )
