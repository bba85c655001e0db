"""Customers, the addresses they write from, and who looks after them and why."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from buzon.desk.models.organization import Organization, Store
from buzon.desk.models.people import Agent, AgentGroup


class Customer(models.Model):
    """One whom the shop serves (es: cliente). One made from mail has only its address (R8)."""

    class CreatedBy(models.TextChoices):
        MAIL = "mail", _("From a letter")
        PERSON = "person", _("By hand")
        IMPORT = "import", _("From an imported list")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="customers"
    )
    store = models.ForeignKey(
        Store, on_delete=models.RESTRICT, null=True, blank=True, related_name="customers"
    )
    name = models.CharField(max_length=300, blank=True, default="")
    agent = models.ForeignKey(
        Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="customers"
    )
    created_by = models.CharField(max_length=10, choices=CreatedBy.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    last_active_at = models.DateTimeField(null=True, blank=True)  # of the newest letter

    def __str__(self) -> str:
        return self.name or f"customer {self.pk}"

    def shown_name(self) -> str:
        """The name, or where there is none the first address. For lists, prefetch `addresses`."""
        addresses = sorted(self.addresses.all(), key=lambda row: row.pk)
        return self.name or (addresses[0].address if addresses else f"({self.pk})")


class CustomerAddress(models.Model):
    """One address of one customer, unique per store, and among the customers of no store.

    `folded` is what is compared: ASCII case folded, the domain in its IDNA form, nothing else.
    `base` is that without dots and +tags: what is looked up where provider rules are turned on.
    `store` repeats the customer's, because the two constraints need it in this row.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    store = models.ForeignKey(
        Store, on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=400)
    folded = models.CharField(max_length=400)
    base = models.CharField(max_length=400)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "store", "folded"], name="address_once_per_store"
            ),
            # NULLs are distinct to a unique constraint, so "no store" needs one of its own.
            models.UniqueConstraint(
                fields=["organization", "folded"],
                condition=Q(store__isnull=True),
                name="address_once_without_store",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "folded"], name="address_lookup"),
            models.Index(fields=["organization", "base"], name="address_lookup_by_base"),
        ]

    def __str__(self) -> str:
        return self.address


class Assignment(models.Model):
    """Each time a customer was given to an agent, or could not be: when, and why.

    `why` is data ({"code": …, …}); `buzon.desk.reasons.sentence` puts it into words.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="assignments")
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments"
    )
    group = models.ForeignKey(
        AgentGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    turn = models.BigIntegerField(null=True, blank=True)
    why = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # One sequence per group: two collectors that took the same turn cannot both commit.
            models.UniqueConstraint(fields=["group", "turn"], name="turn_once_per_group"),
        ]
