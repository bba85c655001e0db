"""The people of the shop: logins, agents, and the groups that new customers are shared among."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from buzon.desk.models.organization import Organization

PRESENCE = timedelta(minutes=2)  # how long after a sign of life somebody counts as signed in


class UserManager(BaseUserManager["User"]):
    """Makes logins; the password is stored as a hash only."""

    def create_login(
        self, organization: Organization, *, email: str, password: str, role: str
    ) -> "User":
        user = self.model(organization=organization, email=email.lower(), role=role)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A login. An agent's work belongs to the Agent, not to the login."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", _("Administrator")
        AGENT = "agent", _("Agent")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="users")
    email = models.EmailField(max_length=254, unique=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, blank=True, default="")  # "": the browser's
    appearance = models.CharField(max_length=5, blank=True, default="")  # light, dark; "": system's
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.email


class Agent(models.Model):
    """One who answers customers (es: agente).

    `status` is set by hand and kept over sign-out (R12); presence is a second, separate fact:
    `present_until` moves on with every sign of life of a signed-in page, and ends with sign-out.
    """

    class Status(models.TextChoices):
        FREE = "free", _("Free")
        BUSY = "busy", _("Busy")
        LUNCH = "lunch", _("At lunch")
        BREAK = "break", _("Break")

    class Copies(models.TextChoices):
        """Of which notifications this agent wants a copy by e-mail (R13)."""

        NONE = "none", _("No copies")
        ALL = "all", _("Of every notification")
        ASSIGNED = "assigned", _("Of new customers only")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="agents")
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.FREE)
    active = models.BooleanField(default=True)
    present_until = models.DateTimeField(null=True, blank=True)
    email_copies = models.CharField(max_length=10, choices=Copies.choices, default=Copies.NONE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="agent_name_once"),
            models.UniqueConstraint(fields=["organization", "email"], name="agent_email_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_present(self, at: datetime | None = None) -> bool:
        return self.present_until is not None and self.present_until > (at or timezone.now())

    def heard_from(self, *, until: datetime | None = None) -> None:
        """A signed-in page of this agent gave a sign of life (or is known to stay `until`)."""
        self.present_until = until or timezone.now() + PRESENCE
        self.save(update_fields=["present_until"])

    def signed_out(self) -> None:
        self.present_until = None
        self.save(update_fields=["present_until"])

    def set_status(self, status: "Agent.Status") -> None:
        self.status = status
        self.save(update_fields=["status"])


class AgentGroup(models.Model):
    """Agents who share new customers evenly. `turn` is the highest turn given so far."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)
    turn = models.BigIntegerField(default=0)
    members: "models.ManyToManyField[Agent, Membership]" = models.ManyToManyField(
        Agent, through="Membership", related_name="groups"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="group_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """An agent in a group, with the turn at which the agent last got a customer; 0 for never."""

    group = models.ForeignKey(AgentGroup, on_delete=models.CASCADE, related_name="memberships")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="memberships")
    last_turn = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "agent"], name="member_once"),
        ]
