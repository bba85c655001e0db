"""Which conversation a letter belongs to: References and In-Reply-To of letters that we hold.

    the letter ──names──▶ a letter that we hold           (a reply comes after its original)
    a letter that we hold ──names──▶ the letter           (history arrives newest first)

Only within one organization and one store. Where several conversations are found, they turn out
to be one and are merged. A Message-ID is its sender's and may be shared by different mails (the
standard forbids it, web forms do it): where several letters have the id in question, only those
of the same customer count, so that nobody's letters are joined by such an accident.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from buzon.desk.letter import Letter
from buzon.desk.models import Conversation, Message, Organization
from buzon.desk.statements import Kin, kin, move_conversation

_ANSWER = ""  # the Message-ID of kin that is here because it names this one


def place(letter: Letter, relatives: Sequence[Kin], *, customer_id: int | None) -> int:
    """The key of this letter's conversation: found, merged or begun, and moved on to its time.

    `relatives` is what `kin_of` found in the same transaction, in which nobody else files. Call
    it once for each letter.
    """
    found = _found(letter, relatives, customer_id)
    if not found:
        return _begin(letter, customer_id)
    kept = _merge(found) if len(found) > 1 else found.pop()
    move_conversation(
        kept,
        at=letter.happened_at(),
        subject=letter.subject,
        customer_id=customer_id,
        reopen=letter.direction == Message.Direction.INCOMING and not letter.closed,
    )
    return kept


def kin_of(letter: Letter) -> list[Kin]:
    """The letters held that this one names, that name this one, or that have its Message-ID.

    One query. From here on until the transaction ends nobody else files letters of this
    organization.
    """
    lock_filing(letter.organization_id)
    own = letter.message_id
    ids = [*letter.names(), own] if own else letter.names()
    return kin(letter.organization_id, letter.store_id, ids, own)


def lock_filing(organization_id: int) -> None:
    """Until the transaction ends, nobody else files letters of this organization.

    A reply and its original that are stored at the same time do not see each other, and would stay
    apart for ever. Taken at the start of a batch it also keeps two batches from waiting for each
    other (customers, groups) in opposite orders. On SQLite whoever writes is alone anyway.
    """
    if connection.features.has_select_for_update:
        # Not the key: rows that refer to the organization are stored meanwhile.
        rows = Organization.objects.select_for_update(no_key=True)
        rows.values_list("pk").get(pk=organization_id)


def _found(letter: Letter, relatives: Sequence[Kin], customer_id: int | None) -> set[int]:
    """The conversations that this letter joins, by their keys."""
    of: defaultdict[str, list[Kin]] = defaultdict(list)
    for one in relatives:
        of[one.message_id].append(one)
    found: set[int] = set()
    for named in letter.names():
        several = len({one.conversation_id for one in of[named]}) > 1
        found |= _conversations(of[named], customer_id, doubtful=several)
    # Another letter has this one's Message-ID: the answers may be meant for that one.
    shared = bool(letter.message_id and of[letter.message_id])
    return found | _conversations(of[_ANSWER], customer_id, doubtful=shared)


def _conversations(rows: list[Kin], customer_id: int | None, *, doubtful: bool) -> set[int]:
    if doubtful:
        rows = [one for one in rows if one.customer_id and one.customer_id == customer_id]
    return {one.conversation_id for one in rows}


def _merge(keys: set[int]) -> int:
    """Make them one: the oldest takes the others' letters."""
    kept, *others = Conversation.objects.filter(pk__in=keys).order_by("started_at", "pk")
    Message.objects.filter(conversation__in=others).update(conversation=kept)
    customers = (one.customer_id for one in (kept, *others))
    kept.customer_id = next((one for one in customers if one is not None), None)
    kept.last_message_at = max(one.last_message_at for one in (kept, *others))
    if any(one.closed_at is None for one in others):
        kept.closed_at = None
    kept.save()
    Conversation.objects.filter(pk__in=[one.pk for one in others]).delete()
    return kept.pk


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
