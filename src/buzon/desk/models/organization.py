"""Organizations and their stores. Everything else belongs to exactly one organization."""

from django.db import models


class Organization(models.Model):
    """One company that uses this installation; nothing ever crosses from one to another."""

    name = models.CharField(max_length=200, unique=True)
    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    max_accounts = models.PositiveIntegerField(null=True, blank=True)  # None: the installation's
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Store(models.Model):
    """A shop of the organization (es: tienda). Customers and collection accounts may have one."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="stores")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="store_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
