"""How collection accounts are doing, as a page shows it: a few queries for any number of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, QuerySet, prefetch_related_objects
from django.utils import timezone

from buzon.desk.models import Customer, Organization
from buzon.intake.accounts import most_accounts
from buzon.intake.first_download import FirstDownload, first_downloads
from buzon.intake.models import Arrival, CollectionAccount, Duty, Folder
from buzon.intake.models.arrival import ARRIVED_AT

OVERDUE = timedelta(minutes=2)  # nobody collected for so long: is anything running?


class Allowance(NamedTuple):
    """How many collection accounts there are, and how many there may be (R1)."""

    used: int
    most: int

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


@dataclass(frozen=True, slots=True)
class FolderCounts:
    """A folder in messages: on the server now as far as we know; in the ledger. What is still to be
    listed, and what is outside the window, is in its row.
    """

    folder: Folder
    live: int

    @property
    def on_server(self) -> int:
        return self.live + self.folder.to_come + self.folder.outside


class LeftOut(NamedTuple):
    """History that a person cancelled: messages that are outside the window, and since when."""

    messages: int
    at: datetime


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
    left_out: LeftOut | None = None

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
    """Each account's, in the order given; five queries at most."""
    rows = list(accounts)
    prefetch_related_objects(rows, "duties", "folders")
    outcomes = _outcomes(rows)
    collecting = {row.pk for row in rows if _is_collecting(row)}
    downloads = first_downloads(rows, moving=collecting)
    return [
        Overview(
            account=row,
            is_collecting=row.pk in collecting,
            next_at=_next_collection(row),
            outcomes=outcomes[row.pk],
            first_download=downloads.get(row.pk),
            left_out=_left_out(row),
        )
        for row in rows
    ]


def folder_counts(account: CollectionAccount) -> list[FolderCounts]:
    """Each folder's, incoming ones first."""
    folders = list(account.folders.order_by("role", "pk"))
    live = _live(folders)
    return [FolderCounts(folder, live[folder.pk]) for folder in folders]


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


def _left_out(account: CollectionAccount) -> LeftOut | None:
    cancelled = [(each.cancelled_at, each.outside) for each in account.folders.all()]
    left = [(at, outside) for at, outside in cancelled if at is not None]
    if not left:
        return None
    return LeftOut(sum(outside for _at, outside in left), max(at for at, _outside in left))


def _live(folders: Sequence[Folder]) -> dict[int, int]:
    """Live rows by folder. The conditions are those of the indexes of identity (`imap_identity`,
    `one_live_row_per_uidl`), which hold all that is asked here.
    """
    found = {folder.pk: 0 for folder in folders}
    live = Arrival.objects.live().filter(folder__in=list(found)).order_by().values_list("folder")
    by_uid = live.filter(uid__isnull=False).annotate(live=Count("uid"))
    by_uidl = live.filter(uidl__isnull=False).annotate(live=Count("uidl"))
    return found | dict(by_uid) | dict(by_uidl)
