"""The few statements that run for every letter and every new customer, as SQL.

A first download files tens of thousands of letters, and building such a statement with the ORM
takes several times what the database needs for it. Everything else goes through the ORM. Plain SQL
of SQLite and PostgreSQL alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Kin:
    """A letter held that has one of the Message-IDs asked for or, with `message_id` "", one that
    names the asking letter.
    """

    message_id: str
    conversation_id: int
    customer_id: int | None
    identity: str | None
    key: int


@dataclass(frozen=True, slots=True)
class Member:
    """An active member of a group, and the group's turn as it is now."""

    membership_id: int
    agent_id: int
    status: str
    present: bool
    turn: int


# The last condition on messages follows from the one before, but only a condition written like the
# partial index's own lets SQLite use it. The store is compared afterwards: asked for here, it could
# make the planner read all the letters of the store instead.
_KIN = (
    "SELECT message_id, conversation_id, customer_id, identity, id, store_id FROM desk_message"
    " WHERE organization_id = %s AND message_id IN (…) AND NOT (message_id = '')"
    " UNION ALL"
    " SELECT '', m.conversation_id, m.customer_id, NULL, m.id, m.store_id"
    " FROM desk_reference r JOIN desk_message m ON m.id = r.message_id"
    " WHERE r.organization_id = %s AND r.refers_to = %s"
)


def kin(organization_id: int, store_id: int | None, ids: Sequence[str], own: str) -> list[Kin]:
    """The letters of this store (or of no store) with one of `ids`, and those that name `own`."""
    if not ids:
        return []
    statement = _KIN.replace("…", ", ".join(["%s"] * len(ids)))
    rows = _rows(statement, [organization_id, *ids, organization_id, own])
    return [Kin(*row[:5]) for row in rows if row[5] == store_id]


def move_conversation(
    key: int, *, at: datetime, subject: str, customer_id: int | None, reopen: bool
) -> None:
    """Take a letter of this time into account.

    The first letter's subject is the conversation's, also where it arrives last.
    """
    moment = _moment(at)
    _changed(
        "UPDATE desk_conversation SET"
        " subject = CASE WHEN started_at > %s THEN %s ELSE subject END,"
        " started_at = CASE WHEN started_at > %s THEN %s ELSE started_at END,"
        " last_message_at = CASE WHEN last_message_at < %s THEN %s ELSE last_message_at END,"
        " customer_id = COALESCE(customer_id, %s),"
        " closed_at = CASE WHEN %s THEN NULL ELSE closed_at END"
        " WHERE id = %s",
        [moment, subject, *[moment] * 4, customer_id, reopen, key],
    )


def move_last_active(customer_id: int, at: datetime) -> bool:
    """Move the customer's last activity on to `at`; False if it is there or later already."""
    moment = _moment(at)
    return _changed(
        "UPDATE desk_customer SET last_active_at = %s"
        " WHERE id = %s AND (last_active_at IS NULL OR last_active_at < %s)",
        [moment, customer_id, moment],
    )


def take_turn(group_id: int) -> None:
    """The group's turn + 1; its row is locked until the transaction ends."""
    _changed("UPDATE desk_agentgroup SET turn = turn + 1 WHERE id = %s", [group_id])


def give_turn_back(group_id: int) -> None:
    """Only under the lock of `take_turn`, in the same transaction: nobody has seen the turn."""
    _changed("UPDATE desk_agentgroup SET turn = turn - 1 WHERE id = %s", [group_id])


def active_members(group_id: int, now: datetime) -> list[Member]:
    """Whose turn is next first."""
    rows = _rows(
        "SELECT m.id, a.id, a.status, COALESCE(a.present_until > %s, %s), g.turn"
        " FROM desk_membership m JOIN desk_agentgroup g ON g.id = m.group_id"
        " JOIN desk_agent a ON a.id = m.agent_id AND a.organization_id = g.organization_id"
        " WHERE m.group_id = %s AND a.active ORDER BY m.last_turn, m.id",
        [_moment(now), False, group_id],
    )
    return [Member(one[0], one[1], one[2], bool(one[3]), one[4]) for one in rows]


def note_turn(membership_id: int, turn: int) -> None:
    """The member got the customer of this turn."""
    _changed("UPDATE desk_membership SET last_turn = %s WHERE id = %s", [turn, membership_id])


def change_agent(customer_id: int, *, seen: int | None, agent_id: int) -> bool:
    """Give the customer to this agent if its agent is still the one that was `seen`.

    Compared by the row's own column: on PostgreSQL only that is looked at again after waiting for
    another collector's lock.
    """
    condition = "agent_id IS NULL" if seen is None else "agent_id = %s"
    values = [agent_id, customer_id] if seen is None else [agent_id, customer_id, seen]
    return _changed(
        f"UPDATE desk_customer SET agent_id = %s WHERE id = %s AND {condition}",  # noqa: S608
        values,
    )


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _changed(statement: str, values: Sequence[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return bool(cursor.rowcount)


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
