"""A shop and its people, for the tests of this room."""

import itertools
from typing import Any

from django.utils import timezone

from buzon.desk.models import (
    Agent,
    Conversation,
    Customer,
    CustomerAddress,
    Event,
    Message,
    Organization,
    User,
)
from buzon.lease import claim
from buzon.notify import rounds
from buzon.notify.models import Notification, Round

_numbers = itertools.count(1)


def shop(**fields: Any) -> Organization:
    return Organization.objects.create(name=f"shop {next(_numbers)}", **fields)


def agent(organization: Organization, **fields: Any) -> Agent:
    number = next(_numbers)
    fields = {"name": f"agent {number}", "email": f"agent{number}@shop.internal"} | fields
    return Agent.objects.create(organization=organization, **fields)


def administrator(organization: Organization, **fields: Any) -> User:
    user = User(
        organization=organization,
        email=f"boss{next(_numbers)}@shop.internal",
        role=User.Role.ADMINISTRATOR,
    )
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    return user


def customer(organization: Organization, *, agent: Agent | None = None) -> Customer:
    made = Customer.objects.create(
        organization=organization, agent=agent, created_by=Customer.CreatedBy.MAIL
    )
    address = f"customer{next(_numbers)}@example.com"
    CustomerAddress.objects.create(
        organization=organization, customer=made, address=address, folded=address
    )
    return made


def letter(customer: Customer, *, subject: str = "Where is my order?") -> Message:
    now = timezone.now()
    conversation = Conversation.objects.create(
        organization=customer.organization, started_at=now, last_message_at=now
    )
    return Message.objects.create(
        organization=customer.organization,
        conversation=conversation,
        customer=customer,
        direction=Message.Direction.INCOMING,
        kind=Message.Kind.PERSON,
        subject=subject,
        preview="the body, which is nobody else's business",
    )


def event(kind: str, organization: Organization, **fields: Any) -> Event:
    return Event.objects.create(organization=organization, kind=kind, **fields)


def arrived(of: Customer, **fields: Any) -> Event:
    """A letter of this customer that the account wants told."""
    fields = {"data": {"notify": True}, "agent": of.agent} | fields
    return event("message_received", of.organization, customer=of, message=letter(of), **fields)


def tell(organization: Organization, *, limit: int = 500) -> int:
    row, _ = Round.objects.get_or_create(organization=organization)
    lease = claim(row)
    assert lease is not None
    return rounds.tell(lease, limit=limit)


def told(to: Agent | User) -> list[str]:
    """The kinds of what they have been told, oldest first."""
    reader = {"agent": to} if isinstance(to, Agent) else {"user": to}
    rows = Notification.objects.filter(**reader).order_by("pk")
    return list(rows.values_list("kind", flat=True))
