"""The mixin for rows that are worked on."""

from django.db import models
from django.db.models.functions import Now


class LeasedRow(models.Model):
    """A row with a time at which it wants work, and at most one worker at a time.

    `lease_epoch` only ever grows: it is raised by each claim, and a run that holds an older epoch
    may not write. `due_at` NULL means that nothing is to be done. `released_at` is when its time
    was set, by the database's clock; one still to come tells that the clock was set back since.
    """

    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    lease_owner = models.CharField(max_length=200, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_epoch = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    released_at = models.DateTimeField(null=True, blank=True, db_default=Now())

    class Meta:
        abstract = True
