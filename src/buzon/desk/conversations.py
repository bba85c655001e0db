"""Which conversation a letter belongs to: References and In-Reply-To of letters that we hold.

    the letter ──names──▶ a letter that we hold           (a reply comes after its original)
    a letter that we hold ──names──▶ the letter           (history arrives newest first)

Only within one organization and one store. Where several conversations are found, they turn out
to be one and are merged. A Message-ID is its sender's and may be shared by different mails (the
standard forbids it, web forms do it): where several letters have the id in question, only those
of the same customer count, so that nobody's letters are joined by such an accident.
"""

from collections import defaultdict
from typing import Any

from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from buzon.desk.letter import Letter
from buzon.desk.models import Conversation, Message, Reference

_ANSWER = ""  # stands for a Message-ID in a row of `_kin`: a letter that names this one


def place(letter: Letter, *, customer_id: int | None) -> int:
    """The key of this letter's conversation: found, merged or begun, and moved on to its time.

    Call it once for each letter, inside the transaction that stores it: the conversation's row
    stays locked until then, so that nobody merges it away before the letter is in it.
    """
    while found := _found(letter, customer_id):
        kept = _merge(found) if len(found) > 1 else found.pop()
        if kept is not None and _move_on(kept, letter, customer_id):
            return kept
        # Another collector has just merged it into another one: look again.
    return _begin(letter, customer_id)


def _found(letter: Letter, customer_id: int | None) -> set[int]:
    """The conversations that this letter joins, by their keys."""
    holders: defaultdict[str, set[tuple[int, int | None]]] = defaultdict(set)
    for message_id, conversation_id, of_customer in _kin(letter):
        holders[message_id].add((conversation_id, of_customer))
    found: set[int] = set()
    for named in letter.names():
        found |= _conversations(holders[named], customer_id, shared=False)
    # Another letter with this one's Message-ID: the answers may be meant for that one.
    shared = bool(letter.message_id and holders[letter.message_id])
    return found | _conversations(holders[_ANSWER], customer_id, shared=shared, to_one=False)


def _conversations(
    holders: set[tuple[int, int | None]],
    customer_id: int | None,
    *,
    shared: bool,
    to_one: bool = True,
) -> set[int]:
    keys = {conversation_id for conversation_id, _ in holders}
    if shared or (to_one and len(keys) > 1):
        return {
            key for key, customer in holders if customer is not None and customer == customer_id
        }
    return keys


def _kin(letter: Letter) -> "list[tuple[str, int, int | None]]":
    """One query: (Message-ID, conversation, customer) of the letters that this one names, and of
    those with its own Message-ID; and ("", conversation, customer) of those that name this one.
    """
    ids = letter.names()
    if letter.message_id:
        ids.append(letter.message_id)
    if not ids:
        return []
    scope: dict[str, Any] = {"organization_id": letter.organization_id}
    held = Message.objects.filter(**scope, store=letter.store_id, message_id__in=ids).values_list(
        "message_id", "conversation_id", "customer_id"
    )
    if not letter.message_id:
        return list(held)
    answers = Reference.objects.filter(
        **scope, message__store=letter.store_id, refers_to=letter.message_id
    ).values_list(Value(_ANSWER), "message__conversation_id", "message__customer_id")
    return list(held.union(answers, all=True))


def _merge(keys: set[int]) -> int | None:
    """Make them one: the oldest takes the others' letters. None if one of them is no more."""
    rows = Conversation.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    conversations = sorted(rows, key=lambda one: (one.started_at, one.pk))
    if len(conversations) < len(keys):
        return None
    kept, *others = conversations
    merged = Message.objects.filter(conversation__in=others)
    merged.update(conversation=kept)
    kept.last_message_at = max(one.last_message_at for one in conversations)
    kept.customer_id = next((one.customer_id for one in conversations if one.customer_id), None)
    if any(one.closed_at is None for one in others):
        kept.closed_at = None
    kept.save()
    Conversation.objects.filter(pk__in=[one.pk for one in others]).delete()
    return kept.pk


def _move_on(key: int, letter: Letter, customer_id: int | None) -> bool:
    """Lock the conversation and take the letter into account; False if it is no more."""
    at = Value(letter.happened_at(), output_field=DateTimeField())
    changes: dict[str, Any] = {
        "started_at": Least("started_at", at),
        "last_message_at": Greatest("last_message_at", at),
        # The first letter's subject is the conversation's, also where it arrives last.
        "subject": Case(When(started_at__gt=at, then=Value(letter.subject)), default=F("subject")),
    }
    if customer_id is not None:
        changes["customer"] = Coalesce("customer_id", Value(customer_id))
    if letter.direction == Message.Direction.INCOMING and not letter.closed:
        changes["closed_at"] = None
    return bool(Conversation.objects.filter(pk=key).update(**changes))


def _begin(letter: Letter, customer_id: int | None) -> int:
    at = letter.happened_at()
    return Conversation.objects.create(
        organization_id=letter.organization_id,
        store_id=letter.store_id,
        customer_id=customer_id,
        subject=letter.subject,
        started_at=at,
        last_message_at=at,
        closed_at=timezone.now() if letter.closed else None,
    ).pk
