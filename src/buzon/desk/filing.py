"""Letters are stored here: once each, in their conversation, linked to their customer.

look up ══▶ file, file, complete, file …  ══▶ store
(read once)   (decided in memory)             (stored once, in the same transaction)
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from buzon.desk.conversations import Conversations, Kin, lock_filing
from buzon.desk.keys import Keys
from buzon.desk.letter import Letter
from buzon.desk.models import Conversation, Customer, Message, Reference
from buzon.desk.rows import in_pieces, insert_rows
from buzon.desk.statements import move_last_active
from buzon.desk.text import storable_data

__all__ = [
    "Filed",
    "Filing",
    "Letter",
    "complete",
    "file_letter",
    "identity_of",
    "lock_filing",
]


@dataclass(frozen=True, slots=True)
class Filed:
    """The letter as stored; `merged` where it was held already and nothing new was made."""

    message: Message
    merged: bool


class Filing:
    """Files letters of one store (or of no store), all in one transaction.

    Nothing is stored before `store`, but what the next letter has to know of the last one is known.
    Letters of an organization are filed one after the other (`lock_filing`); the unique constraint
    on their identity stands behind that.
    """

    def __init__(self, organization_id: int, store_id: int | None, keys: Keys) -> None:
        self._keys = keys
        self._conversations = Conversations(organization_id, store_id, keys)
        self._new: dict[int, dict[str, Any]] = {}  # the values of each row
        self._references: list[tuple[int, int, str]] = []
        self._active: dict[int, Customer] = {}
        self._removed: dict[int, int] = {}  # message → its conversation

    def look_up(self, own: Iterable[str], named: Iterable[str]) -> None:
        """Read at once what letters with these Message-IDs, which name those, will need; all as
        they are stored.
        """
        self._conversations.look_up(own, named)

    def file(
        self, letter: Letter, *, customer: Customer | None, link: Mapping[str, Any]
    ) -> tuple[int, bool]:
        """File a letter; `link` says why it has this customer, or none. Returns the message's key,
        and whether it was held already.

        A letter whose identity is held already is that message (two arrivals of one message); if
        the held one was only a header and this one is whole, it is completed.
        """
        letter = letter.storable()
        self._conversations.look_up([letter.message_id], letter.names())
        held = self._conversations.held(letter)
        if held is None:
            key = self._add(letter, customer, link)
        else:
            key = held.key
            if letter.sha256 and not held.whole:
                self._complete(key, held, letter)
            self._link_if_unlinked(held, customer, link)
        self._mark_active(customer, letter)
        return key, held is not None

    def complete(self, message: Message, letter: Letter) -> int:
        """The whole letter has come for a stored message of which only the header was held.

        Returns the key of the message to point at: this one, or, where the same letter is held
        whole already (it came by another way), that one; then this one is removed.
        """
        letter = letter.storable()
        self._conversations.look_up([letter.message_id], letter.names())
        held = self._conversations.held(letter)
        if held is None or held.key == message.pk:
            self._complete(message.pk, self._conversations.of_message(message.pk), letter)
            return message.pk
        self._conversations.forget(message.pk)
        self._removed[message.pk] = message.conversation_id
        return held.key

    def store(self) -> None:
        """Everything that was filed. Call it once, after its new customers are stored."""
        self._conversations.store_new()
        for key, values in self._new.items():
            kin = self._conversations.of_message(key)
            assert kin is not None, "a new letter is never forgotten"
            values["conversation"] = kin.thread.as_it_is().key
        rows = [list(values.values()) for values in self._new.values()]
        if rows:
            insert_rows(Message, list(next(iter(self._new.values()))), rows)
        insert_rows(Reference, ("organization", "message", "refers_to"), self._references)
        self._conversations.store_changes()
        stored = {key: one.last_active_at for key, one in self._active.items()}
        move_last_active({key: at for key, at in stored.items() if at is not None})
        self._remove()

    def _add(self, letter: Letter, customer: Customer | None, link: Mapping[str, Any]) -> int:
        key = self._keys.next(Message)
        self._conversations.add(key, letter, customer.pk if customer else None)
        self._new[key] = {
            "pk": key,
            "organization": letter.organization_id,
            "store": letter.store_id,
            "conversation": None,
            "customer": customer.pk if customer else None,
            "direction": letter.direction,
            "kind": letter.kind,
            "message_id": letter.message_id,
            "from_name": letter.from_name,
            "from_address": letter.from_address,
            "subject": letter.subject,
            "date": letter.date,
            "internal_date": letter.internal_date,
            "read_at": timezone.now() if letter.read else None,
            "link": storable_data(dict(link)),
            **_of_the_octets(letter),
        }
        self._references += ((letter.organization_id, key, name) for name in letter.names())
        return key

    def _complete(self, key: int, held: Kin | None, letter: Letter) -> None:
        if held is not None:
            held.identity, held.whole = letter.identity, bool(letter.sha256)
        self._change(key, _of_the_octets(letter))

    def _link_if_unlinked(
        self, held: Kin, customer: Customer | None, link: Mapping[str, Any]
    ) -> None:
        if customer is None or held.customer_id is not None:
            return
        held.customer_id = customer.pk
        self._change(held.key, {"customer": customer.pk, "link": storable_data(dict(link))})
        held.thread.as_it_is().belongs_to(customer.pk)

    def _change(self, key: int, values: Mapping[str, Any]) -> None:
        """Of a new row in memory; of a stored one (seldom) at once."""
        if key in self._new:
            self._new[key] |= values
        else:
            Message.objects.filter(pk=key).update(**values)

    def _mark_active(self, customer: Customer | None, letter: Letter) -> None:
        if customer is None:
            return
        at = letter.happened_at()
        if customer.last_active_at is None or customer.last_active_at < at:
            customer.last_active_at = at
            if not customer._state.adding:
                self._active[customer.pk] = customer

    def _remove(self) -> None:
        for piece in in_pieces(self._removed):
            Message.objects.filter(pk__in=piece).delete()
        for piece in in_pieces(self._removed.values()):
            Conversation.objects.filter(pk__in=piece, messages__isnull=True).delete()


def file_letter(letter: Letter, *, customer: Customer | None, link: Mapping[str, Any]) -> Filed:
    """File one letter, as `Filing.file` does, in a transaction or the caller's."""
    with transaction.atomic(savepoint=False):
        filing = _filing_one(letter)
        key, merged = filing.file(letter, customer=customer, link=link)
        filing.store()
        return Filed(Message.objects.select_related("customer").get(pk=key), merged=merged)


