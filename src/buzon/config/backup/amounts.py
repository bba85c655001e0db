"""How much an installation, or a backup of one, holds: what a person knows it by."""

from collections.abc import Callable

THINGS = {
    "desk_organization": "organization",
    "intake_collectionaccount": "collection account",
    "desk_customer": "customer",
    "desk_message": "letter",
}


def amounts(count: Callable[[str], int]) -> str:
    """ "1 organization, 2 collection accounts, …"; `count` gives the rows of a table."""
    return ", ".join(_counted(count(table), thing) for table, thing in THINGS.items())


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
