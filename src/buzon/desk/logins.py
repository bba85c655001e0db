"""Logins: whether anybody can let others in."""

from buzon.desk.models import User


def has_administrator() -> bool:
    """Whether there is an administrator in this installation; else the first one is to be made."""
    return User.objects.filter(role=User.Role.ADMINISTRATOR).exists()
