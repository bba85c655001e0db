"""The octets of letters: Spanish and English, in the shapes and encodings that mail comes in.

Everything ends in CRLF and holds no NUL, because what a server makes of those is its own affair;
whatever else is written here is collected as it stands.
"""

import base64
import quopri
import random
from collections.abc import Callable, Sequence

CRLF = "\r\n"

_SPANISH = (
    "Buenos días, quería saber si la lámpara verde está disponible en otro tamaño.",
    "El pedido llegó ayer, pero falta una de las dos sillas que pagué.",
    "¿Cuándo abrirán la tienda de la plaza? Mañana pasaré por ahí.",
    "Adjunto la factura; el número de cuenta está al pie, señalado en rojo.",
    "Gracias por la atención, todo ha salido según lo previsto.",
    "Necesito cambiar la dirección de envío antes del miércoles.",
)
_ENGLISH = (
    "Good morning, is the green lamp available in another size?",
    "The parcel came yesterday, but one of the two chairs is missing.",
    "When will the shop by the square open? I will walk past it tomorrow.",
    "Attached is the invoice; the account number is at the bottom, in red.",
    "Thank you for your help, everything went as planned.",
    "I need to change the delivery address before Wednesday.",
)
SUBJECTS = (
    "Pregunta sobre la lámpara",
    "Pedido 4711",
    "Re: Su pedido",
    "Delivery address",
    "Question about chairs",
    "Devolución",
)


def prose(rng: random.Random, paragraphs: int = 3) -> str:
    """Some sentences, lines ended by CRLF."""
    source = rng.choice((_SPANISH, _ENGLISH))
    lines = (" ".join(rng.sample(source, 2)) for _ in range(paragraphs))
    return (CRLF * 2).join(lines) + CRLF


def ascii_prose(rng: random.Random) -> str:
    return " ".join(rng.sample(_ENGLISH, 3)) + CRLF


def header(fields: Sequence[tuple[str, str]]) -> bytes:
    """Header fields as given, in UTF-8 where they are not ASCII, without the blank line."""
    return "".join(f"{name}: {value}{CRLF}" for name, value in fields).encode("utf-8")


Shape = Callable[[random.Random], bytes]


def _text(kind: str, charset: str, encoding: str, text: str) -> bytes:
    """One text part: its header, the blank line, its octets."""
    octets = text.encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        packed = quopri.encodestring(octets.replace(b"\r\n", b"\n"))
        octets = packed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    start = (
        f"Content-Type: text/{kind}; charset={charset}{CRLF}"
        f"Content-Transfer-Encoding: {encoding}{CRLF}{CRLF}"
    )
    return start.encode("ascii") + octets


def attachment(rng: random.Random, name: str, content_type: str, size: int) -> bytes:
    """A part: a file of so many octets, in base64."""
    octets = base64.encodebytes(rng.randbytes(size)).replace(b"\n", b"\r\n")
    start = (
        f'Content-Type: {content_type}; name="{name}"{CRLF}'
        f'Content-Disposition: attachment; filename="{name}"{CRLF}'
        f"Content-Transfer-Encoding: base64{CRLF}{CRLF}"
    )
    return start.encode("utf-8") + octets


def multipart(
    rng: random.Random, subtype: str, parts: Sequence[bytes], *, closed: bool = True
) -> bytes:
    """A multipart of these parts; its header, the blank line, its octets."""
    line = f"=_{rng.getrandbits(64):016x}".encode()
    start = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (subtype.encode(), line)
    body = b"".join(b"--%s\r\n%s\r\n" % (line, part) for part in parts)
    return start + body + (b"--%s--\r\n" % line if closed else b"")


def _html(rng: random.Random) -> str:
    body = prose(rng).replace(CRLF * 2, f"</p>{CRLF}<p>")
    return f"<html><body><p>{body}</p><img src='https://pixel.example/1.gif'></body></html>{CRLF}"


def _alternative(rng: random.Random) -> bytes:
    return multipart(
        rng,
        "alternative",
        [
            _text("plain", "utf-8", "quoted-printable", prose(rng)),
            _text("html", "utf-8", "base64", _html(rng)),
        ],
    )


def _with_file(name: str, content_type: str, size: int) -> Shape:
    def write(rng: random.Random) -> bytes:
        return multipart(
            rng, "mixed", [_alternative(rng), attachment(rng, name, content_type, size)]
        )

    return write


def _plain(charset: str, encoding: str) -> Shape:
    return lambda rng: _text("plain", charset, encoding, prose(rng))


