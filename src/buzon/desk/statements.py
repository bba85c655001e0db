"""The few statements that run for every batch of letters, as SQL.

A first download files tens of thousands of letters, and building such a statement with the ORM
takes several times what the database needs for it. Everything else goes through the ORM. Plain SQL
of SQLite and PostgreSQL alike.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from buzon.desk.models import Conversation, Customer, Message
from buzon.desk.rows import change_rows, in_pieces


class Relative(NamedTuple):
    """A letter held that has the Message-ID `of`, or names it."""

    of: str
    key: int
    conversation_id: int
    customer_id: int | None
    message_id: str
    identity: str | None
    sha256: str
    store_id: int | None


# The last condition follows from the one before, but only a condition written like the partial
# index's own lets SQLite use it.
_WITH_IDS = (
    "SELECT message_id, id, conversation_id, customer_id, message_id, identity, sha256, store_id"
    " FROM desk_message"
    " WHERE organization_id = %s AND message_id IN (…) AND NOT (message_id = '') ORDER BY id"
)
_ANSWERS = (
    "SELECT r.refers_to, m.id, m.conversation_id, m.customer_id, m.message_id, m.identity,"
    " m.sha256, m.store_id FROM desk_reference r JOIN desk_message m ON m.id = r.message_id"
    " WHERE r.organization_id = %s AND r.refers_to IN (…)"
)


def with_ids(organization_id: int, ids: Sequence[str]) -> list[Relative]:
    """The letters that have one of these Message-IDs, of every store."""
    return [Relative(*row) for row in _rows(_WITH_IDS, organization_id, ids)]


def answers(organization_id: int, ids: Sequence[str]) -> list[Relative]:
    """The letters that name one of these Message-IDs, of every store."""
    return [Relative(*row) for row in _rows(_ANSWERS, organization_id, ids)]


def move_conversations(rows: Sequence[tuple[int, str, datetime, datetime, int | None]]) -> None:
    """Take letters into account: (key, subject and time of the first, time of the last, customer).

    What others have changed meanwhile stays where it is further on.
    """
    change_rows(
        Conversation,
        {
            "subject": "subject",
            "started_at": "started_at",
            "last_message_at": "last_message_at",
            "customer": "customer",
        },
        rows,
        {
            "subject": "CASE WHEN started_at > {started_at} THEN {subject} ELSE subject END",
            "started_at": "CASE WHEN started_at > {started_at} THEN {started_at}"
            " ELSE started_at END",
            "last_message_at": "CASE WHEN last_message_at < {last_message_at}"
            " THEN {last_message_at} ELSE last_message_at END",
            "customer_id": "COALESCE(customer_id, {customer})",
        },
    )


def move_letters(pairs: Sequence[tuple[int, int]]) -> None:
    """The letters of the first conversation of each pair go to the second; the first is no more."""
    change_rows(
        Message,
        {"kept": "conversation"},
        pairs,
        {"conversation_id": "{kept}"},
        by="conversation",
    )
    for piece in in_pieces(gone for gone, _ in pairs):
        places = ", ".join(["%s"] * len(piece))
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM desk_conversation WHERE id IN ({places})", piece)  # noqa: S608


def move_last_active(moments: Mapping[int, datetime]) -> None:
    """Move the customers' last activity on; where it is there or later already, it stays."""
    change_rows(
        Customer,
        {"at": "last_active_at"},
        sorted(moments.items()),
        {"last_active_at": "{at}"},
        condition="last_active_at IS NULL OR last_active_at < {at}",
    )


def change_agents(rows: Sequence[tuple[int, int | None, int | None]]) -> int:
    """Give customers to agents, (customer, the agent that was seen, the new one), each where its
    agent is still the one that was seen; to how many.

    Compared by the row's own column: on PostgreSQL only that is looked at again after waiting for
    another collector's lock.
    """
    return change_rows(
        Customer,
        {"seen": "agent", "chosen": "agent"},
        sorted(rows, key=lambda row: row[0]),
        {"agent_id": "{chosen}"},
        condition="agent_id = {seen} OR (agent_id IS NULL AND {seen} IS NULL)",
    )


def _rows(statement: str, organization_id: int, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        wanted = statement.replace("…", ", ".join(["%s"] * len(ids)))
        cursor.execute(wanted, [organization_id, *ids])
        return list(cursor.fetchall())
