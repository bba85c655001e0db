"""Reading: what we understand of a message's octets. `read` is the way in; it never raises."""

from buzon.wire.reading.authentication import dmarc_verdict
from buzon.wire.reading.contract import as_json
from buzon.wire.reading.header import split_header
from buzon.wire.reading.read import Opened, attachment_octets, read, read_header
from buzon.wire.reading.values import (
    Address,
    Attachment,
    BounceRecipient,
    Kind,
    Passage,
    PassageKind,
    Reading,
)

__all__ = [
    "Address",
    "Attachment",
    "BounceRecipient",
    "Kind",
    "Opened",
    "Passage",
    "PassageKind",
    "Reading",
    "as_json",
    "attachment_octets",
    "dmarc_verdict",
    "read",
    "read_header",
    "split_header",
]
