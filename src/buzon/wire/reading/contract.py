"""A reading as `buzon read --jsonl` prints it. The keys are an interface."""

from buzon.wire.reading.values import Address, Reading

Json = dict[str, object]


def as_json(reading: Reading, file: str) -> Json:
    """One JSON object; `date` is ISO 8601 with the author's offset, or null."""
    return {
        "file": file,
        "from": _addresses(reading.from_),
        "reply_to": _addresses(reading.reply_to),
        "to": _addresses(reading.to),
        "cc": _addresses(reading.cc),
        "subject": reading.subject,
        "date": reading.date.isoformat() if reading.date else None,
        "message_id": reading.message_id,
        "in_reply_to": list(reading.in_reply_to),
        "references": list(reading.references),
        "text": reading.text,
        "html": reading.html,
        "reply_text": reading.reply_text,
        "kind": reading.kind.value,
        "bounce": [
            {"address": b.address, "action": b.action, "status": b.status} for b in reading.bounce
        ],
        "attachments": [
            {
                "filename": a.filename,
                "content_type": a.content_type,
                "size": a.size,
                "sha256": a.sha256,
                "inline": a.inline,
                "content_id": a.content_id,
            }
            for a in reading.attachments
        ],
        "warnings": list(reading.warnings),
    }


def _addresses(addresses: tuple[Address, ...]) -> list[Json]:
    return [{"name": a.name, "address": a.address} for a in addresses]
