"""Delivery reports: whom they are about, and which letter came back (RFC 3464, 3462)."""

import logging
import re
from collections.abc import Iterator
from email import message_from_bytes, policy

from buzon.wire.reading.addresses import ADDRESS_LIMIT
from buzon.wire.reading.header import Header, identifiers, split_header
from buzon.wire.reading.parts import Part, walk
from buzon.wire.reading.values import BounceRecipient, Oddities
from buzon.wire.reading.words import one_line

_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_LETTER_TYPES = {
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
    "text/rfc822-headers",
    "text/rfc822-header",
}
_BLANK_LINES = re.compile(rb"\r?\n(?:[ \t]*+\r?\n)+")
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_QUOTED_ID = re.compile(rb"^[> \t]*+message-id:[ \t]*+(<[^<>\r\n]{1,998}>)", re.I | re.M)
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
# Reports are short. What is looked at beyond the parts' own tree ends here.
_SCAN_LIMIT = 262_144


def reported_recipients(root: Part, odd: Oddities) -> tuple[BounceRecipient, ...]:
    """The recipients of the report's machine-readable part, in its order."""
    found: dict[BounceRecipient, None] = {}
    for part in walk(root):
        if part.content_type in _STATUS_TYPES:
            for recipient in _recipients(part.load(), odd):
                found.setdefault(recipient)
    return tuple(found)


def guessed_recipients(octets: bytes) -> tuple[BounceRecipient, ...]:
    """The recipients that a report in some mail system's own words names, by flufl.bounce."""
    from flufl.bounce import all_failures  # slow to import, and few messages need it

    # It logs a detector's exception with the traceback before it raises; it is handled here.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    message = message_from_bytes(octets[:_SCAN_LIMIT], policy=policy.compat32)
    if not message.get("from"):
        message["From"] = "unknown"  # one detector raises without it, which would end the search
    try:
        delayed, failed = all_failures(message)
    except Exception:  # noqa: BLE001 (its detectors raise all sorts on mail that is not theirs)
        return ()
    failed_texts = sorted(filter(None, map(_address_text, failed)))
    delayed_texts = sorted(set(filter(None, map(_address_text, delayed))) - set(failed_texts))
    return tuple(
        [BounceRecipient(address, "failed", "") for address in failed_texts]
        + [BounceRecipient(address, "delayed", "") for address in delayed_texts]
    )


def original_ids(root: Part, octets: bytes, header: Header, odd: Oddities) -> tuple[str, ...]:
    """Message-IDs of the letter that came back, as its copy, quotation or the report names them."""
    found: dict[str, None] = {}
    for part in walk(root):
        if part.content_type in _LETTER_TYPES:
            copy = Header.parse(split_header(part.load()[:_SCAN_LIMIT])[0], odd)
            found.update(dict.fromkeys(identifiers(copy.first("message-id"), odd)[:1]))
    if not found:
        body = split_header(octets[:_SCAN_LIMIT])[1]
        for quoted in _QUOTED_ID.findall(body):
            found.update(dict.fromkeys(identifiers(quoted.decode("utf-8", "replace"), odd)))
    for name in ("in-reply-to", "references", "x-original-message-id", "original-message-id"):
        found.update(dict.fromkeys(identifiers(header.first(name), odd)))
    own = identifiers(header.first("message-id"), odd)
    return tuple(identifier for identifier in found if identifier not in own)


def _recipients(octets: bytes, odd: Oddities) -> Iterator[BounceRecipient]:
    """Each group of fields after the first is a recipient; some reports leave the first out."""
    for group in _BLANK_LINES.split(octets.strip()):
        fields = Header.parse(group, odd)
        address = _typed(fields.first("original-recipient")) or _typed(
            fields.first("final-recipient")
        )
        if not address:
            continue
        words = fields.first("action").split(None, 1)
        action = words[0].lower().rstrip(";.,") if words else ""
        status = _CODE.search(fields.first("status")) or _CODE.search(
            fields.first("diagnostic-code")[:1000]
        )
        yield BounceRecipient(
            one_line(address, odd),
            action if action in _ACTIONS else "failed",
            status[0] if status else "",
        )


def _typed(value: str) -> str:
    """The address of "rfc822; address" (RFC 3464 §2.3.1); "" where there is none."""
    kind, semicolon, address = value.partition(";")
    address = (address if semicolon else kind).strip().strip("<>").strip()
    if "@" not in address or len(address) > ADDRESS_LIMIT:
        return ""
    return address


def _address_text(octets: bytes | str) -> str:
    text = octets.decode("utf-8", "replace") if isinstance(octets, bytes) else octets
    text = one_line(text.encode("utf-8", "replace").decode("utf-8"), Oddities())
    return text if "@" in text and len(text) <= ADDRESS_LIMIT else ""
