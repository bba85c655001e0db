"""Comparing a POP3 listing with the ledger: the whole memory of what was seen, without cursors.

on the server   in the ledger
    no              yes        its row is closed; if we were deleting it, that is now certain
    yes             no         a new row, of the next generation if that UIDL was there before
    yes             yes        known
    at the baseline, before the window: remembered as outside, forgotten when it goes

Where names went and others came, they may be of the same messages: `renaming_pop3` looks first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from buzon.intake.again import again
from buzon.intake.gone import close
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from buzon.intake.names import DIGEST, is_void
from buzon.intake.run import Run
from buzon.intake.statements import insert_arrivals
from buzon.intake.window import is_within
from buzon.wire.pop3 import Listing

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Names:
    """What the ledger takes to be on the server: the rows' ids by name, and names of outside; names
    of outside that went; and the sizes that the server listed, where one is known.
    """

    rows: dict[str, int]
    outside: set[str]
    outside_gone: set[str]
    sizes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Folder) -> "Names":
        live = Arrival.objects.filter(folder=folder, uidl__isnull=False).live()
        rows: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for uidl, pk, size in live.values_list("uidl", "pk", "listed_size"):
            rows[uidl or ""] = pk
            if size is not None:
                sizes[uidl or ""] = size
        outside = OutsideMail.everything.filter(folder=folder).values_list("uidl", "gone_at")
        there = {uidl for uidl, gone_at in outside if gone_at is None}
        return cls(rows, there, {uidl for uidl, _ in outside} - there, sizes)


def compare(
    run: Run,
    folder: Folder,
    names: Names,
    named: dict[str, Listing],
    *,
    unnamed: Sequence[Listing],
) -> None:
    """One transaction: close, add, and at the first look take the baseline (R4).

    `names` are the ledger's before, which this run alone changes; `unnamed` messages have no UIDL;
    at the first look they are history too, which is not all listed (`low`) until each has been
    retrieved.
    """
    again(lambda: _compare(run, folder, names, named, unnamed))
    folder.refresh_from_db()


def _compare(
    run: Run,
    folder: Folder,
    names: Names,
    named: dict[str, Listing],
    unnamed: Sequence[Listing],
) -> None:
    first_look = folder.baseline_at is None
    known = names.rows.keys() | names.outside
    gone = {name for name in known - named.keys() if not name.startswith(DIGEST)}
    new = [each for uidl, each in named.items() if uidl not in known]
    with transaction.atomic():
        run.lease.fence()
        close([names.rows[name] for name in gone if name in names.rows])
        forget_outside(folder, gone & names.outside)
        if first_look and run.account.start == CollectionAccount.Start.NOW:
            add_outside(folder, [each.uidl or "" for each in new])
        else:
            add_rows(run.account, folder, new, of_history=first_look)
        if folder.untold_since is not None or is_void(folder):
            Folder.objects.filter(pk=folder.pk).update(untold_since=None, uidvalidity=None)
        if first_look:
            _take_baseline(run.account, folder, new, unnamed)
        elif folder.list_again:
            _take_back(run.account, folder, names, named, unnamed)


def _take_baseline(
    account: CollectionAccount, folder: Folder, new: Sequence[Listing], unnamed: Sequence[Listing]
) -> None:
    history = {"low": len(unnamed) + 1}
    if account.start != CollectionAccount.Start.NOW:
        to_come = sum(each.size for each in unnamed)
        history |= {
            "history_total": len(new) + len(unnamed),
            "history_octets": sum(each.size for each in new) + to_come,
            "to_come": len(unnamed),
            "octets_to_come": to_come,
        }
    now = timezone.now()
    rows = Folder.objects.filter(pk=folder.pk)
    rows.update(baseline_at=now, history_begun_at=now, **history)


def _take_back(
    account: CollectionAccount,
    folder: Folder,
    names: Names,
    named: dict[str, Listing],
    unnamed: Sequence[Listing],
) -> None:
    """A person asked for the history once more: what was outside waits, and its header or its
    octets will tell whether it is within the window.
    """
    back = [each for uidl, each in named.items() if uidl in names.outside]
    digests = [name for name in names.outside if name.startswith(DIGEST)]
    forget_outside(folder, [*(each.uidl or "" for each in back), *digests])
    add_rows(account, folder, back, of_history=True)
    seen = len(digests) + sum(name.startswith(DIGEST) for name in names.rows)
    places = unnamed[:seen]  # of those without a UIDL only their octets tell which these are
    share = len(digests) / len(places) if places else 0
    to_come = round(share * sum(each.size for each in places))
    known_octets = folder.history_octets - folder.octets_to_come
    Folder.objects.filter(pk=folder.pk).update(
        list_again=False,
        history_begun_at=timezone.now(),
        history_total=folder.history_total - folder.to_come + len(back) + len(digests),
        history_octets=known_octets + sum(each.size for each in back) + to_come,
        low=len(places) + 1,
        to_come=len(digests),
        octets_to_come=to_come,
    )


def add_outside(folder: Folder, uidls: Collection[str]) -> None:
    """Messages from before the window, counted, never collected; in the caller's transaction."""
    names = sorted(uidls)
    for start in range(0, len(names), _CHUNK):
        back = OutsideMail.everything.filter(folder=folder, gone_at__isnull=False)
        back.filter(uidl__in=names[start : start + _CHUNK]).update(gone_at=None)
    rows = [OutsideMail(folder=folder, uidl=uidl) for uidl in names]
    OutsideMail.objects.bulk_create(rows, batch_size=_CHUNK, ignore_conflicts=True)
    _count_outside(folder)


