"""What the processes of the demonstration tests do: `python -m tests.config.demonstrating SCENE`.

Each scene is a process of its own, because the demonstration's threads, the collectors and the
scene share a database. A scene that fails ends with an AssertionError.
"""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django
import pytest

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from buzon.config.demonstration import Demonstration  # noqa: E402
from buzon.config.demonstration_shop import ADMINISTRATOR, PEOPLE, PRESENT  # noqa: E402
from buzon.demo.shop.postman import Pace  # noqa: E402
from buzon.desk.errors import DeskError  # noqa: E402
from buzon.desk.models import (  # noqa: E402
    Agent,
    Assignment,
    Conversation,
    Customer,
    Event,
    Message,
    Organization,
    User,
)
from buzon.desk.organizations import add_organization  # noqa: E402
from buzon.desk.people import add_administrator  # noqa: E402
from buzon.fleet.dispatcher import Embedded  # noqa: E402
from buzon.intake.accounts import endpoint_of  # noqa: E402
from buzon.intake.models import Arrival, CollectionAccount  # noqa: E402
from buzon.intake.runs import collect_once, process_once  # noqa: E402
from buzon.notify.models import Notification  # noqa: E402
from tests.organizations import crossings, rows_of  # noqa: E402

QUICK = Pace(lively=(0.2, 0.4))
RARE = Pace(lively=(600.0, 600.0))


@contextmanager
def running(pace: Pace) -> Iterator[Demonstration]:
    """The demonstration with the dispatcher that `buzon up` runs."""
    demonstration = Demonstration.begin(pace=pace)
    dispatcher = Embedded(collect=collect_once, process=process_once, workers=4, tick=0.1)
    dispatcher.start()
    try:
        yield demonstration
    finally:
        assert dispatcher.stop(within=15)
        demonstration.stop()


def until(true: Callable[[], object], *, seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.1)


def outcomes() -> dict[str, set[str]]:
    """The reasons that the ledger gives, by outcome."""
    found: dict[str, set[str]] = {}
    for outcome, why in Arrival.objects.values_list("outcome", "reason"):
        found.setdefault(outcome, set()).add(why.get("code", ""))
    return found


# The scenes.


def within_a_minute_there_is_something_of_everything() -> None:
    with running(RARE) as demonstration:
        until(lambda: CollectionAccount.objects.filter(history_done_at=None).count() == 1)
        # Only now, because a letter of ours is known to have come back once we have seen it go.
        for _ in range(12):
            demonstration._mail.new_letter()
        until(lambda: "bounce_of_our_letter" in outcomes()["filed"])
        until(lambda: not Event.objects.filter(told_at=None).exists())
        until(lambda: not Arrival.objects.filter(outcome="waiting").exists())
    letters_are_linked_and_customers_shared_out()
    the_ledger_has_every_outcome_but_failed()
    the_notifications_are_of_every_kind()
    assert crossings() == []


def letters_are_linked_and_customers_shared_out() -> None:
    linked = Message.objects.filter(customer__isnull=False)
    assert linked.count() > 220
    assert Message.objects.filter(direction="outgoing").count() >= 3
    created = Customer.objects.filter(created_by="mail")
    assert created.count() > 120
    assert not created.exclude(name="").exists()  # R8: only the address
    assert Customer.objects.filter(created_by="import").exclude(name="").count() >= 10
    reasons = {why["code"] for why in Assignment.objects.values_list("why", flat=True)}
    assert {"free_next_in_turn", "rest_next_in_turn", "given_at_import"} <= reasons
    assert {link["code"] for link in Message.objects.values_list("link", flat=True)} >= {
        "sender_of_store", "sender_of_no_store", "created_for_sender", "recipient_of_store",
    }  # fmt: skip
    assert max(one.messages.count() for one in Conversation.objects.all()) >= 5
    assert Message.objects.filter(from_address="formulario@barroyolivo.example").get().customer


def the_ledger_has_every_outcome_but_failed() -> None:
    found = outcomes()
    assert found["skipped"] == {"unknown_sender"}
    assert found["ignored"] == {"our_own_address", "blocked_sender"}
    assert found["oversized"] == {"larger_than_limit"}
    assert found["filed"] >= {
        "known_customer", "new_customer", "machine_mail_list", "machine_mail_bulk",
        "machine_mail_auto_reply", "machine_mail_bounce", "dmarc_failed", "same_message",
        "sent_to_customer", "bounce_of_our_letter",
    }  # fmt: skip
    assert "failed" not in found
    states = CollectionAccount.objects.values_list("state", flat=True)
    assert sorted(states) == ["rejected", "working", "working", "working", "working"]
    assert Arrival.objects.filter(account__after="delete", settled_at__isnull=False).exists()


def the_notifications_are_of_every_kind() -> None:
    kinds = set(Notification.objects.values_list("kind", flat=True))
    assert kinds >= {
        "customer_assigned", "message_received", "history_collected", "letter_bounced",
        "account_failed",
    }  # fmt: skip


