"""`buzon ledger`, `raw`, `retry` and `fetch`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from buzon.desk.customers import add_customer
from buzon.desk.models import Agent, Conversation, Message, Organization
from buzon.intake import vault
from buzon.intake.accounts import add_account
from buzon.intake.models import Arrival, CollectionAccount, RawMessage
from tests.config.conftest import Console, Installation

KEYS = {
    "id", "account", "folder", "uidvalidity", "uid", "uidl", "size", "internal_date", "sender",
    "outcome", "reason", "sha256", "attempts", "message", "customer", "agent", "settled_at",
    "left_there",
}  # fmt: skip
AT = datetime(2026, 11, 23, 10, 0, 30, 999, tzinfo=UTC)


@pytest.fixture
def account(shop: Organization) -> CollectionAccount:
    return add_account(shop, name="sales", host="h.example", username="u", secret="s")


def arrival(account: CollectionAccount, uid: int, outcome: str, **fields: Any) -> Arrival:
    return Arrival.objects.create(
        organization=account.organization,
        account=account,
        folder=account.folders.get(),
        uidvalidity=1,
        uid=uid,
        outcome=outcome,
        **fields,
    )


def filed(account: CollectionAccount, uid: int) -> Arrival:
    """A letter of a customer who has an agent."""
    shop = account.organization
    ana = Agent.objects.create(organization=shop, name="Ana", email="ana@shop.example")
    customer = add_customer(shop, addresses=["eva@x.example"], agent=ana)
    talk = Conversation.objects.create(organization=shop, started_at=AT, last_message_at=AT)
    message = Message.objects.create(
        organization=shop, conversation=talk, customer=customer, direction="incoming", kind="person"
    )
    return arrival(
        account, uid, "filed", message=message, sender="eva@x.example", internal_date=AT,
        sha256="ab" * 32, size=1234, settled_at=AT + timedelta(hours=1),
        reason={"code": "sender_of_no_store"},
    )  # fmt: skip


def test_the_fate_of_every_message(buzon: Console, account: CollectionAccount) -> None:
    first, second = filed(account, 7), arrival(account, 8, "waiting")
    lines = buzon.lines("ledger")
    assert [set(line) for line in lines] == [KEYS, KEYS]
    assert first.message is not None
    assert first.message.customer is not None
    assert lines[0] == {
        "id": first.pk,
        "account": "sales",
        "folder": "INBOX",
        "uidvalidity": 1,
        "uid": 7,
        "uidl": None,
        "size": 1234,
        "internal_date": "2026-11-23T10:00:30Z",
        "sender": "eva@x.example",
        "outcome": "filed",
        "reason": {
            "code": "sender_of_no_store",
            "sentence": "The sender's address is a customer's of no store",
        },
        "sha256": "ab" * 32,
        "attempts": 0,
        "message": first.message.pk,
        "customer": first.message.customer.pk,
        "agent": "Ana",
        "settled_at": "2026-11-23T11:00:30Z",
        "left_there": None,
    }
    unread = {key: lines[1][key] for key in ("id", "reason", "message", "customer", "settled_at")}
    assert unread == {
        "id": second.pk, "reason": None, "message": None, "customer": None, "settled_at": None,
    }  # fmt: skip


def test_only_of_an_account_or_an_outcome(buzon: Console, account: CollectionAccount) -> None:
    other = add_account(
        account.organization, name="other", host="h.example", username="u", secret="s"
    )
    ours = [arrival(account, 1, "skipped"), arrival(account, 2, "failed")]
    arrival(other, 1, "failed")
    assert [line["id"] for line in buzon.lines("ledger", "sales")] == [row.pk for row in ours]
    assert len(buzon.lines("ledger", "--outcome", "failed")) == 2
    assert len(buzon.lines("ledger", "sales", "--outcome", "failed")) == 1
    assert "'none'" in buzon.refused("ledger", "none")
    assert buzon("ledger", "--outcome", "filed") == "The ledger has no such message.\n"


def test_for_people(buzon: Console, account: CollectionAccount) -> None:
    arrival(account, 1, "skipped", sender="a\x1b[31mb@x.example", size=1_200_000)
    shown = buzon("ledger").splitlines()
    assert len(shown) == 2
    assert "1.2 MB" in shown[1]
    assert "\x1b" not in shown[1]


def test_a_long_ledger_takes_few_queries(
    buzon: Console, account: CollectionAccount, django_assert_max_num_queries: Any
) -> None:
    for uid in range(1, 6):
        arrival(account, uid, "skipped")
    with django_assert_max_num_queries(4):
        assert len(buzon.lines("ledger")) == 5


def test_retry_and_fetch(buzon: Console, account: CollectionAccount) -> None:
    failed, skipped = arrival(account, 1, "failed"), arrival(account, 2, "skipped")
    assert "only failed" in buzon.refused("retry", failed.pk, skipped.pk)
    assert buzon("retry", failed.pk) == "1 message waits to be tried again.\n"
    assert "only skipped and oversized" in buzon.refused("fetch", failed.pk)
    assert buzon("fetch", skipped.pk).startswith("1 message waits to be downloaded")
    assert {line["outcome"] for line in buzon.lines("ledger")} == {"waiting"}
    assert "Say either" in buzon.refused("fetch")
    assert "Say either" in buzon.refused("fetch", 1, "--customer", "a@b.example")
    assert "no customer" in buzon.refused("fetch", "--customer", "a@b.example")


def test_retry_all_or_those_of_an_account(buzon: Console, account: CollectionAccount) -> None:
    other = add_account(
        account.organization, name="other", host="h.example", username="u", secret="s"
    )
    for of, uid in ((account, 1), (account, 2), (other, 3)):
        arrival(of, uid, "failed", sha256="ab" * 32)
    assert buzon("retry", "--account", "SALES") == "2 messages wait to be tried again.\n"
    assert [line["outcome"] for line in buzon.lines("ledger", "other")] == ["failed"]
    assert buzon("retry", "--all") == "1 message waits to be tried again.\n"
    assert buzon("retry", "--all") == "No message has failed there.\n"
    assert "no collection account 'none'" in buzon.refused("retry", "--account", "none")


@pytest.mark.parametrize(
    "given", [(), (1, "--all"), (1, "--account", "sales"), ("--account", "sales", "--all")]
)
def test_retry_wants_to_know_which(
    buzon: Console, account: CollectionAccount, given: tuple[object, ...]
) -> None:
    arrival(account, 1, "failed")
    assert "one of the three" in buzon.refused("retry", *given)
    assert [line["outcome"] for line in buzon.lines("ledger")] == ["failed"]


def test_a_new_customer_is_told_of_earlier_letters(
    buzon: Console, account: CollectionAccount
) -> None:
    for uid in (1, 2):
        arrival(account, uid, "skipped", sender="ana@x.example")
    told = buzon("customer", "add", "ana@x.example")
    assert "Still on the server: 2 letters; buzon fetch --customer ana@x.example." in told
    shown = buzon.json("customer", "show", "ana@x.example")
    assert (shown["letters"], shown["earlier_letters"]) == (0, 2)
    assert buzon("fetch", "--customer", "ana@x.example").startswith("2 messages wait")
    assert "Nothing" in buzon("fetch", "--customer", "ana@x.example")
    assert "Still" not in buzon("customer", "add", "eva@x.example")


def test_nothing_crosses_from_one_organization_to_another(
    buzon: Console, account: CollectionAccount
) -> None:
    failed = arrival(account, 1, "failed", sha256=_stored(account.organization, b"octets"))
    Organization.objects.create(name="Other")
    theirs = ["--organization", "Other"]
    assert buzon.lines("ledger", *theirs) == []
    assert "no message" in buzon.refused("retry", failed.pk, *theirs)
    assert "holds no message" in buzon.refused("raw", failed.sha256, *theirs)
    assert "'sales'" in buzon.refused("ledger", "sales", *theirs)


def test_raw_that_is_not_held_or_damaged(buzon: Console, shop: Organization) -> None:
    assert "holds no message" in buzon.refused("raw", "ab" * 32)
    name = _stored(shop, b"octets")
    other = _stored(shop, b"others")
    RawMessage.objects.filter(sha256=other).delete()
    RawMessage.objects.update(sha256=other)
    assert "damaged" in buzon.refused("raw", other)
    assert "holds no message" in buzon.refused("raw", name)


def test_raw_is_byte_exact(installed: Installation) -> None:
    """On stdout of a real process: nothing is added, translated or lost."""
    octets = bytes(range(256)) * 300 + b"\r\n\n\r end without a line end"
    put = (
        "import sys, django; django.setup()\n"
        "from buzon.intake import vault\n"
        "from buzon.desk.models import Organization\n"
        "octets = sys.stdin.buffer.read()\n"
        "name = vault.digest(octets)\n"
        "vault.put(Organization.objects.get().pk, [(name, octets)])\n"
        "print(name)"
    )
    name = installed.python(put, stdin=octets).strip()
    ran = installed("raw", name.upper())
    assert (ran.status, ran.error) == (0, "")
    assert ran.out == octets


def _stored(shop: Organization, octets: bytes) -> str:
    name = vault.digest(octets)
    with transaction.atomic():
        vault.put(shop.pk, [(name, octets)])
    return name
