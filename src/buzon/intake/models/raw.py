"""The octets of messages, exactly as received."""

from django.db import models

from buzon.desk.models import Organization


class RawMessage(models.Model):
    """The octets of one message, compressed with zstd, named by the SHA-256 of the octets.

    Those of a large message are in its pieces, and `octets` is then empty: a database takes each
    value whole, several times over on its way.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    sha256 = models.CharField(max_length=64)
    octets = models.BinaryField()
    size = models.BigIntegerField()  # of the octets as received
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "sha256"], name="raw_once"),
        ]


class RawPiece(models.Model):
    """Octets of a large message, compressed by themselves; `place` counts its pieces from 0."""

    message = models.ForeignKey(RawMessage, on_delete=models.CASCADE, related_name="pieces")
    place = models.PositiveIntegerField()
    octets = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "place"], name="raw_piece_once"),
        ]
