"""A message over which the server stumbles, each time, holds up no other."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.intake.models import Arrival
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, check_books, outcomes, scene
from tests.intake.servers import POISON, HangsUp, StumblesOver

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])


@BOTH
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_the_others_are_filed_and_new_mail_comes(
    protocol: str, place: int, *, create: bool
) -> None:
    with scene(protocol, server=StumblesOver) as at:
        at.customer()
        for number in range(7):
            body = POISON.decode() if number == place else "Hola."
            at.deliver(KNOWN, body=body)
        account = at.account(create_customer=create, after="delete")
        # One for each: to find out that something is wrong, at which message it is, the rest.
        runs = [collect(account) for _ in range(3)]
        assert runs[0].error
        assert runs[1].error
        assert outcomes(account) == {"filed": 6, "failed": 1}
        failed = Arrival.objects.get(outcome="failed")
        assert failed.reason["code"] == "not_retrieved"
        assert failed.retry_at is not None
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 7, "failed": 1}
        assert len(at.box.messages) == 1, "only the one that we could not get is left"


@BOTH
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("start", ["all", "date"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_header_holds_up_no_other(protocol: str, start: str, place: int, *, create: bool) -> None:
    with scene(protocol, server=StumblesOver) as at:
        at.customer()
        since = {"start_date": date(2020, 1, 1)} if start == "date" else {}
        account = at.account(create_customer=create, start=start, after="delete", **since)
        for number in range(3):
            at.deliver(KNOWN, extra=f"X-P: {POISON.decode()}\r\n" if number == place else "")
        for _ in range(3):
            totals = collect(account)
        assert (totals.error, outcomes(account)) == ("", {"filed": 2, "failed": 1})
        failed = Arrival.objects.get(outcome="failed")
        assert failed.reason["code"] == "not_retrieved"
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert len(at.box.messages) == 1, "only the one that we could not get is left"


@BOTH
def test_it_waits_for_a_person_in_the_end(protocol: str) -> None:
    with scene(protocol, server=StumblesOver) as at:
        at.deliver(KNOWN, body=POISON.decode())
        account = at.account()
        for _ in range(6):
            Arrival.objects.filter(retry_at__isnull=False).update(
                retry_at=timezone.now() - timedelta(seconds=1)
            )
            collect(account)
        failed = Arrival.objects.get()
        assert (failed.outcome, failed.attempts, failed.retry_at) == ("failed", 3, None)
        assert collect(account).error == ""


def test_one_cut_at_a_header_accuses_none() -> None:
    with scene("pop3", server=HangsUp) as at:
        server: Any = at.server
        at.customer()
        at.deliver(*[KNOWN] * 5)
        server.at("TOP", 3)
        account = at.account(create_customer=False)
        assert collect(account).error
        assert Arrival.objects.filter(attempts=1).exists()
        assert (collect(account).error, outcomes(account)) == ("", {"filed": 5})
        check_books(account, 5)


@pytest.mark.parametrize(("protocol", "command"), [("imap", "UID FETCH"), ("pop3", "RETR")])
def test_a_cut_that_happens_once_costs_nothing(protocol: str, command: str) -> None:
    with scene(protocol, server=HangsUp) as at:
        server: Any = at.server
        at.deliver(*[KNOWN] * 5)
        server.at(command, 2)
        account = at.account()
        assert collect(account).error
        totals = collect(account)
        assert (totals.error, outcomes(account)) == ("", {"filed": 5})
        check_books(account, 5)
