"""Senders and domains whose mail is ignored."""

from django.db import models

from buzon.desk.models.organization import Organization


class BlockedSender(models.Model):
    """`pattern` is a folded address ("ana@example.com") or a folded domain ("@example.com")."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    pattern = models.CharField(max_length=400)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "pattern"], name="blocked_once"),
        ]

    def __str__(self) -> str:
        return self.pattern