def complete(message: Message, letter: Letter) -> Message:
    """Complete one message, as `Filing.complete` does, in a transaction or the caller's."""
    with transaction.atomic(savepoint=False):
        filing = _filing_one(letter)
        key = filing.complete(message, letter)
        filing.store()
        return Message.objects.get(pk=key)


def _filing_one(letter: Letter) -> Filing:
    return Filing(letter.organization_id, letter.store_id, Keys(1, Message, Conversation))


def identity_of(
    *,
    organization_id: int,
    store_id: int | None,
    message_id: str,
    from_field: str,
    date_field: str,
    body_digest: str,
) -> str | None:
    """What makes two arrivals the same message, as a hex digest; None without a Message-ID.

    `from_field` and `date_field` are the header fields as received, `body_digest` is the digest
    of the octets after the header. None also without those octets: a header proves nothing.
    """
    if not message_id.strip() or not body_digest:
        return None
    store = "" if store_id is None else str(store_id)
    parts = (str(organization_id), store, message_id, from_field, date_field, body_digest)
    digest = hashlib.sha256()
    for part in parts:
        octets = part.strip().encode("utf-8", "surrogatepass")
        digest.update(len(octets).to_bytes(8, "big") + octets)
    return digest.hexdigest()


def _of_the_octets(letter: Letter) -> dict[str, Any]:
    """What only the whole letter tells."""
    return {
        "identity": letter.identity,
        "sha256": letter.sha256,
        "preview": letter.preview,
        "size": letter.size,
        "attachment_count": letter.attachment_count,
        "warnings": letter.warnings,
    }
