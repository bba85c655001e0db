"""The cast: a shop with its people, and letters written for it."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from buzon.desk.filing import Filing, Letter
from buzon.desk.keys import Keys
from buzon.desk.models import (
    Agent,
    AgentGroup,
    Conversation,
    Customer,
    Message,
    Organization,
    Store,
)
from buzon.desk.organizations import add_organization
from buzon.desk.people import add_agent, add_group, join_group

_numbers = itertools.count(1)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def organization(name: str = "") -> Organization:
    return add_organization(name or f"Shop {next(_numbers)}")


def agent(
    shop: Organization, *groups: AgentGroup, status: str = "free", present: bool = True
) -> Agent:
    number = next(_numbers)
    made = add_agent(shop, name=f"Agent {number}", email=f"agent{number}@shop.example")
    for group in groups:
        join_group(made, group)
    Agent.objects.filter(pk=made.pk).update(
        status=status, present_until=timezone.now() + timedelta(hours=1) if present else None
    )
    made.refresh_from_db()
    return made


def group(shop: Organization) -> AgentGroup:
    return add_group(shop, f"Group {next(_numbers)}")


def new_customer(shop: Organization, store: Store | None = None) -> Customer:
    return Customer.objects.create(
        organization=shop, store=store, created_by=Customer.CreatedBy.MAIL
    )


def filing(shop: Organization, count: int) -> Filing:
    """For so many letters of no store."""
    return Filing(shop.pk, None, Keys(count, Message, Conversation))


def letter(shop: Organization, store: Store | None = None, **changes: Any) -> Letter:
    """A whole letter from a person, with a Message-ID of its own."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "organization_id": shop.pk,
        "store_id": store.pk if store else None,
        "direction": "incoming",
        "kind": "person",
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "message_id": f"<{number}@mail.example>",
        "identity": hashlib.sha256(f"identity {number}".encode()).hexdigest(),
        "from_name": "Ana",
        "from_address": "ana@example.com",
        "subject": f"Letter {number}",
        "preview": "Good morning",
        "date": NOON,
        "internal_date": NOON + timedelta(seconds=number % 40_000),
        "size": 1000,
        "attachment_count": 0,
    }
    return Letter(**(fields | changes))
