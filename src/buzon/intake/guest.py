"""A polite guest: what a run asks of its mail server, within the server's limits.

    octets of the last 24 hours   nine tenths of the limit ──▶ history waits, new mail goes on
                                  all of it ──▶ nothing is collected, until some of it is over
    octets a second               shared evenly by the collections of this server that are under way

What was received is in the database (`models/traffic`), so all processes count together. Where no
limit is set, nothing is counted.
"""

import hashlib
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db.models import Count, F, Sum
from django.db.models.functions import Lower
from django.utils import timezone

from buzon.desk.reasons import reason
from buzon.intake.models import CollectionAccount, Duty, Traffic
from buzon.lease import held
from buzon.wire.errors import Throttled, template
from buzon.wire.host_limits import HostLimits, limits_of
from buzon.wire.waits import SLOWEST, waiting

LOOK_EVERY = 5.0  # seconds: then what was received is written down, and what others received read
FOR_HISTORY = 0.9  # of a day's limit; the rest is for new mail
HOUR = timedelta(hours=1)
# An hour counts until a day has passed since its end: nobody knows when a provider begins its day.
COUNTED = 25 * HOUR
KEPT = 48 * HOUR
AT_ONCE = 1.0  # seconds' worth of octets that may come without a pause

_ALL_USED = template(
    "{host} is asked for at most {limit} MB a day, and they are used; it goes on by itself, in "
    "about {hours} h."
)


class DayUsed(Throttled):
    """The day's octets are used, to the last tenth: new mail waits too."""


def limits_at(host: str) -> HostLimits:
    """What this installation asks of the mail server at most."""
    return limits_of(host, settings.BUZON_HOST_LIMITS)


def collections_at() -> Counter[str]:
    """How many collections are under way at each mail server (lower case), in all processes."""
    under_way = held(Duty.objects.filter(kind=Duty.Kind.COLLECT))
    hosts = under_way.values_list(Lower("account__host"))
    return Counter(dict(hosts.annotate(runs=Count("pk"))))


class Guest:
    """One run's manners. A context manager: at its end what was received is written down."""

    def __init__(self, account: CollectionAccount) -> None:
        self._host = account.host.lower()
        self._login = hashlib.sha256(account.username.lower().encode()).hexdigest()
        self._limits = limits_at(self._host)
        self._pending = 0  # octets that are not written down
        self._used: dict[str, list[tuple[datetime, int]]] = {}  # by the limit's name: by hour
        self._looked = float("-inf")
        self._rate: float | None = None
        self._free_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def received(self, octets: int) -> None:
        """So many more."""
        if self._has_day:
            self._pending += octets

    def check(self) -> None:
        """Before more is asked for. Raises DayUsed."""
        self._look()
        for name, limit in self._days():
            if self._used_of(name) >= limit:
                hours = self._hours_until(name, below=limit)
                megabytes = limit // 1_000_000
                raise DayUsed(_ALL_USED, host=self._host, limit=megabytes, hours=hours)

    def why_history_waits(self, octets: int) -> dict[str, Any] | None:
        """The reason, where so many more would be more than the day's part for history.

        What is larger than all of that part, one letter perhaps, has its turn while half is left.
        """
        self._look()
        for name, limit in self._days():
            most = int(limit * FOR_HISTORY)
            left = most - (octets if octets <= most else most // 2)
            if self._used_of(name) > left:
                hours = self._hours_until(name, below=left)
                details = {"host": self._host, "limit": limit // 1_000_000, "hours": hours}
                return reason("day_limit", kind="DayLimit", **details)
        return None

    def least_pause(self, octets: int) -> timedelta:
        """Until the next collection, where to look alone takes so many octets: looks may use no
        more than new mail's part of the day. An hour at most.
        """
        for_looks = [limit * (1 - FOR_HISTORY) for _, limit in self._days()]
        longest = max((24 * HOUR * (octets / most) for most in for_looks), default=timedelta())
        return min(longest, HOUR)

    def slow_down(self, octets: int) -> None:
        """So many came just now: wait until the next are due. Asks no database."""
        rate = self._rate
        if rate is None:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - AT_ONCE) + octets / rate
        if self._free_at > now:
            with waiting():
                time.sleep(self._free_at - now)

    @property
    def _has_day(self) -> bool:
        return bool(self._limits.day or self._limits.login_day)

    def _days(self) -> list[tuple[str, int]]:
        days = {"login_day": self._limits.login_day, "day": self._limits.day}
        return [(name, limit) for name, limit in days.items() if limit]

    def _used_of(self, name: str) -> int:
        return self._pending + sum(octets for _, octets in self._used.get(name, ()))

    def _hours_until(self, name: str, *, below: int) -> int:
        """After how many hours, rounded up, less than `below` octets are counted."""
        left, now = self._used_of(name), timezone.now()
        for hour, octets in self._used.get(name, ()):
            left -= octets
            if left < below:
                return max(-(-(hour + COUNTED - now) // HOUR), 1)
        return COUNTED // HOUR

    def _look(self) -> None:
        """Now and then: what others received meanwhile, and how many we are."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        if self._limits.second:
            runs = max(collections_at()[self._host], 1)
            self._rate = max(self._limits.second / runs, SLOWEST)
        if self._has_day:
            self._write()
            self._read()

    def _write(self) -> None:
        if not self._pending:
            return
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        rows = Traffic.objects.filter(host=self._host, login=self._login, hour=hour)
        if not rows.exists():
            Traffic.objects.filter(hour__lt=hour - KEPT).delete()
            row = Traffic(host=self._host, login=self._login, hour=hour)
            Traffic.objects.bulk_create([row], ignore_conflicts=True)
        rows.update(octets=F("octets") + self._pending)
        self._pending = 0

    def _read(self) -> None:
        counted = Traffic.objects.filter(host=self._host, hour__gt=timezone.now() - COUNTED)
        for name, rows in {"day": counted, "login_day": counted.filter(login=self._login)}.items():
            if getattr(self._limits, name):
                by_hour = rows.values_list("hour").annotate(received=Sum("octets"))
                self._used[name] = list(by_hour.order_by("hour"))
