"""The reading of a message: octets in, one Reading out, whatever the octets are.

    octets ─► header ─► fields ──────────────────────────────┐
        └───► fast.py, else tolerant.py ─► tree of parts ────┼─► Reading
                                             ├─► body.py     │
                                             └─► kinds.py, bounces.py

The same octets always give the same reading.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from buzon.wire.reading.addresses import parse_addresses
from buzon.wire.reading.body import read_body
from buzon.wire.reading.bounces import guessed_recipients, original_ids, reported_recipients
from buzon.wire.reading.fast import Unaccounted, fast_tree
from buzon.wire.reading.header import (
    Header,
    bounds,
    identifiers,
    message_identifier,
    parse_date,
    unannounced_body,
)
from buzon.wire.reading.kinds import is_daemon, is_report, machine_kind, may_be_report
from buzon.wire.reading.parts import Part, describe, walk
from buzon.wire.reading.quotation import new_text
from buzon.wire.reading.tolerant import tolerant_tree
from buzon.wire.reading.values import Address, BounceRecipient, Kind, Oddities, Reading
from buzon.wire.reading.words import decoded, one_line

SUBJECT_LIMIT = 10_000  # characters
_ONCE = ("from", "sender", "subject", "date", "message-id", "to", "cc", "reply-to")
_RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to")


def read(octets: bytes) -> Reading:
    """The reading of a whole message. Never raises; what was odd is in `warnings`."""
    return Opened(octets).whole()


def read_header(octets: bytes) -> Reading:
    """The reading of a header that came alone (IMAP BODY[HEADER], POP3 TOP): no text, no
    attachments, and the kind as far as the header tells it. Never raises.
    """
    return Opened(octets).header()


class Opened:
    """A message of which first the header is read, later perhaps all: its fields only once.

    `header` is what `read_header` says of the header alone, `whole` what `read` says, whichever is
    asked for first. Neither raises.
    """

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self._begun: _Begun | None = None

    def header(self) -> Reading:
        """As of a header that came alone."""
        return _guarded(self.octets, lambda: _read_header(self._fields()))

    def whole(self) -> Reading:
        """All of it."""
        return _guarded(self.octets, lambda: _read(self._fields()))

    def _fields(self) -> "_Begun":
        if self._begun is None:
            self._begun = _begin(self.octets)
        return self._begun.apart()


def attachment_octets(octets: bytes, part: int) -> bytes:
    """The decoded octets of one attachment of these same octets, by its `part`.

    Raises IndexError where the message has no such part.
    """
    odd = Oddities()
    end, body = bounds(octets)
    tree = _tree(octets, Header.parse(octets[:end], odd), odd, end=end, body=body)
    return list(walk(tree))[part].load()


def _guarded(octets: bytes, reader: Callable[[], Reading]) -> Reading:
    try:
        return reader()
    except MemoryError:
        raise  # says nothing about the message
    except Exception as error:  # noqa: BLE001 (custody must go on; the tests forbid this warning)
        end, body = bounds(octets)
        return Reading(
            header_digest=hashlib.sha256(octets[:end]).hexdigest(),
            body_digest=hashlib.sha256(memoryview(octets)[body:]).hexdigest(),
            warnings=(f"unreadable: {type(error).__name__}",),
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the fields of the header say; `end` and `body` are its bounds in the octets."""

    octets: bytes
    end: int
    body: int
    header: Header
    reading: Reading
    odd: Oddities

    def apart(self) -> "_Begun":
        """The same for one more reading, which notes its oddities by itself."""
        odd = self.odd.copy()
        header = self.header.noting(odd)
        return _Begun(self.octets, self.end, self.body, header, self.reading, odd)

    def header_digest(self) -> str:
        return hashlib.sha256(self.octets[: self.end]).hexdigest()

    def body_digest(self) -> str:
        return hashlib.sha256(memoryview(self.octets)[self.body :]).hexdigest()


def _begin(octets: bytes) -> _Begun:
    odd = Oddities()
    end, body = bounds(octets)
    header = Header.parse(octets[:end], odd)
    return _Begun(octets, end, body, header, _from_header(header, odd), odd)


