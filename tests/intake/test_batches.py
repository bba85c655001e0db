"""A batch is what its messages are one by one: the same rows on the desk and in the ledger."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from buzon.desk.blocking import block_sender
from buzon.desk.models import Agent, Assignment, Conversation, Customer, Event, Message, SentLetter
from buzon.desk.people import add_agent, add_group, deactivate_agent, join_group
from buzon.intake import process_batch
from buzon.intake.models import CollectionAccount
from tests.intake.collecting import collect
from tests.intake.scene import LOGIN, Scene, scene

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"{name}@else.example" for name in ("ana", "eva", "Ana", "leo", "pia", "max", "left")]
SENDERS = [*PEOPLE, "blocked@else.example", "", LOGIN]
KINDS = [
    "", "", "", "", "List-Id: <l.else.example>\r\n", "Auto-Submitted: auto-replied\r\n",
    "Authentication-Results: mx.shop.example; dmarc=fail\r\n",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_what_its_messages_are_one_by_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (200, 1, 7):
        monkeypatch.setattr(process_batch, "MOST", most)
        with scene() as at:
            account = _account(at)
            rng = random.Random(seed)
            for deliver in (_deliver, _return):
                deliver(at, rng)
                assert not collect(account).error
            found.append(_books(account))
    together, one_by_one, in_sevens = found
    for part, rows in one_by_one.items():
        assert together[part] == rows, part
        assert in_sevens[part] == rows, part
    assert {row[2] for row in together["ledger"]} >= {"filed", "ignored", "skipped"}
    assert len(together["assignments"]) > len(PEOPLE) / 2
    assert {"letter_bounced", "customer_assigned"} <= {one[0] for one in together["events"]}
    assert any(len(one[0]) > 2 for one in together["conversations"])


def _account(at: Scene) -> CollectionAccount:
    group = add_group(at.organization, "Sales")
    agents = {}
    for name in ("Eva", "Ana", "Leo"):
        agents[name] = add_agent(at.organization, name=name, email=f"{name}@shop.example")
        join_group(agents[name], group)
    customer = at.customer("left@else.example")
    Customer.objects.filter(pk=customer.pk).update(agent=agents["Leo"])
    deactivate_agent(agents["Leo"])
    at.customer("pia@else.example")
    block_sender(at.organization, "blocked@else.example")
    SentLetter.objects.create(
        organization=at.organization, message_id="<told@shop.example>", purpose="notification"
    )
    at.box.login.add_folder("Sent", special_use="\\Sent")
    return at.account(
        group=group,
        history="notify",
        sent_folders=["Sent"],
        trusted_authserv_id="mx.shop.example",
        hand_out_existing=True,
    )


def _deliver(at: Scene, rng: random.Random) -> None:
    """Letters that answer each other in any order, some twice; and some that were sent."""
    sent = at.box.login.folder("Sent")
    letters = list(_letters(rng))
    for octets in letters + rng.sample(letters, 8):
        at.box.deliver(octets, internal_date=_day(rng))
    for number in range(6):
        to = rng.choice(PEOPLE) if number else "nobody@else.example"
        sent.deliver(_letter(rng, f"s{number}", sender=LOGIN, to=to), internal_date=_day(rng))


def _return(at: Scene, rng: random.Random) -> None:
    """Of what was sent some comes back."""
    for number in range(4):
        at.box.deliver(_bounce(f"<s{number}@x>", number), internal_date=_day(rng))


def _day(rng: random.Random) -> datetime:
    return datetime(2025, 12, rng.randint(1, 28), rng.randrange(24), rng.randrange(60), tzinfo=UTC)


def _letters(rng: random.Random) -> Iterator[bytes]:
    for number in rng.sample(range(60), 45):
        yield _letter(rng, str(number), sender=rng.choice(SENDERS), extra=rng.choice(KINDS))


def _letter(
    rng: random.Random, name: str, *, sender: str, to: str = LOGIN, extra: str = ""
) -> bytes:
    named = " ".join(f"<{rng.randrange(60)}@x>" for _ in range(rng.choice((0, 0, 1, 1, 2))))
    answers = f"References: {named}\r\n" if named else ""
    own = f"Message-ID: <{name}@x>\r\n" if rng.random() < 0.9 else ""
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: Letter {name}\r\n{own}{answers}{extra}"
        f"Date: Mon, {rng.randint(1, 28):02d} Nov 2025 10:00:00 +0100\r\n\r\nHola {name}.\r\n"
    ).encode()


def _bounce(of: str, number: int) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: shop@shop.example\r\nSubject: Undelivered\r\n"
        f"Message-ID: <b{number}@mx.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\n\r\nNot delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; pia@else.example\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {of}\r\nSubject: x\r\n\r\n--b--\r\n"
    ).encode()


def _books(account: CollectionAccount) -> dict[str, list[Any]]:
    """Everything on the desk and in the ledger, by what it says rather than by keys."""
    mine: dict[str, Any] = {"organization": account.organization_id}
    letters = Message.objects.filter(**mine).select_related("conversation", "customer__agent")
    return {
        "ledger": [
            (row.folder.name, row.uid, row.outcome, row.reason, row.message and row.message.subject)
            for row in account.arrivals.order_by("folder__name", "uid")
        ],
        "letters": sorted(map(_told, letters.order_by("pk")), key=repr),
        "conversations": sorted(map(_thread, Conversation.objects.filter(**mine)), key=repr),
        "customers": sorted(map(_customer, Customer.objects.filter(**mine)), key=repr),
        "assignments": [
            (_customer(one.customer), _name(one.agent), one.turn, one.why)
            for one in Assignment.objects.filter(**mine).order_by("pk")
        ],
        "events": [
            (one.kind, one.customer and _customer(one.customer), one.message and _told(one.message),
             _name(one.agent), one.silent, one.data | {"account": "", "assignment": 0})
            for one in Event.objects.filter(**mine).order_by("pk")
        ],
        "sent": sorted(SentLetter.objects.filter(**mine).values_list("message_id", "purpose")),
    }  # fmt: skip


def _told(one: Message) -> tuple[Any, ...]:
    references = sorted(one.references.values_list("refers_to", flat=True))
    return (
        one.message_id, one.subject, one.from_address, one.direction, one.kind, one.date,
        one.identity is None, one.size, one.preview, one.read_at is None, one.link,
        one.warnings, references, one.customer and _customer(one.customer),
        _thread(one.conversation),
    )  # fmt: skip


def _thread(one: Conversation) -> tuple[Any, ...]:
    letters = sorted(one.messages.values_list("message_id", "subject"))
    times = one.started_at, one.last_message_at
    whose = one.customer and _customer(one.customer)
    return letters, one.subject, times, one.closed_at is None, whose


def _customer(one: Customer) -> tuple[Any, ...]:
    addresses = sorted(one.addresses.values_list("address", "folded", "base"))
    return addresses, one.name, _name(one.agent), one.created_by, one.last_active_at


def _name(agent: Agent | None) -> str:
    return agent.name if agent else ""
