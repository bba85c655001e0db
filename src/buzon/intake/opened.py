"""A filed letter, opened for a person: read anew from its octets, attachments when asked for.

The desk keeps what lists need; everything else is in the octets, which stay as they were received.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.models import Arrival
from buzon.wire.reading import Attachment, Reading, attachment_octets, read, read_header


@dataclass(frozen=True, slots=True)
class Opened:
    """What a page shows of a letter.

    `reading` is None where the octets cannot be had; `trouble` then says why, in the active
    language. `parts`: of an oversized letter, of which only the header is here, the files that
    its server named.
    """

    reading: Reading | None
    trouble: str = ""
    parts: tuple["NamedPart", ...] = ()


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A file inside a letter that was not downloaded. `size` in octets, as encoded."""

    filename: str
    content_type: str
    size: int


def open_letter(message: Message) -> Opened:
    """The reading of the letter; of an oversized one that of its header. Never raises for what a
    letter or its storage may be.
    """
    if not message.sha256:
        return _open_header(message)
    try:
        return Opened(read(raw_octets(message)))
    except (vault.NotHeld, vault.Damaged) as error:
        return Opened(None, _trouble(error))


def raw_octets(message: Message) -> bytes:
    """Exactly as received. Raises vault.NotHeld (also while only the header is here) and
    vault.Damaged.
    """
    if not message.sha256:
        raise vault.NotHeld(message.sha256)
    return vault.get(message.organization_id, message.sha256)


def open_attachment(message: Message, part: int) -> tuple[Attachment, bytes]:
    """One attachment and its decoded octets, by `Attachment.part`.

    Raises vault.NotHeld, vault.Damaged, and LookupError where the letter has no such attachment.
    """
    octets = raw_octets(message)
    named = {attachment.part: attachment for attachment in read(octets).attachments}
    return named[part], attachment_octets(octets, part)


def _open_header(message: Message) -> Opened:
    arrival = Arrival.objects.filter(message=message).exclude(header_sha256="").first()
    if arrival is None:
        return Opened(None, _trouble(vault.NotHeld("")))
    try:
        header = vault.get(message.organization_id, arrival.header_sha256)
    except (vault.NotHeld, vault.Damaged) as error:
        return Opened(None, _trouble(error))
    return Opened(read_header(header), parts=tuple(_named_parts(arrival.structure)))


def _named_parts(structure: dict[str, Any]) -> list[NamedPart]:
    found = []
    if structure.get("filename"):
        kind, size = structure.get("content_type", ""), structure.get("size", 0)
        found.append(NamedPart(structure["filename"], kind, size))
    for inner in structure.get("parts", ()):
        found += _named_parts(inner)
    return found


def _trouble(error: Exception) -> str:
    if isinstance(error, vault.Damaged):
        return _(
            "The stored letter is damaged: it is no longer what was received. Restore it from a"
            " backup of the database."
        )
    return _("The octets of this letter are missing. Restore them from a backup of the database.")
