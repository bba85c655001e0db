"""The octets of messages, exactly as received."""

from django.db import models

from buzon.desk.models import Organization


class RawMessage(models.Model):
    """The octets of one message, compressed with zstd, named by the SHA-256 of the octets."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64)
    octets = models.BinaryField()
    size = models.BigIntegerField()  # of the octets as received
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "sha256"], name="raw_once"),
        ]
