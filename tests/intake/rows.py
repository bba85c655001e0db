"""Collection accounts and rows of their ledgers, made without any mail server."""

from typing import Any

from buzon.desk.models import Organization
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount

# What a person must say of a new account.
REQUIRED: dict[str, Any] = {
    "name": "sales",
    "host": "imap.example.com",
    "username": "ana@example.com",
    "secret": "s3cret",
}


def account_of(shop: Organization, name: str = "sales", **fields: Any) -> CollectionAccount:
    return add_account(shop, **(REQUIRED | {"name": name} | fields))


def with_name(number: int) -> dict[str, Any]:
    """What is needed for one more account."""
    return REQUIRED | {"name": f"a{number}"}


def arrive(of: CollectionAccount, count: int, **fields: Any) -> list[Arrival]:
    """So many rows, of its first folder unless said otherwise; UIDs follow those that are there."""
    folder = of.folders.order_by("pk")[0]
    first = Arrival.objects.filter(account=of).count() + 1
    return Arrival.objects.bulk_create(
        Arrival(
            organization=of.organization,
            account=of,
            **({"folder": folder, "uidvalidity": 1, "uid": uid} | fields),
        )
        for uid in range(first, first + count)
    )


def arrival(of: CollectionAccount, outcome: str, **fields: Any) -> Arrival:
    """One row."""
    (row,) = arrive(of, 1, outcome=outcome, **fields)
    return row


def waiting() -> set[int]:
    """The rows that wait now, by their keys."""
    return set(Arrival.objects.filter(outcome="waiting").values_list("pk", flat=True))
