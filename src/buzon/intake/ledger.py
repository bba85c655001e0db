"""The ledger as people read it: a part at a time, the newest row first, however long it is.

Rows are found by index, strand by strand: a strand is an account with an outcome, or (where nothing
is asked for) the whole organization. What no index helps with, such as a piece of a sender's
address, is looked for in the newest MOST_LOOKED_AT rows of each strand; then the reader decides
whether to look further back. Nothing is counted.
"""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from buzon.desk.models import Organization
from buzon.intake.models import Arrival, CollectionAccount

AT_ONCE = 50
MOST_LOOKED_AT = 20_000

# What is asked of a row beside its account and its outcome.
PLACES = {
    "there": (_("Still on the server"), Q(gone_at__isnull=True)),
    "gone": (_("No longer on the server"), Q(gone_at__isnull=False)),
    "unsettled": (
        _("Filed, and the server does not know yet"),
        Q(outcome="filed", settled_at__isnull=True, gone_at__isnull=True),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: of this account, with this outcome, from a sender with these letters in the
    address, in this one of PLACES; None and "" ask for nothing. `among`: where the caller knows
    which accounts have rows of this outcome, the others are not looked at.
    """

    account: CollectionAccount | None = None
    among: Sequence[CollectionAccount] | None = None
    outcome: str = ""
    sender: str = ""
    place: str = ""

    @property
    def needs_looking(self) -> bool:
        """Whether rows have to be looked at one by one."""
        return bool(self.sender or self.place)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of the ledger, and where the next part begins: before this key, None at the end.
    `is_cut`: it was looked for only so far back, and not everything was seen.
    """

    rows: list[Arrival]
    before: int | None = None
    is_cut: bool = False


def part_of_ledger(organization: Organization, wanted: Wanted, *, before: int | None) -> Part:
    """The newest rows that are wanted, among those older than the row `before`."""
    found: list[int] = []
    floor = 0
    for strand in _strands(organization, wanted):
        older = strand if before is None else strand.filter(pk__lt=before)
        lowest = _lowest_looked_at(older) if wanted.needs_looking else 0
        floor = max(floor, lowest)
        found += _keys(older.filter(pk__gte=lowest) if lowest else older, wanted)
    # Below the highest floor some strand was not looked at: nothing of there is shown yet.
    keys = heapq.nlargest(AT_ONCE + 1, (key for key in found if key >= floor))
    if len(keys) > AT_ONCE:
        return Part(rows_of_ledger(organization, keys[:AT_ONCE]), before=keys[AT_ONCE - 1])
    return Part(rows_of_ledger(organization, keys), before=floor or None, is_cut=floor > 0)


def rows_of_ledger(organization: Organization, keys: Collection[int]) -> list[Arrival]:
    """These rows, the newest first, with all that a page shows of them."""
    rows = Arrival.objects.filter(organization=organization, pk__in=keys)
    joined = rows.select_related("account", "folder", "message__customer__agent")
    return list(joined.prefetch_related("message__customer__addresses").order_by("-pk"))


def _strands(organization: Organization, wanted: Wanted) -> "Iterator[QuerySet[Arrival]]":
    if wanted.account is None and not wanted.outcome:
        yield Arrival.objects.filter(organization=organization)
        return
    outcomes = [wanted.outcome] if wanted.outcome else Arrival.Outcome.values
    for account, outcome in product(_accounts(organization, wanted), outcomes):
        yield Arrival.objects.filter(account=account, outcome=outcome)


def _accounts(organization: Organization, wanted: Wanted) -> Sequence[CollectionAccount]:
    if wanted.account is not None:
        return [wanted.account]
    if wanted.among is not None:
        return wanted.among
    return list(CollectionAccount.objects.filter(organization=organization).only("pk"))


def _lowest_looked_at(strand: "QuerySet[Arrival]") -> int:
    """The key down to which a strand is looked at; 0 for all of a short one."""
    keys = strand.order_by("-pk").values_list("pk", flat=True)
    return keys[MOST_LOOKED_AT - 1 : MOST_LOOKED_AT].first() or 0


def _keys(strand: "QuerySet[Arrival]", wanted: Wanted) -> list[int]:
    if wanted.sender:
        strand = strand.filter(sender__contains=wanted.sender.lower())
    if wanted.place:
        strand = strand.filter(PLACES[wanted.place][1])
    return list(strand.order_by("-pk").values_list("pk", flat=True)[: AT_ONCE + 1])
