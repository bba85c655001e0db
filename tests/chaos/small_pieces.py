"""Custody in pieces, as of large messages, for the small letters of every third shop; and in small
batches, as of large mailboxes, wherever letters are removed.

A letter of megabytes in each trial, or hundreds of letters, would take most of its time; the way of
the octets is the same. With several batches the next one is retrieved while one is stored.
"""

from buzon.intake import run, vault
from buzon.intake.batches import MOST_BODIES
from buzon.intake.models import CollectionAccount

USUAL = (vault.PIECE, vault.LARGEST_IN_ONE)
SMALL = (250, 250)  # octets; letters have a few hundred, or thousands
FEW = 8  # of which the first batches have a quarter


def cut_small(account: CollectionAccount, *, ahead: bool = True) -> None:
    """From now on in this process, as this account has it in every process; unless `ahead`, all
    letters are one batch.
    """
    is_small = account.organization_id % 3 == 0
    vault.PIECE, vault.LARGEST_IN_ONE = SMALL if is_small else USUAL
    has_few = ahead and account.after == CollectionAccount.After.DELETE
    run.MOST_BODIES = FEW if has_few else MOST_BODIES  # type: ignore[attr-defined]