def forget_outside(folder: Folder, gone: Collection[str]) -> None:
    """They went from the server: should the name come back, its header tells whether it is the same
    or new mail (`renaming_pop3`).
    """
    names, now = sorted(gone), timezone.now()
    for start in range(0, len(names), _CHUNK):
        rows = OutsideMail.objects.filter(folder=folder, uidl__in=names[start : start + _CHUNK])
        rows.update(gone_at=now)
    if names:
        _count_outside(folder)


def _count_outside(folder: Folder) -> None:
    count = OutsideMail.objects.filter(folder=folder).count()
    Folder.objects.filter(pk=folder.pk).update(outside=count)


def is_outside(account: CollectionAccount, row: Arrival) -> bool:
    """History from before the account's date."""
    return row.of_history and not is_within(account, row.internal_date)


def leave_outside(run: Run, folder: Folder, rows: Sequence[Arrival]) -> None:
    """Rows whose date turned out to be before the window: they leave the ledger for the count.

    They may be rows that were never stored.
    """
    if not rows:
        return
    with transaction.atomic():
        run.lease.fence()
        keys = [row.pk for row in rows if row.pk is not None]
        for start in range(0, len(keys), _CHUNK):
            Arrival.objects.filter(pk__in=keys[start : start + _CHUNK]).delete()
        add_outside(folder, [row.uidl or "" for row in rows])
        if not is_history_begun(folder):
            Folder.objects.filter(pk=folder.pk).update(
                history_total=F("history_total") - len(rows),
                history_octets=F("history_octets") - sum(row.size for row in rows),
            )


def is_history_begun(folder: Folder) -> bool:
    """Whether a letter of the history is on the desk. By then `history_total` has decided how it is
    told; to change it between two letters could leave some untold, one by one and in a summary.
    """
    return Arrival.objects.filter(folder=folder, of_history=True, message__isnull=False).exists()


def generations(folder: Folder, uidls: Collection[str]) -> dict[str, int]:
    """The highest generation of each UIDL so far, for those that were there before."""
    names = sorted(uidls)
    found: dict[str, int] = {}
    for start in range(0, len(names), _CHUNK):
        rows = Arrival.objects.filter(folder=folder, uidl__in=names[start : start + _CHUNK])
        found |= dict(rows.values_list("uidl").annotate(Max("generation")))
    return found


def add_rows(
    account: CollectionAccount, folder: Folder, new: Sequence[Listing], *, of_history: bool
) -> None:
    """Rows that wait for these messages, by their names; in the caller's transaction."""
    past = generations(folder, [each.uidl or "" for each in new])
    insert_arrivals(
        [
            Arrival(
                organization_id=account.organization_id,
                account=account,
                folder=folder,
                uidl=each.uidl,
                generation=past.get(each.uidl or "", 0) + 1,
                size=each.size,
                listed_size=each.size,
                of_history=of_history,
            )
            for each in sorted(new, key=lambda each: each.number)
        ]
    )
