"""How collection accounts are doing, as a page shows it: a few queries for any number of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum, prefetch_related_objects
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.intake.accounts import most_accounts
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder

PACE_OVER = timedelta(minutes=1)  # of a first download: how long it still takes is told from this
OVERDUE = timedelta(minutes=2)  # nobody collected for so long: is anything running?


class Allowance(NamedTuple):
    """How many collection accounts there are, and how many there may be (R1)."""

    used: int
    most: int

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


@dataclass(frozen=True, slots=True)
class FirstDownload:
    """How far the history is: messages decided, of those known to be within the window; octets in
    custody; and how long it still takes at the pace of the last minute, None where nothing moved.
    """

    done: int
    total: int
    octets: int
    left: timedelta | None

    @property
    def percent(self) -> int:
        """Whole per cent, 100 only at the end."""
        return self.done * 100 // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class FolderCounts:
    """A folder in messages: on the server now as far as we know; in the ledger; still to be listed;
    outside the window.
    """

    folder: Folder
    live: int
    to_come: int

    @property
    def on_server(self) -> int:
        return self.live + self.to_come + self.folder.outside


@dataclass(slots=True)
class Overview:
    """An account with what is known of it beside its row. `outcomes` has each, also those with 0;
    `next_at` is None where nothing is due.
    """

    account: CollectionAccount
    is_collecting: bool
    next_at: datetime | None
    outcomes: dict[str, int] = field(default_factory=dict)
    first_download: FirstDownload | None = None

    @property
    def is_due(self) -> bool:
        """Its time has come."""
        return self.next_at is not None and self.next_at <= timezone.now()

    @property
    def is_overdue(self) -> bool:
        """Due for minutes, and nobody is at it: the collector is not running, or has too much."""
        due = self.next_at
        return due is not None and not self.is_collecting and timezone.now() - due > OVERDUE


def allowance(organization: Organization) -> Allowance:
    """How many of the accounts that it may have an organization has (R1)."""
    used = CollectionAccount.objects.filter(organization=organization).count()
    return Allowance(used, most_accounts(organization))


def overviews(accounts: "Iterable[CollectionAccount]") -> list[Overview]:
    """Each account's, in the order given; five queries at most."""
    rows = list(accounts)
    prefetch_related_objects(rows, "duties", "folders")
    outcomes = _outcomes(rows)
    downloads = _first_downloads([row for row in rows if _is_history_under_way(row)])
    return [
        Overview(
            account=row,
            is_collecting=_is_collecting(row),
            next_at=_next_collection(row),
            outcomes=outcomes[row.pk],
            first_download=downloads.get(row.pk),
        )
        for row in rows
    ]


def folder_counts(account: CollectionAccount) -> list[FolderCounts]:
    """Each folder's, incoming ones first. It looks at every row of the account's ledger."""
    rows = Arrival.objects.filter(account=account).order_by().values("folder")
    counted = rows.annotate(
        live=Count("pk", filter=Q(gone_at__isnull=True)),
        listed=Count("pk", filter=Q(of_history=True)),
    )
    found = {row["folder"]: (row["live"], row["listed"]) for row in counted}
    counts = []
    for folder in account.folders.order_by("role", "pk"):
        live, listed = found.get(folder.pk, (0, 0))
        counts.append(FolderCounts(folder, live, _unlisted(folder, listed)))
    return counts


def latest_arrivals(account: CollectionAccount, *, most: int) -> "QuerySet[Arrival]":
    """The rows of its ledger that were seen last, the newest first."""
    return Arrival.objects.filter(account=account).order_by("-pk")[:most]


def failing_arrivals(account: CollectionAccount, *, most: int) -> "QuerySet[Arrival]":
    """Messages that could not be collected or understood, the newest first."""
    rows = Arrival.objects.filter(account=account, outcome=Arrival.Outcome.FAILED)
    return rows.order_by("-pk")[:most]


def _outcomes(accounts: Sequence[CollectionAccount]) -> dict[int, dict[str, int]]:
    counts = {row.pk: dict.fromkeys(Arrival.Outcome.values, 0) for row in accounts}
    rows = Arrival.objects.filter(account__in=list(counts)).values_list("account", "outcome")
    for account, outcome, number in rows.annotate(number=Count("pk")).order_by():
        counts[account][outcome] = number
    return counts


def _collecting(account: CollectionAccount) -> Duty | None:
    return next((each for each in account.duties.all() if each.kind == Duty.Kind.COLLECT), None)


def _is_collecting(account: CollectionAccount) -> bool:
    duty = _collecting(account)
    if duty is None or not duty.lease_owner or duty.lease_until is None:
        return False
    return duty.lease_until > timezone.now()


def _next_collection(account: CollectionAccount) -> datetime | None:
    duty = _collecting(account)
    stopped = account.state == CollectionAccount.State.STOPPED
    if duty is None or stopped or not account.active:
        return None
    return duty.due_at


def _is_history_under_way(account: CollectionAccount) -> bool:
    """Some folder was looked at, and its history is not yet remembered as being all here."""
    done = account.history_done_at
    begun = [each.baseline_at for each in account.folders.all() if each.baseline_at is not None]
    return any(done is None or at > done for at in begun)


def _first_downloads(accounts: Sequence[CollectionAccount]) -> dict[int, FirstDownload]:
    if not accounts:
        return {}
    counted = _history_counts(accounts)
    made = {}
    for account in accounts:
        download = _first_download(account, counted)
        if download.total:
            made[account.pk] = download
    return made


def _history_counts(accounts: Sequence[CollectionAccount]) -> dict[int, dict[str, Any]]:
    """By folder: history listed, decided, decided of late, and its octets in custody."""
    decided = ~Q(outcome=Arrival.Outcome.WAITING)
    of_late = Q(decided_at__gte=timezone.now() - PACE_OVER)
    rows = Arrival.objects.filter(account__in=[row.pk for row in accounts], of_history=True)
    counted = rows.order_by().values("folder").annotate(
        listed=Count("pk"),
        decided=Count("pk", filter=decided),
        of_late=Count("pk", filter=decided & of_late),
        octets=Sum("size", filter=~Q(sha256=""), default=0),
    )  # fmt: skip
    return {row["folder"]: dict(row) for row in counted}


def _first_download(
    account: CollectionAccount, counted: dict[int, dict[str, Any]]
) -> FirstDownload:
    sums: dict[str, int] = defaultdict(int)
    folders = [each for each in account.folders.all() if each.baseline_at is not None]
    for folder in folders:
        row = counted.get(folder.pk, {})
        for name in ("listed", "decided", "of_late", "octets"):
            sums[name] += row.get(name, 0)
        sums["unlisted"] += _unlisted(folder, row.get("listed", 0))
    total = sums["listed"] + sums["unlisted"]
    seconds = _seconds_of_pace(folders)
    pace = sums["of_late"] / seconds if seconds else 0.0
    left = timedelta(seconds=(total - sums["decided"]) / pace) if pace else None
    return FirstDownload(sums["decided"], total, sums["octets"], left)


def _unlisted(folder: Folder, listed: int) -> int:
    """History that is not yet in the ledger (`low` above 1); what was removed meanwhile counts."""
    return max(folder.history_total - listed, 0) if folder.low > 1 else 0


def _seconds_of_pace(folders: Sequence[Folder]) -> float:
    begun = [folder.baseline_at for folder in folders if folder.baseline_at is not None]
    if not begun:
        return 0.0
    return min(PACE_OVER, timezone.now() - min(begun)).total_seconds()
