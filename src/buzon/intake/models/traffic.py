"""How much was received from a mail server: one row for each login and hour."""

from django.db import models


class Traffic(models.Model):
    """Octets that a login received within an hour; kept for two days.

    Each row is written by the one run that collects this login, so that runs wait for no other;
    what a whole server gave is their sum. `login` is a digest: whose it is, nobody need know.
    """

    host = models.CharField(max_length=255)  # lower case
    login = models.CharField(max_length=64)
    hour = models.DateTimeField()  # its beginning
    octets = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "login", "hour"], name="traffic_once"),
        ]
        indexes = [models.Index(fields=["hour"], name="traffic_hour")]

    def __str__(self) -> str:
        return f"{self.octets} octets from {self.host}"
