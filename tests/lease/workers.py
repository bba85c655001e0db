"""What the processes of the lease tests do: `python -m tests.lease.workers NAME ARGUMENTS…`."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connections, transaction  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from buzon.desk.models import Organization  # noqa: E402
from buzon.lease import Lease, LeaseLost, claim, claim_due  # noqa: E402
from buzon.notify.models import Round  # noqa: E402


def prepare(count: str) -> None:
    """Rows to work on."""
    for number in range(int(count)):
        organization = Organization.objects.create(name=f"shop {number}")
        Round.objects.create(organization=organization)


def look() -> None:
    say(list(Round.objects.order_by("pk").values("attempts", "lease_epoch", "lease_owner")))


def race(seconds: str) -> None:
    """Claim, count, release, as fast as can be; tell every (row, epoch) that was won."""
    sys.stdin.readline()  # all of them start together
    won, ends = [], time.monotonic() + float(seconds)
    rows = Round.objects.filter(organization__suspended_at__isnull=True)
    while time.monotonic() < ends:
        for lease in claim_due(rows, limit=1):
            count(lease)
            won.append((lease.pk, lease.epoch))
            assert lease.release(due_at=Round.objects.values_list(Now(), flat=True)[0])
    say(won)


def count(lease: Lease) -> None:
    """Read and write in two steps, so that a second holder would lose a count."""
    with transaction.atomic():
        lease.fence()
        attempts = Round.objects.values_list("attempts", flat=True).get(pk=lease.pk)
        Round.objects.filter(pk=lease.pk).update(attempts=attempts + 1)


def hold() -> None:
    """Claim, say so, and when told to go on, write."""
    lease = taken()
    say(lease.epoch)
    sys.stdin.readline()
    try:
        count(lease)
    except LeaseLost:
        say("lost")
    else:
        say("written")


def take_and_write() -> None:
    lease = taken()
    count(lease)
    say(lease.epoch)


def try_to_claim() -> None:
    say(claim(Round.objects.get()) is not None)


def fence_against_claim() -> None:
    """One thread is between its fence and its commit; a second claims the row, which ran out."""
    lease, moments = taken(), dict[str, float]()
    with transaction.atomic():
        lease.fence()
        rival = threading.Thread(target=claim_as_soon_as_can_be, args=(moments,))
        rival.start()
        time.sleep(1.2)  # the lease of this process's settings lasts half a second
        count(lease)
        moments["committing"] = time.monotonic()
    rival.join()
    say(moments["claimed"] > moments["committing"])


def claim_as_soon_as_can_be(moments: dict[str, float]) -> None:
    while "claimed" not in moments:
        if claim(Round.objects.get()):
            moments["claimed"] = time.monotonic()
        time.sleep(0.01)
    connections.close_all()


def taken() -> Lease:
    lease = claim(Round.objects.get())
    assert lease is not None
    return lease


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    verbs: list[Callable[..., None]] = [
        prepare,
        look,
        race,
        hold,
        take_and_write,
        try_to_claim,
        fence_against_claim,
    ]
    {verb.__name__: verb for verb in verbs}[sys.argv[1]](*sys.argv[2:])
