"""Who is told of what, and the copies by e-mail."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from buzon.desk.models import Agent, Customer, Event, Message, Organization, User
from buzon.lease import LeasedRow


class Round(LeasedRow):
    """The work of turning an organization's events into notifications; one worker at a time."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="notify_round"
    )


class Notification(models.Model):
    """One person told of one event: an agent, or (for what concerns the installation) a login.

    `channels` is where it goes: {"list": true, "popup": bool, "email": bool}.
    """

    class Kind(models.TextChoices):
        CUSTOMER_ASSIGNED = "customer_assigned", _("Customer assigned")
        MESSAGE_RECEIVED = "message_received", _("Message received")
        LETTER_BOUNCED = "letter_bounced", _("Letter returned")
        HISTORY_COLLECTED = "history_collected", _("Earlier letters collected")
        CUSTOMER_LEFT_UNASSIGNED = "customer_left_unassigned", _("Customer without an agent")
        ACCOUNT_FAILED = "account_failed", _("Mail not collected")
        ACCOUNT_RECOVERED = "account_recovered", _("Mail collected again")
        ACCOUNT_STOPPED = "account_stopped", _("Decision needed")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    agent = models.ForeignKey(
        Agent,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notifications",
        db_index=False,
    )
    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notifications",
        db_index=False,
    )
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="notifications")
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(default=dict)
    channels = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "agent"],
                condition=Q(agent__isnull=False),
                name="agent_told_once",
            ),
            models.UniqueConstraint(
                fields=["event", "user"], condition=Q(user__isnull=False), name="user_told_once"
            ),
            models.CheckConstraint(
                condition=Q(agent__isnull=False, user__isnull=True)
                | Q(agent__isnull=True, user__isnull=False),
                name="told_to_one",
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "-id"], name="notification_newest"),
            models.Index(
                fields=["user", "-id"],
                condition=Q(user__isnull=False),
                name="notification_newest_of_login",
            ),
            models.Index(
                fields=["agent"], condition=Q(read_at__isnull=True), name="notification_unread"
            ),
            models.Index(
                fields=["read_at"], condition=Q(read_at__isnull=False), name="notification_read"
            ),
        ]


class Copy(LeasedRow):
    """The copy of a notification by e-mail: due until sent, or given up after some attempts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    notification = models.OneToOneField(Notification, on_delete=models.CASCADE, related_name="copy")
    to = models.EmailField(max_length=254)
    message_id = models.CharField(max_length=1000)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=1000, blank=True, default="")
