"""A letter on its way into the desk: plain values, whatever it was read from."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from buzon.desk.text import storable, storable_data, storable_id, storable_time

_MOST_REFERENCES = 50  # the root and the nearest; a header of thousands is an attack or a fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the desk stores of a letter. Sizes in octets; moments with their time zone.

    `direction`: "incoming" or "outgoing"; `kind`: a `Message.Kind`; `sha256`: of the raw octets
    in custody, "" while only the header is here; `identity`: from `filing.identity_of`;
    `in_reply_to` and `references`: Message-IDs as `message_id` is written; `read` and `closed`:
    filed as such (history). A bounce of a letter of ours names that letter in `references`.
    """

    organization_id: int
    store_id: int | None
    direction: str
    kind: str
    sha256: str
    message_id: str
    identity: str | None
    from_name: str
    from_address: str
    subject: str
    preview: str
    date: datetime | None
    internal_date: datetime | None
    size: int
    attachment_count: int
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    warnings: list[Any] = field(default_factory=list)
    read: bool = False
    closed: bool = False

    def storable(self) -> "Letter":
        """The same with every text fit for its column."""
        return replace(
            self,
            message_id=storable_id(self.message_id),
            from_name=storable(self.from_name, 300),
            from_address=storable(self.from_address, 400),
            subject=storable(self.subject, 500),
            preview=storable(self.preview, 300),
            date=storable_time(self.date),
            internal_date=storable_time(self.internal_date),
            in_reply_to=named_by(self.in_reply_to),
            references=named_by(self.references),
            warnings=storable_data(self.warnings),
        )

    def names(self) -> list[str]:
        """The Message-IDs that this letter refers to, each once, never its own."""
        ids = dict.fromkeys((*self.references, *self.in_reply_to))
        ids.pop(self.message_id, None)
        return list(ids)

    def happened_at(self) -> datetime:
        """When it was written or came, as well as we know; never in the future.

        The server's date before the author's: a wrong clock, or a spammer's date of 2099, must
        not keep a conversation on top for ever.
        """
        return happened_at(self.internal_date, self.date)


def happened_at(internal_date: datetime | None, date: datetime | None) -> datetime:
    """The same of the two dates alone, of the server's and the author's."""
    now = timezone.now()
    return min(storable_time(internal_date) or storable_time(date) or now, now)


def named_by(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Of a References or In-Reply-To field the Message-IDs that count, as they are stored."""
    stored = [one for one in map(storable_id, ids) if one]
    if len(stored) > _MOST_REFERENCES:
        stored = [stored[0], *stored[1 - _MOST_REFERENCES :]]
    return tuple(stored)
