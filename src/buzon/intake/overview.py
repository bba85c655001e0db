"""How collection accounts are doing, as a page shows it: a few queries for any number of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum, prefetch_related_objects
from django.utils import timezone

from buzon.desk.models import Customer, Organization
from buzon.intake.accounts import most_accounts
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.models.arrival import ARRIVED_AT
from buzon.intake.pace import Pace

ADDED_UP = 20_000  # messages whose octets are added up; that looks at each row
OVERDUE = timedelta(minutes=2)  # nobody collected for so long: is anything running?


_pace = Pace()


class _Listed(NamedTuple):
    live: int
    history: int


class Allowance(NamedTuple):
    """How many collection accounts there are, and how many there may be (R1)."""

    used: int
    most: int

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


@dataclass(frozen=True, slots=True)
class FirstDownload:
    """How far it is: messages decided, of those known to be there; octets in custody, None where
    they are too many to be added up; how long it still takes, None where nothing seems to move.
    """

    done: int
    total: int
    octets: int | None
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


def waits_for_customers(organization: Organization) -> bool:
    """Whether mail is collected, and no letter of it can be downloaded: there is no customer, and
    no account creates any (R9).
    """
    creating = CollectionAccount.objects.filter(organization=organization, active=True)
    decisions = set(creating.values_list("create_customer", flat=True))
    if decisions != {False}:
        return False
    return not Customer.objects.filter(organization=organization).exists()


def allowance(organization: Organization) -> Allowance:
    """How many of the accounts that it may have an organization has (R1)."""
    used = CollectionAccount.objects.filter(organization=organization).count()
    return Allowance(used, most_accounts(organization))


def overviews(accounts: "Iterable[CollectionAccount]") -> list[Overview]:
    """Each account's, in the order given; six queries at most."""
    rows = list(accounts)
    prefetch_related_objects(rows, "duties", "folders")
    outcomes = _outcomes(rows)
    downloads = _first_downloads([row for row in rows if _unfinished(row)], outcomes)
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
    """Each folder's, incoming ones first."""
    folders = list(account.folders.order_by("role", "pk"))
    listed = _listed(folders)
    return [
        FolderCounts(folder, listed[folder.pk].live, _unlisted(folder, listed[folder.pk].history))
        for folder in folders
    ]


def latest_arrivals(account: CollectionAccount, *, most: int) -> "QuerySet[Arrival]":
    """Of its ledger the messages that arrived last on the server, the newest first."""
    return Arrival.objects.filter(account=account).order_by(ARRIVED_AT.desc(), "-pk")[:most]


def failing_arrivals(account: CollectionAccount, *, most: int) -> "QuerySet[Arrival]":
    """Messages that could not be collected or understood, the newest first."""
    rows = Arrival.objects.filter(account=account, outcome=Arrival.Outcome.FAILED)
    return rows.order_by("-pk")[:most]


def _outcomes(accounts: Sequence[CollectionAccount]) -> dict[int, dict[str, int]]:
    counts = {row.pk: dict.fromkeys(Arrival.Outcome.values, 0) for row in accounts}
    rows = Arrival.objects.filter(account__in=list(counts)).values_list("account", "outcome")
    for account, outcome, number in rows.annotate(number=Count("*")).order_by():
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


def _unfinished(account: CollectionAccount) -> list[Folder]:
    """Folders that were looked at, whose history is not yet remembered as being all here."""
    done = account.history_done_at
    begun = [each for each in account.folders.all() if each.baseline_at is not None]
    return [each for each in begun if done is None or (each.baseline_at or done) > done]


def _first_downloads(
    accounts: Sequence[CollectionAccount], outcomes: dict[int, dict[str, int]]
) -> dict[int, FirstDownload]:
    """Counted by indexes alone: a page asks again and again, of a ledger that grows by thousands.
    New mail that came meanwhile is in both numbers.
    """
    unfinished = {account.pk: _unfinished(account) for account in accounts}
    listed = _listed([folder for folders in unfinished.values() for folder in folders])
    reached: dict[int, tuple[int, int]] = {}
    for pk, folders in unfinished.items():
        here = sum(listed[folder.pk].live for folder in folders)
        to_come = sum(_unlisted(folder, listed[folder.pk].history) for folder in folders)
        if here + to_come:
            done = max(here - outcomes[pk][Arrival.Outcome.WAITING], 0)
            reached[pk] = (done, here + to_come)
    octets = _octets([pk for pk, (done, _total) in reached.items() if done <= ADDED_UP])
    return {
        pk: FirstDownload(done, total, octets.get(pk), _left(pk, done, total))
        for pk, (done, total) in reached.items()
    }


def _left(pk: int, done: int, total: int) -> timedelta | None:
    seconds = _pace.left(pk, done=done, total=total)
    return None if seconds is None else timedelta(seconds=seconds)


def _octets(accounts: Sequence[int]) -> dict[int, int]:
    if not accounts:
        return {}
    rows = Arrival.objects.filter(account__in=accounts).exclude(sha256="").order_by()
    return dict(rows.values_list("account").annotate(octets=Sum("size")))


def _listed(folders: Sequence[Folder]) -> dict[int, _Listed]:
    """By folder: live rows, and those of its history. The conditions are those of the indexes of
    identity (`imap_identity`, `one_live_row_per_uidl`), which hold all that is asked here.
    """
    found = {folder.pk: _Listed(0, 0) for folder in folders}
    live = Arrival.objects.live().filter(folder__in=list(found)).order_by().values("folder")
    by_uid = live.filter(uid__isnull=False).annotate(
        live=Count("uid"), history=Count("uid", filter=Q(uid__lt=F("folder__baseline_uidnext")))
    )
    # The listing of POP3 is whole from the start, but where the server has no UIDL; there all that
    # the first look retrieves is history.
    by_uidl = live.filter(uidl__isnull=False).annotate(live=Count("uidl"), history=Count("uidl"))
    for row in (*by_uid, *by_uidl) if found else ():
        found[row["folder"]] = _Listed(row["live"], row["history"])
    return found


def _unlisted(folder: Folder, listed: int) -> int:
    """History that is not yet in the ledger (`low` above 1)."""
    return max(folder.history_total - listed, 0) if folder.low > 1 else 0
