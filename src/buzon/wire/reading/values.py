"""What a reading is made of: plain, frozen values, every text of which PostgreSQL can store."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Who wrote: a person, or which sort of machine. The order of tests is in `kinds.py`."""

    PERSON = "person"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    LIST = "list"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address field (RFC 5322 §3.4).

    `name` is decoded, "" where there is none. `address` is the addr-spec as written, its case kept;
    "" where the field holds no usable one (no "@", white space inside, over 320 characters).
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the letter's text.

    `size` in octets and `sha256` (lower-case hex) are of the decoded octets. `filename` is what the
    sender wrote, decoded and without control characters: never a path to write to. `part` is the
    index that `attachment_octets` takes.
    """

    filename: str
    content_type: str
    size: int
    sha256: str
    inline: bool
    content_id: str
    part: int


@dataclass(frozen=True, slots=True)
class BounceRecipient:
    """One recipient a delivery report speaks of (RFC 3464 §2.3).

    `action` is failed, delayed, delivered, relayed or expanded; `status` is like "5.1.1", or "".
    """

    address: str
    action: str
    status: str


class PassageKind(StrEnum):
    """What the lines of one passage of a letter's text are."""

    NEW = "new"
    CONTEXT = "context"  # quoted, and answered directly beneath
    QUOTED = "quoted"
    INTRODUCTION = "introduction"  # "On … Ana wrote:", a divider, repeated header fields
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a text that are of one kind: from `start` to before `end`, counted from 0."""

    kind: PassageKind
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What we understood of one message's octets.

    `date` is aware, with the author's own offset, and its UTC value fits every database; None where
    the field is missing or senseless. `from_field` and `date_field` are the fields as written,
    unfolded: with `message_id` and `body_digest` they make the identity of a message.
    `message_id` and the ids of `in_reply_to` and `references` wear their angle brackets.
    `passages` are those of `text`, whose lines end at a line feed: every line is in exactly one, in
    order. None at all where all is new. A page folds what is quoted, introductions and signatures,
    and nothing where no passage is new. `reply_text` is the new ones: without blank lines around
    them, one blank line between two, their lines unchanged; `text` itself where all is new, ""
    where nothing is, as in a letter that was only forwarded.
    `bounced_ids`, of a bounce only: Message-IDs of the letter that came back, as far as it says.
    `return_path` is None without the field and "" for "<>". `authentication_results` are the
    fields, topmost first. `header_digest` and `body_digest` are sha256 in lower-case hex.
    `warnings` are "code" or "code: detail", each once.
    """

    from_: tuple[Address, ...] = ()
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None
    from_field: str = ""
    date_field: str = ""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    reply_text: str = ""
    passages: tuple[Passage, ...] = ()
    kind: Kind = Kind.PERSON
    bounce: tuple[BounceRecipient, ...] = ()
    bounced_ids: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    authentication_results: tuple[str, ...] = ()
    delivered_to: tuple[str, ...] = ()
    list_id: str = ""
    return_path: str | None = None
    header_digest: str = ""
    body_digest: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Oddities:
    """Collects the warnings of one reading, each once, in the order found."""

    seen: dict[str, None] = field(default_factory=dict)

    def note(self, code: str, detail: str = "") -> None:
        """Remember one oddity; after a hundred different ones no more are kept."""
        if len(self.seen) < 100:
            self.seen.setdefault(f"{code}: {detail[:200]}" if detail else code)

    def copy(self) -> "Oddities":
        """These so far; what either notes from here on is its own."""
        return Oddities(dict(self.seen))
