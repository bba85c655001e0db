"""Reading the ledger: a part at a time, by index, and never past what was looked at."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from buzon.desk.models import Organization
from buzon.intake import ledger
from buzon.intake.ledger import Part, Wanted, part_of_ledger
from buzon.intake.models import Arrival, CollectionAccount
from tests.intake.rows import account_of, arrive


def rows(of: CollectionAccount, count: int, **fields: Any) -> list[int]:
    """Their keys, the newest first."""
    values = {"outcome": "skipped", "reason": {"code": "unknown_sender"}} | fields
    made = arrive(of, count, **values)
    return [row.pk for row in made][::-1]


def part(shop: Organization, before: int | None = None, **wanted: Any) -> Part:
    return part_of_ledger(shop, Wanted(**wanted), before=before)


def keys(found: Part) -> list[int]:
    return [row.pk for row in found.rows]


def walked(shop: Organization, **wanted: Any) -> list[int]:
    """All parts, one after the other."""
    found = part(shop, **wanted)
    shown = keys(found)
    while found.before is not None:
        found = part(shop, before=found.before, **wanted)
        shown += keys(found)
    return shown


def test_parts_follow_each_other_without_gap_or_double(shop: Organization) -> None:
    one, two = account_of(shop), account_of(shop, "info")
    mixed = []
    for n in range(60):
        mixed += rows(one if n % 2 else two, 2, outcome="filed" if n % 3 else "failed")
    everything = sorted(mixed, reverse=True)
    assert len(part(shop).rows) == ledger.AT_ONCE
    assert walked(shop) == everything
    for name in ("filed", "failed"):
        of_it = set(Arrival.objects.filter(outcome=name).values_list("pk", flat=True))
        assert walked(shop, outcome=name) == [key for key in everything if key in of_it]
    mine = set(one.arrivals.values_list("pk", flat=True))
    assert walked(shop, account=one) == [key for key in everything if key in mine]
    both = set(one.arrivals.filter(outcome="filed").values_list("pk", flat=True))
    assert walked(shop, account=one, outcome="filed") == [k for k in everything if k in both]


def test_each_question_finds_its_rows(shop: Organization) -> None:
    of = account_of(shop)
    (gone,) = rows(of, 1, gone_at=timezone.now())
    (unsettled,) = rows(of, 1, outcome="filed", sender="ana@customer.example")
    (settled,) = rows(of, 1, outcome="filed", settled_at=timezone.now())
    assert keys(part(shop, place="gone")) == [gone]
    assert keys(part(shop, place="there")) == [settled, unsettled]
    assert keys(part(shop, place="unsettled")) == [unsettled]
    assert keys(part(shop, sender="ANA@cust")) == [unsettled]
    assert keys(part(shop, sender="ana@cust", outcome="skipped")) == []
    assert keys(part(shop, sender="%")) == []


def test_a_rare_sender_is_looked_for_part_by_part(
    shop: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MOST_LOOKED_AT", 20)
    of, other = account_of(shop), account_of(shop, "info")
    (rare,) = rows(of, 1, sender="ana@customer.example")
    rows(other, 15, sender="eva@customer.example")
    rows(of, 45, sender="zoe@customer.example")
    first = part(shop, sender="ana@")
    assert (keys(first), first.is_cut) == ([], True)
    for wanted in (
        {},
        {"outcome": "skipped"},
        {"account": of},
        {"account": of, "outcome": "skipped"},
    ):
        assert walked(shop, sender="ana@", **wanted) == [rare]
    assert len(walked(shop, sender="customer")) == 61
    assert len(walked(shop, sender="customer", outcome="skipped")) == 61


def test_nothing_of_another_organization(shop: Organization) -> None:
    other = Organization.objects.create(name="Other")
    theirs = account_of(other)
    (row,) = rows(theirs, 1)
    assert keys(part(shop)) == keys(part(shop, outcome="skipped")) == []
    assert ledger.rows_of_ledger(shop, [row]) == []
    assert keys(part(shop, account=theirs)) == []


def test_a_long_ledger_is_read_by_index(shop: Organization) -> None:
    """Otherwise a shop with millions of messages waits for each page."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by how much there is, and here is little.")
    of = account_of(shop)
    newest = Arrival.objects.filter(organization=shop)
    filed = Arrival.objects.filter(account=of, outcome="filed")
    for asked, index in ((newest, "arrival_newest"), (filed, "arrival_outcome")):
        plan = asked.order_by("-pk").values_list("pk")[:51].explain()
        assert f"INDEX {index}" in plan
        assert "TEMP B-TREE" not in plan