def agents_are_in_all_four_statuses_and_the_artificial_ones_stay_present() -> None:
    demonstration = Demonstration.begin(pace=RARE)
    agents = Agent.objects.filter(organization=demonstration.organization)
    assert set(agents.values_list("status", flat=True)) == set(Agent.Status.values)
    assert len(PEOPLE) == agents.count() >= 7
    present = {agent.name for agent in agents if agent.is_present()}
    assert present == set(PRESENT)
    assert len(present) >= 4
    # Who signs out stays out, and who is given a login is left to it.
    someone = agents.filter(name__in=PRESENT)[0]
    someone.user = User.objects.create_login(
        demonstration.organization, email="new@demo.example", password="long enough", role="agent"
    )
    someone.save()
    someone.signed_out()
    agents.exclude(pk=someone.pk).update(present_until=timezone.now())
    demonstration._presence.renew()
    assert {one.name for one in agents.all() if one.is_present()} == present - {someone.name}
    demonstration.stop()


def who_is_told_may_sign_in() -> None:
    demonstration = Demonstration.begin(pace=RARE)
    told = "\n".join(demonstration.told("http://127.0.0.1:8000/"))
    assert demonstration.administrator == ADMINISTRATOR
    logins = [demonstration.administrator, *(email for _, email in demonstration.agents)]
    assert len(logins) == 3
    for email in logins:
        user = User.objects.get(email=email)
        assert user.check_password(demonstration.password)
        assert user.organization == demonstration.organization
        assert email in told
    assert demonstration.password in told
    assert "http://127.0.0.1:8000/" in told
    assert "sign in at" not in "\n".join(demonstration.told(""))
    assert demonstration.password not in repr(demonstration)
    demonstration.stop()


def it_begins_anew_and_touches_no_other_organization() -> None:
    other = add_organization("Demonstration")
    namesake = add_organization("Real shop")
    add_administrator(namesake, email="owner@shop.example", password="long enough")
    before = [rows_of(other), rows_of(namesake)]
    first = Demonstration.begin(password="the same words", pace=RARE)
    first.stop()
    assert first.password == "the same words"
    assert first.organization.name == "Demonstration 2"
    second = Demonstration.begin(pace=RARE)
    second.stop()
    assert second.password != first.password
    assert second.organization.pk != first.organization.pk
    assert Organization.objects.count() == 3
    assert not any(rows for name, rows in rows_of(first.organization).items())
    assert [rows_of(other), rows_of(namesake)] == before


def the_administrators_address_of_another_is_refused() -> None:
    real = add_organization("Real shop")
    add_administrator(real, email=ADMINISTRATOR, password="long enough")
    before = rows_of(real)
    threads = set(threading.enumerate())
    with pytest.raises(DeskError, match=ADMINISTRATOR):
        Demonstration.begin()
    assert rows_of(real) == before
    assert Organization.objects.count() == 1
    assert set(threading.enumerate()) == threads


def its_servers_alone_are_reached_where_private_hosts_are_not() -> None:
    settings.BUZON_ALLOW_PRIVATE_HOSTS = False
    with running(QUICK), socket.create_server(("127.0.0.1", 0)) as another:
        until(lambda: Message.objects.filter(message_id__startswith="<c-").exists())
        accounts = list(CollectionAccount.objects.all())
        assert all(endpoint_of(account).allow_private for account in accounts)
        reaching = CollectionAccount(host="127.0.0.1", port=another.getsockname()[1])
        for host in ("127.0.0.1", "localhost", "127.1"):
            reaching.host = host
            assert not endpoint_of(reaching).allow_private
        reaching.host, reaching.port = "localhost", accounts[0].port
        assert not endpoint_of(reaching).allow_private
    assert not any(endpoint_of(account).allow_private for account in accounts)


def nothing_is_left_of_it_when_it_stops() -> None:
    threads = set(threading.enumerate())
    with running(QUICK):
        new = Message.objects.filter(message_id__startswith="<c-")
        until(lambda: new.count() > 5)  # they keep coming
        accounts = CollectionAccount.objects.all()
        ports = set(accounts.values_list("port", flat=True))
        assert len(ports) == 2
    assert set(threading.enumerate()) <= threads
    for port in ports:
        with socket.socket() as tried:
            assert tried.connect_ex(("127.0.0.1", port)) != 0
    again = Demonstration.begin(pace=QUICK)  # with the letters of before to be removed
    started = time.monotonic()
    again.stop()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) <= threads
    assert Message.objects.count() == 0


def it_speaks_the_terminals_language() -> None:
    demonstration = Demonstration.begin(pace=RARE)
    demonstration.stop()
    organization = demonstration.organization
    assert (organization.name, organization.language) == ("Demostración", "es")
    assert organization.time_zone == "Europe/Madrid"
    assert CollectionAccount.objects.filter(name__contains="contraseña incorrecta").exists()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    connections.close_all()
    print("played")
