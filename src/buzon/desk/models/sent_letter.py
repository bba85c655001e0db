"""The letters that we sent, by Message-ID: their bounces, and they themselves, are known by it."""

from django.db import models

from buzon.desk.models.conversation import Message
from buzon.desk.models.organization import Organization


class SentLetter(models.Model):
    """One letter that left from here: a letter to a customer, or a notification to an agent."""

    class Purpose(models.TextChoices):
        LETTER = "letter"
        NOTIFICATION = "notification"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    message_id = models.CharField(max_length=1000)
    purpose = models.CharField(max_length=15, choices=Purpose.choices)
    letter = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="sent_as"
    )
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "message_id"], name="sent_letter_once"),
        ]
