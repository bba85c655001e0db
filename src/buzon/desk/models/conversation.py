"""Letters and the conversations that they form.

Conversation 1 ─── n Message 1 ─── n Reference (the Message-IDs that it answers)
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from buzon.desk.models.customer import Customer
from buzon.desk.models.organization import Organization, Store


class Conversation(models.Model):
    """Letters joined by References and In-Reply-To, within one store."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey(
        Store, on_delete=models.RESTRICT, null=True, blank=True, related_name="conversations"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    subject = models.CharField(max_length=500, blank=True, default="")
    started_at = models.DateTimeField()
    last_message_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-last_message_at"], name="conversation_newest"),
        ]


class Message(models.Model):
    """One letter as the desk knows it: what lists need; the rest is read from the raw octets.

    `identity` is the digest of what makes two arrivals the same message (store, Message-ID, From,
    Date, octets after the header); NULL without a Message-ID, which is never merged. `sha256`
    names the raw octets in the vault; "" while only the header of an oversized letter is here.
    """

    class Direction(models.TextChoices):
        INCOMING = "incoming", pgettext_lazy("letter", "Received")
        OUTGOING = "outgoing", pgettext_lazy("letter", "Sent")

    class Kind(models.TextChoices):
        PERSON = "person", _("From a person")
        AUTO_REPLY = "auto_reply", _("Automatic reply")
        BOUNCE = "bounce", _("Delivery report")
        LIST = "list", _("Mailing list")
        BULK = "bulk", _("Bulk mail")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="messages"
    )
    store = models.ForeignKey(
        Store, on_delete=models.RESTRICT, null=True, blank=True, related_name="messages"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.RESTRICT, related_name="messages"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    direction = models.CharField(max_length=10, choices=Direction.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    message_id = models.CharField(max_length=1000, blank=True, default="")
    identity = models.CharField(max_length=64, null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    from_name = models.CharField(max_length=300, blank=True, default="")
    from_address = models.CharField(max_length=400, blank=True, default="")
    subject = models.CharField(max_length=500, blank=True, default="")
    preview = models.CharField(max_length=300, blank=True, default="")
    date = models.DateTimeField(null=True, blank=True)  # the author's Date field
    internal_date = models.DateTimeField(null=True, blank=True)  # the server's
    received_at = models.DateTimeField(auto_now_add=True)  # ours
    size = models.BigIntegerField(default=0)  # octets
    attachment_count = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)
    link = models.JSONField(default=dict)  # why it was linked to this customer, or to none
    warnings = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "identity"],
                condition=Q(identity__isnull=False),
                name="same_message_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "message_id"],
                condition=~Q(message_id=""),
                name="message_by_message_id",
            ),
            models.Index(
                fields=["organization", "customer"],
                condition=Q(read_at__isnull=True),
                name="message_unread",
            ),
        ]


class Reference(models.Model):
    """A Message-ID that a letter refers to: an older letter that arrives later finds its place."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="references")
    refers_to = models.CharField(max_length=1000)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "refers_to"], name="reference_by_message_id"),
        ]
