"""What happened, in the past tense: the spine between filing and telling."""

from django.db import models
from django.db.models import Q

from buzon.desk.models.conversation import Message
from buzon.desk.models.customer import Customer
from buzon.desk.models.organization import Organization
from buzon.desk.models.people import Agent


class Event(models.Model):
    """One thing that happened. `told_at` is set once `notify` has made its notifications.

    `silent` events are told as entries of the list only: no pop-up and no e-mail.
    """

    class Kind(models.TextChoices):
        CUSTOMER_CREATED = "customer_created"
        CUSTOMER_ASSIGNED = "customer_assigned"
        CUSTOMER_LEFT_UNASSIGNED = "customer_left_unassigned"
        MESSAGE_RECEIVED = "message_received"
        LETTER_BOUNCED = "letter_bounced"
        HISTORY_COLLECTED = "history_collected"
        ACCOUNT_FAILED = "account_failed"
        ACCOUNT_RECOVERED = "account_recovered"
        ACCOUNT_STOPPED = "account_stopped"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    silent = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "id"],
                condition=Q(told_at__isnull=True),
                name="event_untold",
            ),
        ]
