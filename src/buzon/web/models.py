"""Who is signed in from where, and who tried to and could not."""

from django.db import models

from buzon.desk.models import User


class SignIn(models.Model):
    """One signing in of a login, from one browser; it lasts as long as its session.

    The row stays a while after its end: from a network where this login signed in before, nobody
    else's wrong tries keep its person out.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, db_index=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    browser = models.CharField(max_length=100)  # "Firefox · Linux"; "" where it does not say
    address = models.GenericIPAddressField(null=True, blank=True)
    network = models.CharField(max_length=50)  # see `limits.network_of`

    class Meta:
        indexes = [models.Index(fields=["user", "network"], name="sign_in_known_place")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.browser}"


class FailedTry(models.Model):
    """A password or a code that was wrong, or is being looked at right now; nobody's row, because
    it is about somebody who is not known. `key` is a digest of what is limited.
    """

    key = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="failed_try_of_key")]

    def __str__(self) -> str:
        return self.key
