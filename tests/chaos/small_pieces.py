"""Custody in pieces, as of large messages, for the small letters of every third shop.

A letter of megabytes in each trial would take most of its time; the way of its octets is the same.
"""

from buzon.intake import vault

USUAL = (vault.PIECE, vault.LARGEST_IN_ONE)
SMALL = (100, 250)  # octets; letters have a few hundred


def cut_small(organization_id: int) -> None:
    """From now on in this process, as this shop has it in every process."""
    vault.PIECE, vault.LARGEST_IN_ONE = SMALL if organization_id % 3 == 0 else USUAL