def _leading_dots(rng: random.Random) -> bytes:
    lines = [".", "..", ". dot", "...three", ".", ascii_prose(rng).strip(), "."]
    return _text("plain", "us-ascii", "7bit", CRLF.join(lines) + CRLF)


def _long_lines(rng: random.Random) -> bytes:
    text = " ".join(prose(rng).split())
    return _text("plain", "utf-8", "8bit", text * 40 + CRLF + "x" * 5_000 + CRLF)


def _forwarded(rng: random.Random) -> bytes:
    inner = header([("From", "otra@inner.example"), ("Subject", "Dentro"), ("Date", "x")])
    whole = b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\nInside.\r\n"
    return multipart(rng, "mixed", [_text("plain", "utf-8", "8bit", prose(rng)), whole])


def _without_mime(rng: random.Random) -> bytes:
    return CRLF.encode() + ascii_prose(rng).encode()


SHAPES: dict[str, Shape] = {
    "plain": _without_mime,
    "utf-8 8bit": _plain("utf-8", "8bit"),
    "latin-1 8bit": _plain("iso-8859-1", "8bit"),
    "latin-1 quoted-printable": _plain("iso-8859-1", "quoted-printable"),
    "utf-8 base64": _plain("utf-8", "base64"),
    "html": lambda rng: _text("html", "utf-8", "quoted-printable", _html(rng)),
    "alternative": _alternative,
    "with PDF": _with_file("factura.pdf", "application/pdf", 9_000),
    "with picture": _with_file("añadido.png", "image/png", 30_000),
    "leading dots": _leading_dots,
    "long lines": _long_lines,
    "forwarded": _forwarded,
    "empty body": lambda rng: CRLF.encode(),
}


def large(rng: random.Random) -> bytes:
    """About 270 KB: more than the limit that some journeys set."""
    return _with_file("plano.dwg", "application/octet-stream", 200_000)(rng)


def _unclosed(rng: random.Random) -> bytes:
    return multipart(rng, "mixed", [_text("plain", "utf-8", "8bit", prose(rng))], closed=False)


def _wrong_boundary(rng: random.Random) -> bytes:
    start = b"Content-Type: multipart/mixed; boundary=here\r\n\r\n"
    return start + b"--there\r\n\r\n" + prose(rng).encode() + b"--there--\r\n"


def _unknown_charset(rng: random.Random) -> bytes:
    return _text("plain", "utf-8", "8bit", prose(rng)).replace(b"utf-8", b"x-klingon")


def _broken_base64(rng: random.Random) -> bytes:
    start = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return start + b"QnVlbm9z!!!===\xff\xfe IGTDrWFz\r\n=\r\n"


def _control_characters(rng: random.Random) -> bytes:
    return b"\r\n" + bytes(range(1, 10)) + bytes(range(14, 32)) + b"\x7f\x80\x9f\r\n"


def _stray_line(rng: random.Random) -> bytes:
    return b"this line is no field\r\n\r\n" + ascii_prose(rng).encode()


def _senseless_types(rng: random.Random) -> bytes:
    return b"Content-Type: ;;;=\r\nContent-Transfer-Encoding: 9bit\r\n\r\n" + prose(rng).encode()


def _deep(rng: random.Random) -> bytes:
    part = _text("plain", "utf-8", "8bit", prose(rng))
    for _ in range(60):
        part = multipart(rng, "mixed", [part])
    return part


MALFORMED: dict[str, Shape] = {
    "boundary never closed": _unclosed,
    "boundary does not fit": _wrong_boundary,
    "unknown charset": _unknown_charset,
    "broken base64": _broken_base64,
    "control characters": _control_characters,
    "stray line in the header": _stray_line,
    "senseless content type": _senseless_types,
    "sixty levels deep": _deep,
    "header alone": lambda rng: b"",
}


def bounce_report(failed: str, returned_id: str) -> bytes:
    """A delivery report (RFC 3464) with the header of what it returns."""
    report = (
        "Content-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.elsewhere.example\r\n\r\n"
        f"Final-Recipient: rfc822; {failed}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    returned = (
        "Content-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {returned_id}\r\nTo: {failed}\r\nSubject: Su pedido\r\n"
    )
    told = "Content-Type: text/plain\r\n\r\nYour letter could not be delivered.\r\n"
    parts = "".join(f"--frontier\r\n{part}\r\n" for part in (told, report, returned))
    start = "Content-Type: multipart/report; report-type=delivery-status; boundary=frontier\r\n\r\n"
    return (start + parts + "--frontier--\r\n").encode("ascii")