def _read(begun: _Begun) -> Reading:
    octets, header, odd = begun.octets, begun.header, begun.odd
    tree = _tree(octets, header, odd, end=begun.end, body=begun.body)
    content = read_body(tree, odd)
    kind, recipients = _kind(header, tree, begun.reading, octets=octets, odd=odd)
    is_bounce = kind is Kind.BOUNCE
    return replace(
        begun.reading,
        text=content.text,
        html=content.html,
        reply_text=new_text(content.text, content.passages),
        passages=content.passages,
        attachments=content.attachments,
        kind=kind,
        bounce=recipients,
        bounced_ids=original_ids(tree, octets, header, odd) if is_bounce else (),
        header_digest=begun.header_digest(),
        body_digest=begun.body_digest(),
        warnings=tuple(odd.seen),
    )


def _read_header(begun: _Begun) -> Reading:
    root = describe(begun.header, begun.odd)
    kind, recipients = _kind(begun.header, root, begun.reading, octets=None, odd=begun.odd)
    return replace(
        begun.reading,
        kind=kind,
        bounce=recipients,
        header_digest=begun.header_digest(),
        warnings=tuple(begun.odd.seen),
    )


def _tree(octets: bytes, header: Header, odd: Oddities, *, end: int, body: int) -> Part:
    if unannounced_body(octets, end, body) < 0:
        attempt = Oddities()
        try:
            tree = fast_tree(octets, header, attempt)
        except Unaccounted:
            pass  # a plain answer, not an error: the tolerant path reads it all
        else:
            odd.seen.update(attempt.seen)
            return tree
    return tolerant_tree(octets, odd)


def _from_header(header: Header, odd: Oddities) -> Reading:
    for name in _ONCE:
        if header.count(name) > 1:
            odd.note("field-repeated", name)
    date_field = header.first("date")
    reading = Reading(
        from_=_addresses(header, "from", odd),
        sender=_addresses(header, "sender", odd),
        reply_to=_addresses(header, "reply-to", odd),
        to=_addresses(header, "to", odd),
        cc=_addresses(header, "cc", odd),
        bcc=_addresses(header, "bcc", odd),
        subject=decoded(header.first("subject"), odd)[:SUBJECT_LIMIT],
        date=parse_date(date_field, odd),
        from_field=", ".join(header.all("from")),
        date_field=date_field,
        message_id=message_identifier(header.first("message-id"), odd),
        in_reply_to=identifiers(header.first("in-reply-to"), odd),
        references=identifiers(header.first("references"), odd),
        authentication_results=tuple(header.all("authentication-results")),
        delivered_to=_delivered_to(header, odd),
        list_id=_list_id(header, odd),
        return_path=_return_path(header, odd),
    )
    if not reading.from_:
        odd.note("from-missing")
    elif len(reading.from_) > 1:
        odd.note("from-several", str(len(reading.from_)))
    return reading


def _addresses(header: Header, name: str, odd: Oddities) -> tuple[Address, ...]:
    if name not in header:
        return ()
    return tuple(a for value in header.all(name) for a in parse_addresses(value, odd))


def _delivered_to(header: Header, odd: Oddities) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in _RECIPIENT_FIELDS:
        for mailbox in _addresses(header, name, odd):
            if mailbox.address:
                found.setdefault(mailbox.address)
    return tuple(found)


def _list_id(header: Header, odd: Oddities) -> str:
    """The identifier between the angle brackets (RFC 2919 §3); the whole value without them."""
    value = header.first("list-id")
    inner = value.rpartition("<")[2].partition(">")[0] if "<" in value else value
    return one_line(inner, odd)[:998]


def _return_path(header: Header, odd: Oddities) -> str | None:
    if "return-path" not in header:
        return None
    value = header.first("return-path")
    mailboxes = parse_addresses(value[:2_000], odd)
    if mailboxes and mailboxes[0].address:
        return mailboxes[0].address
    return one_line(value.strip("<> \t"), odd)[:998]


def _kind(
    header: Header, root: Part, reading: Reading, *, octets: bytes | None, odd: Oddities
) -> tuple[Kind, tuple[BounceRecipient, ...]]:
    """The kind, and of a bounce the recipients; `octets` is None where only the header is known."""
    sure = is_report(header, root) or is_daemon(reading.from_)
    asked = sure or may_be_report(header, reading.from_, reading.return_path, reading.subject)
    recipients: tuple[BounceRecipient, ...] = ()
    if asked and octets is not None:
        recipients = reported_recipients(root, odd) if sure else ()
        recipients = recipients or guessed_recipients(octets)
    if sure or recipients:
        return Kind.BOUNCE, recipients
    return machine_kind(header, root.content_type, reading.subject), ()
