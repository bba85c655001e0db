"""The mailbox that is measured with: the same letters for the same seed, 62 KB in the mean."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.journeys.writing import CRLF, SHAPES, SUBJECTS, attachment, header, multipart

FIRST_DAY = datetime(2026, 1, 1, 8, tzinfo=UTC)
SENDERS = 400
# How many in a hundred have an attachment of so many octets (in base64 a third more).
_FILES = ((62, 0, 0), (24, 8_000, 60_000), (13, 60_000, 400_000), (1, 500_000, 1_500_000))
_TYPES = (("factura.pdf", "application/pdf"), ("foto.jpg", "image/jpeg"), ("datos.zip", "x/zip"))


def letters(number: int, *, seed: int = 1) -> Iterator[tuple[bytes, datetime]]:
    """(octets, internal date), oldest first: plain, HTML, with attachments, in threads."""
    rng = random.Random(seed)
    ids: list[str] = []
    for place in range(number):
        when = FIRST_DAY + timedelta(minutes=7 * place)
        message_id = f"<{place}.{rng.getrandbits(64):x}@mail.example>"
        fields = _header(rng, place, message_id, when, ids)
        yield header(fields) + _body(rng), when
        ids.append(message_id)


def _header(
    rng: random.Random, place: int, message_id: str, when: datetime, ids: list[str]
) -> list[tuple[str, str]]:
    sender = f"cliente{rng.randrange(SENDERS)}@correo{rng.randrange(9)}.example"
    date = format_datetime(when)
    # What a delivered letter carries on its way: traces, signatures, verdicts.
    fields = [
        ("Return-Path", f"<{sender}>"),
        ("Received", f"from out.example (192.0.2.7)\r\n\tby mx.tienda.example;\r\n\t{date}"),
        ("Received", f"from [10.0.0.2] by out.example with ESMTPSA;\r\n\t{date}"),
        (
            "DKIM-Signature",
            f"v=1; a=rsa-sha256; d=correo.example;\r\n\tb={rng.randbytes(96).hex()}",
        ),
        ("Message-ID", message_id),
        ("Date", date),
        ("From", f'"Cliente {place}" <{sender}>'),
        ("To", "Tienda <pedidos@tienda.example>"),
        ("Subject", rng.choice(SUBJECTS)),
    ]
    if ids and rng.random() < 0.4:
        known = rng.sample(ids[-200:], min(len(ids), rng.randint(1, 4)))
        fields += [("In-Reply-To", known[-1]), ("References", f"{CRLF}\t".join(known))]
    return fields


def _body(rng: random.Random) -> bytes:
    weights = [often for often, _, _ in _FILES]
    _, least, most = rng.choices(_FILES, weights)[0]
    if not most:
        return SHAPES[rng.choice(("plain", "latin-1 quoted-printable", "html", "alternative"))](rng)
    name, content_type = rng.choice(_TYPES)
    file = attachment(rng, name, content_type, rng.randint(least, most))
    return multipart(rng, "mixed", [SHAPES["alternative"](rng), file])
