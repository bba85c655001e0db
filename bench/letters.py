"""The mail that is measured with: the same letters for the same seed.

`varied` is a shop's mail, 62 KB in the mean: plain, HTML, with attachments up to 2 MB, in threads.
`small` is mail of 2 KB, where the number of messages matters and not their size.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.journeys.writing import CRLF, SHAPES, SUBJECTS, attachment, header, multipart

FIRST_DAY = datetime(2026, 1, 1, 8, tzinfo=UTC)
SENDERS = 400  # at each of DOMAINS
DOMAINS = 9
SMALL = 2_000  # octets of a small letter, about
# How many in a hundred have an attachment of so many octets (in base64 a third more).
_FILES = ((62, 0, 0), (24, 8_000, 60_000), (13, 60_000, 400_000), (1, 500_000, 1_500_000))
_TYPES = (("factura.pdf", "application/pdf"), ("foto.jpg", "image/jpeg"), ("datos.zip", "x/zip"))

Letter = tuple[bytes, datetime]  # octets, internal date


def varied(number: int, *, seed: int = 1) -> Iterator[Letter]:
    """Oldest first."""
    rng = random.Random(seed)
    ids: list[str] = []
    for place in range(number):
        when = FIRST_DAY + timedelta(minutes=7 * place)
        message_id = f"<{place}.{rng.getrandbits(64):x}@mail.example>"
        sender = address(rng.randrange(SENDERS), rng.randrange(DOMAINS))
        yield header(_header(rng, place, message_id, when, sender, ids)) + _body(rng), when
        ids.append(message_id)


def small(number: int, *, seed: int = 1, senders: int = SENDERS * DOMAINS) -> Iterator[Letter]:
    """Oldest first, by so many different senders."""
    rng = random.Random(seed)
    ids: list[str] = []
    for place in range(number):
        when = FIRST_DAY + timedelta(minutes=place, days=seed % 500)
        message_id = f"<{seed}.{place}.{rng.getrandbits(64):x}@mail.example>"
        sender = address(*divmod(rng.randrange(senders), DOMAINS))
        octets = header(_header(rng, place, message_id, when, sender, ids[-200:]))
        octets += SHAPES["plain"](rng)
        while len(octets) < SMALL:
            octets += SHAPES["plain"](rng)
        yield octets, when
        ids.append(message_id)


def address(number: int, domain: int) -> str:
    """One of the senders."""
    return f"cliente{number}@correo{domain}.example"


def known_customers(percent: int = 5) -> list[str]:
    """The addresses of those who write so many in a hundred of the varied letters."""
    numbers = range(SENDERS * percent // 100)
    return [address(number, domain) for number in numbers for domain in range(DOMAINS)]


def _header(
    rng: random.Random,
    place: int,
    message_id: str,
    when: datetime,
    sender: str,
    ids: Sequence[str],
) -> list[tuple[str, str]]:
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
