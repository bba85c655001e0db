"""Folders that are taken off an account, and put on again.

Their rows are closed and stay: a folder that comes back is the one that it was, with its baseline
and all that was seen there, so nothing is filed twice. The next collection finds the mail again
first (`renumbering`), whatever became of it meanwhile.
"""

from django.utils import timezone

from buzon.intake.gone import close, not_downloaded
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.names import VOID_UIDVALIDITY


def leave(folder: Folder) -> None:
    """It is no longer collected; one that was never looked at goes without a trace. In the caller's
    transaction, in which no collector of the account can write any more.
    """
    if folder.baseline_at is None:
        folder.delete()
        return
    Folder.objects.filter(pk=folder.pk).update(left_at=timezone.now())
    close(list(Arrival.objects.filter(folder=folder).live().values_list("pk", flat=True)))


def put_on(account: CollectionAccount, name: str, role: str) -> None:
    """Collected from now on, or again; in the caller's transaction, as above. With another role it
    is another folder: its letters are matched by other fields.
    """
    folder = Folder.everything.filter(account=account, name=name).first()
    if folder is not None and folder.role == role and folder.left_at is not None:
        _come_back(folder)
        return
    if folder is not None:
        folder.delete()
    Folder.objects.create(account=account, name=name, role=role)


def _come_back(folder: Folder) -> None:
    closed = Arrival.objects.filter(folder=folder, gone_at__gte=folder.left_at)
    closed = closed.exclude(not_downloaded())
    closed.filter(settled_at__gte=folder.left_at).update(settled_at=None)
    closed.update(gone_at=None, settling_at=None, uidvalidity=VOID_UIDVALIDITY)
    folder.left_at, folder.uidvalidity, folder.validity_changes = None, VOID_UIDVALIDITY, []
    folder.save(update_fields=["left_at", "uidvalidity", "validity_changes"])
