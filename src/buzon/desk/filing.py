"""Letters are stored here: once each, in their conversation, linked to their customer."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from buzon.desk.conversations import kin_of, lock_filing, place
from buzon.desk.letter import Letter
from buzon.desk.models import Conversation, Customer, Message, Reference, SentLetter
from buzon.desk.statements import Kin, move_last_active
from buzon.desk.text import storable_data, storable_id

__all__ = [
    "Filed",
    "Letter",
    "complete",
    "file_letter",
    "identity_of",
    "letter_sent_by_us",
    "lock_filing",
]


@dataclass(frozen=True, slots=True)
class Filed:
    """The letter as stored; `merged` where it was held already and nothing new was made."""

    message: Message
    merged: bool


def file_letter(letter: Letter, *, customer: Customer | None, link: Mapping[str, Any]) -> Filed:
    """Store a letter in its conversation; `link` says why it has this customer, or none.

    A letter whose identity is held already is that message (two arrivals of one message); if the
    held one was only a header and this one is whole, it is completed. Letters of an organization
    are filed one after the other (`lock_filing`), and the unique constraint stands behind that.
    """
    letter = letter.storable()
    with transaction.atomic(savepoint=False):
        relatives = kin_of(letter)
        held = _held(letter, relatives)
        if held is None:
            message = _store(letter, relatives, customer, link)
        else:
            message = _completed(held, letter) if letter.sha256 and not held.sha256 else held
            _link_if_unlinked(message, customer, link)
        _mark_active(customer, letter)
    return Filed(message, merged=held is not None)


def complete(message: Message, letter: Letter) -> Message:
    """The whole letter has come for a message of which only the header was held.

    Returns the message to point at: this one, or, where the same letter is held whole already
    (it came by another way), that one; then this one is removed.
    """
    letter = letter.storable()
    with transaction.atomic(savepoint=False):
        held = _held(letter, kin_of(letter))
        if held is None or held.pk == message.pk:
            return _completed(message, letter)
        _remove(message)
        return held


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


def letter_sent_by_us(organization_id: int, ids: Collection[str]) -> SentLetter | None:
    """The letter of ours with one of these Message-IDs; of several the one sent last.

    It comes with the stored letter and its customer and agent, if it was one to a customer.
    """
    wanted = {key for one in ids if (key := storable_id(one))}
    if not wanted:
        return None
    rows = SentLetter.objects.filter(organization_id=organization_id, message_id__in=wanted)
    return rows.select_related("letter__customer__agent").order_by("-pk").first()


def _held(letter: Letter, relatives: Sequence[Kin]) -> Message | None:
    if letter.identity is None:
        return None
    key = next((one.key for one in relatives if one.identity == letter.identity), None)
    return None if key is None else Message.objects.get(pk=key)


def _store(
    letter: Letter,
    relatives: Sequence[Kin],
    customer: Customer | None,
    link: Mapping[str, Any],
) -> Message:
    message = Message.objects.create(
        organization_id=letter.organization_id,
        store_id=letter.store_id,
        conversation_id=place(letter, relatives, customer_id=customer.pk if customer else None),
        customer=customer,
        direction=letter.direction,
        kind=letter.kind,
        message_id=letter.message_id,
        from_name=letter.from_name,
        from_address=letter.from_address,
        subject=letter.subject,
        date=letter.date,
        internal_date=letter.internal_date,
        read_at=timezone.now() if letter.read else None,
        link=storable_data(dict(link)),
        **_of_the_octets(letter),
    )
    if names := letter.names():
        Reference.objects.bulk_create(
            Reference(organization_id=letter.organization_id, message=message, refers_to=name)
            for name in names
        )
    return message


def _completed(message: Message, letter: Letter) -> Message:
    changes = _of_the_octets(letter)
    for name, value in changes.items():
        setattr(message, name, value)
    message.save(update_fields=list(changes))
    return message


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


def _link_if_unlinked(message: Message, customer: Customer | None, link: Mapping[str, Any]) -> None:
    if customer is None or message.customer_id is not None:
        return
    message.customer = customer
    message.link = storable_data(dict(link))
    message.save(update_fields=["customer", "link"])
    nobodys = Conversation.objects.filter(pk=message.conversation_id, customer=None)
    nobodys.update(customer=customer)


def _mark_active(customer: Customer | None, letter: Letter) -> None:
    if customer is None:
        return
    at = letter.happened_at()
    if move_last_active(customer.pk, at):
        customer.last_active_at = at


def _remove(message: Message) -> None:
    conversation = message.conversation_id
    message.delete()
    Conversation.objects.filter(pk=conversation, messages__isnull=True).delete()
