"""What the processes of the crash tests do: `python -m tests.intake.workers NAME ARGUMENTS…`."""

import json
import os
import signal
import sys
from collections import Counter
from typing import Any

import django

django.setup()

from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from buzon.desk.models import Assignment, Customer, Event, Message, Organization  # noqa: E402
from buzon.intake.accounts import add_account  # noqa: E402
from buzon.intake.models import Arrival, CollectionAccount, RawMessage  # noqa: E402
from tests.intake.collecting import collect  # noqa: E402
from tests.intake.scene import LOGIN  # noqa: E402


def prepare(protocol: str, port: str) -> None:
    add_account(
        Organization.objects.create(name="Shop"),
        name="account",
        protocol=protocol,
        host="127.0.0.1",
        port=int(port),
        security="none",
        username=LOGIN,
        secret="secret",
        create_customer=True,
        after="delete",
    )


def collect_and_die(number: str, moment: str) -> None:
    """Collect; die by SIGKILL just before or after the commit of this number."""
    commit = BaseDatabaseWrapper._commit
    done = 0

    def counting(wrapper: Any) -> None:
        nonlocal done
        done += 1
        if done == int(number) and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(wrapper)
        if done == int(number) and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    BaseDatabaseWrapper._commit = counting
    totals = collect(CollectionAccount.objects.get())
    assert totals.error == "", totals.error


def count() -> None:
    told = Event.objects.filter(kind="message_received").values("message").distinct()
    counts = {
        "letters": Counter(Message.objects.values_list("from_address", flat=True)),
        "raw": RawMessage.objects.count(),
        "customers": Customer.objects.count(),
        "assigned": Assignment.objects.count(),
        "told": told.count(),
        "settled": Arrival.objects.filter(settled_at__isnull=False).count(),
    }
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    {"prepare": prepare, "collect": collect_and_die, "count": count}[sys.argv[1]](*sys.argv[2:])
