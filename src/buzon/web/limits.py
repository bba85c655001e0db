"""Guessing is limited, by rows that all processes see.

try_once ─▶ (too many in the window: refused, and nothing is written) ─▶ counted as failed ─▶ (too
many at once: refused, and not counted) ─▶ the secret is looked at ─▶ it was right: `forgive` takes
the row away

The row comes before the look, so that a thousand tries at once are counted too. Who waits already
costs no write: guessing on does not hold up those who write for the mail.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from buzon.desk.errors import DeskError
from buzon.web.models import FailedTry

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` failures for this `what` ("login", "network") and `value` in a window."""

    what: str
    value: str
    most: int

    @property
    def key(self) -> str:
        """A digest: whoever reads the table sees no addresses."""
        return hashlib.sha256(f"{self.what}\0{self.value}".encode()).hexdigest()


class TooManyTries(DeskError):
    """Nothing is looked at until `wait` has passed; the sentence says in how long."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        told = ngettext(
            "There were too many tries. Try again in {n} minute.",
            "There were too many tries. Try again in {n} minutes.",
            minutes,
        )
        super().__init__(told.format(n=minutes))


def try_once(*limits: Limit) -> list[int]:
    """Count one failure for each limit; what it returns is for `forgive`. Raises TooManyTries."""
    now = timezone.now()
    _check(limits, now, room_for=1)
    FailedTry.objects.filter(at__lte=now - WINDOW).delete()
    counted = [FailedTry.objects.create(key=limit.key, at=now).pk for limit in limits]
    try:
        _check(limits, now, room_for=0)
    except TooManyTries:
        forgive(counted)  # who waits is not made to wait longer by trying
        raise
    return counted


def forgive(counted: list[int]) -> None:
    """This try was no failure."""
    FailedTry.objects.filter(pk__in=counted).delete()


def network_of(request: HttpRequest) -> str:
    """Whom a try is counted for: an IPv4 address, or the /64 that an IPv6 site moves within."""
    address = address_of(request)
    if address is None:
        return ""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def address_of(request: HttpRequest) -> str | None:
    """Where the request comes from, as the server's trusted proxies say it; None where unknown."""
    try:
        parsed = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "").partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _check(limits: Iterable[Limit], now: datetime, *, room_for: int) -> None:
    """Raises TooManyTries where there is no room for so many more failures."""
    waits = [wait for limit in limits if (wait := _wait(limit, now, limit.most - room_for))]
    if waits:
        raise TooManyTries(max(waits))


def _wait(limit: Limit, now: datetime, most: int) -> timedelta | None:
    """Until there are only `most` failures in the window; None where there are no more."""
    newest = FailedTry.objects.filter(key=limit.key, at__gt=now - WINDOW).order_by("-at", "-pk")
    times = list(newest.values_list("at", flat=True)[: most + 1])
    return times[most] + WINDOW - now if len(times) > most else None
