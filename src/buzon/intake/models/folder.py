"""A folder that is collected, its baseline and its cursor.

    UID   1 ……… low ……… high ……… UIDNEXT
          │not yet│ in the  │ new mail
          │listed │ ledger  │
          ◀──history        forward──▶

Everything from `low` to `high` has been decided: a row of the ledger, or counted as outside the
window. New mail goes forward from `high`; history goes backward from `low`, newest first. Both move
only in the transaction that stored the rows. The baseline is what the first successful look saw.
POP3 has one folder, INBOX, without UIDs: its listing is compared whole in every session; there
`low` is above 1 only while messages without a UIDL, of the first look, are not yet retrieved.

How far the history is: `history_total` - `to_come` - what waits in the ledger. A person may have it
listed again, from an earlier day on; what has a row is passed over then.
"""

from django.db import models

from buzon.intake.models.account import CollectionAccount


class CollectedFolders(models.Manager["Folder"]):
    """Without those that were taken off their accounts."""

    def get_queryset(self) -> "models.QuerySet[Folder]":
        return super().get_queryset().filter(left_at=None)


class Folder(models.Model):
    """One folder of a collection account. A folder collected as `sent` is matched by recipient.

    One that was left is remembered (`everything`), in case that it is put on again.
    """

    class Role(models.TextChoices):
        INBOX = "inbox"
        SENT = "sent"

    account = models.ForeignKey(CollectionAccount, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=500)
    role = models.CharField(max_length=5, choices=Role.choices, default=Role.INBOX)
    uidvalidity = models.BigIntegerField(null=True, blank=True)
    baseline_at = models.DateTimeField(null=True, blank=True)
    baseline_uidnext = models.BigIntegerField(null=True, blank=True)
    high = models.BigIntegerField(default=0)
    low = models.BigIntegerField(default=1)
    outside = models.BigIntegerField(default=0)  # messages on the server before the window
    history_total = models.BigIntegerField(default=0)  # at the baseline, within the window
    history_octets = models.BigIntegerField(default=0)  # of those, as the server said
    to_come = models.BigIntegerField(default=0)  # history within the window, not yet listed
    octets_to_come = models.BigIntegerField(default=0)  # of those
    history_begun_at = models.DateTimeField(null=True, blank=True)  # its last listing
    list_again = models.BooleanField(default=False)  # a person asked for history once more
    cancelled_at = models.DateTimeField(null=True, blank=True)  # the rest of it is outside
    pace = models.JSONField(default=list)  # looks at how far it is, see intake/pace.py
    reconciled_at = models.DateTimeField(null=True, blank=True)  # all of it was compared with rows
    validity_changes = models.JSONField(default=list)  # ISO times, for the loop guard
    # POP3: since when names are kept that may be of messages which the server does not give.
    untold_since = models.DateTimeField(null=True, blank=True)
    stumbles = models.JSONField(default=dict)  # where the server hung up, see intake/stumbles.py
    left_at = models.DateTimeField(null=True, blank=True)  # taken off the account

    objects = CollectedFolders()
    everything = models.Manager["Folder"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="folder_once"),
        ]

    def __str__(self) -> str:
        return self.name


class PresentOutsideMail(models.Manager["OutsideMail"]):
    """Without what went from the server."""

    def get_queryset(self) -> "models.QuerySet[OutsideMail]":
        return super().get_queryset().filter(gone_at=None)


class OutsideMail(models.Model):
    """A POP3 message of before the window, by UIDL (or by digest where the server has no UIDL).

    Over IMAP those of which, after a renumbering, the internal date no longer tells: by UID.
    """

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="outside_mail")
    uidl = models.CharField(max_length=300)
    gone_at = models.DateTimeField(null=True, blank=True)  # its name may come back, or be used anew

    objects = PresentOutsideMail()
    everything = models.Manager["OutsideMail"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folder", "uidl"], name="outside_once"),
        ]
