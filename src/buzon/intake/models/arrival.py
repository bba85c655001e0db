"""The ledger: one row for every message seen on a server within its account's window.

                 ┌──▶ filed ──▶ settled (the server did what R6 asks)
    waiting ─────┼──▶ skipped | ignored | oversized ──fetch──▶ waiting
                 └──▶ failed ──retry──▶ waiting

A waiting row without octets (`sha256` "") is still to be downloaded; one with octets, or with the
header of an oversized message, is in custody and still to be processed. Only a filed row, which is
in custody whole, is ever settled.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext_lazy as _

from buzon.desk.models import Message, Organization
from buzon.desk.reasons import reason
from buzon.intake.models.account import CollectionAccount
from buzon.intake.models.folder import Folder

# What the server says, else what the message says; a date that is still to come is a lie.
ARRIVED_AT = Least(Coalesce("internal_date", "seen_at"), "seen_at")


class Arrivals(models.QuerySet["Arrival"]):
    """The ledger's questions, by name."""

    def live(self) -> "Arrivals":
        """Still on the server, as far as we know."""
        return self.filter(gone_at__isnull=True)

    def to_download(self) -> "Arrivals":
        """Wanted, and not in custody."""
        wanted = Q(header_sha256="") | Q(asked_by_person=True)
        return self.live().filter(wanted, outcome="waiting", sha256="")

    def to_process(self) -> "Arrivals":
        """In custody (an oversized one: its header), and not yet understood."""
        header_only = ~Q(header_sha256="") & Q(asked_by_person=False)
        return self.filter(~Q(sha256="") | header_only, outcome="waiting")

    def obtainable(self) -> "Arrivals":
        """Still on the server, or in custody (an oversized one: its header)."""
        return self.filter(Q(gone_at__isnull=True) | ~Q(sha256="") | ~Q(header_sha256=""))

    def to_settle(self) -> "Arrivals":
        """In custody whole, filed, and the server does not know yet."""
        return self.live().filter(outcome="filed", settled_at__isnull=True).exclude(sha256="")


class Arrival(models.Model):
    """One message on one server. Identity: IMAP (folder, UIDVALIDITY, UID), POP3 (folder, UIDL,
    generation); `header_digest` is the identity card by which it is found again after a
    renumbering. `gone_at`: no longer on the server. `reason` is data, see `buzon.desk.reasons`.
    """

    class Left(models.TextChoices):
        """Why a filed message is never removed from its server, whatever R6 says."""

        SIZE = "size"  # what came is not as long as the server said
        OCTETS = "octets"  # what the server gives today is not what came

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        FILED = "filed", _("Filed")
        SKIPPED = "skipped", _("Skipped")
        IGNORED = "ignored", _("Ignored")
        OVERSIZED = "oversized", _("Too large")
        FAILED = "failed", _("Failed")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        CollectionAccount, on_delete=models.CASCADE, related_name="arrivals", db_index=False
    )
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="arrivals")
    uidvalidity = models.BigIntegerField(null=True, blank=True)
    uid = models.BigIntegerField(null=True, blank=True)
    uidl = models.CharField(max_length=300, null=True, blank=True)
    generation = models.PositiveIntegerField(default=1)

    header_digest = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(default=0)  # octets, as received, before that as listed
    listed_size = models.BigIntegerField(null=True, blank=True)  # octets, as the server lists it
    internal_date = models.DateTimeField(null=True, blank=True)
    sender = models.CharField(max_length=400, blank=True, default="")  # folded
    of_history = models.BooleanField(default=False)

    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    header_sha256 = models.CharField(max_length=64, blank=True, default="")  # of an oversized one
    structure = models.JSONField(default=dict)  # of an oversized one: BODYSTRUCTURE
    message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="arrivals"
    )
    attempts = models.PositiveIntegerField(default=0)  # of processing, counted before the reading
    retry_at = models.DateTimeField(null=True, blank=True)
    asked_by_person = models.BooleanField(default=False)  # fetch it whatever triage and limit say
    seen_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    settling_at = models.DateTimeField(null=True, blank=True)  # the server was asked; not yet sure
    settled_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    left_because = models.CharField(max_length=10, choices=Left.choices, blank=True, default="")

    objects = Arrivals.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["folder", "uidvalidity", "uid"],
                condition=Q(uid__isnull=False, gone_at__isnull=True),
                name="imap_identity",
            ),
            models.UniqueConstraint(
                fields=["folder", "uidl", "generation"],
                condition=Q(uidl__isnull=False),
                name="pop3_identity",
            ),
            models.UniqueConstraint(
                fields=["folder", "uidl"],
                condition=Q(uidl__isnull=False, gone_at__isnull=True),
                name="one_live_row_per_uidl",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "id"], condition=Q(outcome="waiting"), name="arrival_waiting"
            ),
            models.Index(
                fields=["account", "retry_at"],
                condition=Q(retry_at__isnull=False),
                name="arrival_to_retry",
            ),
            models.Index(
                fields=["folder", "uid"],
                condition=Q(outcome="filed", settled_at__isnull=True, gone_at__isnull=True),
                name="arrival_to_settle",
            ),
            models.Index(
                fields=["organization", "sender"],
                condition=Q(outcome__in=["skipped", "oversized"]),
                name="arrival_skipped_sender",
            ),
            # With the key at the end: a page of the ledger begins where the one before it ended.
            models.Index(fields=["organization", "id"], name="arrival_newest"),
            models.Index(fields=["account", "outcome", "id"], name="arrival_outcome"),
            models.Index(fields=["organization", "decided_at", "outcome"], name="arrival_decided"),
            models.Index(F("account"), ARRIVED_AT, F("id"), name="arrival_latest"),
        ]

    def __str__(self) -> str:
        return f"arrival {self.pk}"

    @property
    def name(self) -> tuple[int, int | None, int | None, str | None]:
        """What the server calls it: folder, UIDVALIDITY, UID, UIDL."""
        return self.folder_id, self.uidvalidity, self.uid, self.uidl

    @property
    def left_reason(self) -> dict[str, Any]:
        """Why it is never removed from its server, as a reason; {} where it may be."""
        if self.left_because == self.Left.SIZE:
            return reason("left_for_its_size", listed=self.listed_size, size=self.size)
        return reason("left_for_its_octets") if self.left_because else {}

    @property
    def is_obtainable(self) -> bool:
        """What `Arrivals.obtainable` asks, of this one."""
        return self.gone_at is None or bool(self.sha256 or self.header_sha256)
