"""The letters that left from here, by Message-ID, so that what comes back of them is known."""

from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from buzon.desk.models import Customer, SentLetter
from buzon.desk.rows import in_pieces, insert_rows
from buzon.desk.text import storable_id


class SentLetters:
    """Those that the mail of one batch may name, and those that were collected with it.

    Each comes with the stored letter and its customer and agent, if it was one to a customer.
    """

    def __init__(self, organization_id: int, ids: Iterable[str]) -> None:
        self._organization_id = organization_id
        self._collected: dict[str, Customer | None] = {}
        self._by_id: dict[str, SentLetter] = {}
        for piece in in_pieces(key for one in ids if (key := storable_id(one))):
            rows = _sent(organization_id, piece).order_by("pk")
            self._by_id |= {row.message_id: row for row in rows}

    def named(self, ids: Collection[str]) -> SentLetter | None:
        """The letter of ours with one of these Message-IDs; of several the one sent last."""
        wanted = {storable_id(one) for one in ids}
        return next((self._by_id[one] for one in reversed(self._by_id) if one in wanted), None)

    def is_notification(self, message_id: str) -> bool:
        sent = self._by_id.get(storable_id(message_id))
        return sent is not None and sent.purpose == SentLetter.Purpose.NOTIFICATION

    def customer_of(self, sent: SentLetter) -> Customer | None:
        """To whom a letter of ours went."""
        if sent.message_id in self._collected:
            return self._collected[sent.message_id]
        return sent.letter.customer if sent.letter else None

    def remember(self, message_id: str, key: int, customer: Customer | None) -> None:
        """A letter to a customer, of which a copy was collected from a sent folder: its Message-ID,
        and the key that it has been filed under.
        """
        name = storable_id(message_id)
        if not name or name in self._by_id:
            return
        self._by_id[name] = SentLetter(
            organization_id=self._organization_id,
            message_id=name,
            purpose=SentLetter.Purpose.LETTER,
            letter_id=key,
        )
        self._collected[name] = customer

    def store(self) -> None:
        """The letters that were remembered; one that is known meanwhile stays as it is."""
        new = [self._by_id[name] for name in self._collected]
        names = ("organization", "message_id", "purpose", "letter")
        rows = [(one.organization_id, one.message_id, one.purpose, one.letter_id) for one in new]
        insert_rows(SentLetter, names, rows, or_leave=True)


def letter_sent_by_us(organization_id: int, ids: Collection[str]) -> SentLetter | None:
    """The letter of ours with one of these Message-IDs; of several the one sent last."""
    return SentLetters(organization_id, ids).named(ids)


def _sent(organization_id: int, ids: list[str]) -> "QuerySet[SentLetter]":
    rows = SentLetter.objects.filter(organization_id=organization_id, message_id__in=ids)
    return rows.select_related("letter__customer__agent")
