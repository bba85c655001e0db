"""The kinds of MIME that real letters come in: from a text to a body, by the name of the shape."""

import html
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from buzon.demo.shop.files import make_file
from buzon.demo.shop.mime import Part, file_part, multipart, text_part

WIDTH = 74  # characters of a line of plain text


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuff:
    """What a body is made of: the text, and for a bounce the letter that came back."""

    text: str  # one line for each paragraph; quoted lines begin with ">"
    name: str
    title: str
    language: str
    boundary: str
    returned: bytes = b""  # the header of the letter that a bounce brings back
    recipient: str = ""  # of that letter


def shaped(shape: str, stuff: Stuff, files: tuple[str, ...]) -> Part:
    """The body of a letter with its attachments. KeyError for a shape that there is not."""
    body = SHAPES[shape](stuff)
    if not files:
        return body
    attached = tuple(file_part(make_file(name, title=stuff.title)) for name in files)
    return multipart("mixed", (body, *attached), boundary=stuff.boundary + "-m")


def charset_of(shape: str) -> str:
    """In which charset a letter of this shape encodes the words of its header."""
    return {"latin1": "iso-8859-1", "cp1252": "windows-1252"}.get(shape, "utf-8")


def wrapped(text: str, *, flowed: bool = False) -> str:
    """Lines as a mail program breaks them; flowed ones end in a space where they go on (RFC 3676).

    Quoted lines stay as they are.
    """
    lines = []
    for paragraph in text.split("\n"):
        if len(paragraph) <= WIDTH or paragraph.startswith(">"):
            lines.append(paragraph)
            continue
        broken = textwrap.wrap(paragraph, WIDTH - 2, break_long_words=False)
        lines += [line + " " for line in broken[:-1]] if flowed else broken[:-1]
        lines.append(broken[-1])
    return "\n".join(lines)


def as_html(text: str) -> str:
    """A paragraph for each, and quoted lines in a blockquote, as web mail writes them."""
    own = [line for line in text.split("\n") if not line.startswith(">")]
    quoted = [line.lstrip("> ") for line in text.split("\n") if line.startswith(">")]
    shown = "".join(f"<p>{html.escape(line, quote=False)}</p>\n" for line in own if line.strip())
    if quoted:
        inside = "<br>\n".join(html.escape(line, quote=False) for line in quoted)
        shown += f'<blockquote style="border-left:2px solid #ccc">{inside}</blockquote>\n'
    return f"<!DOCTYPE html>\n<html><body>\n{shown}</body></html>"


def _plain(stuff: Stuff) -> Part:
    return _text(wrapped(stuff.text), "utf-8", "quoted-printable")


def _eight(stuff: Stuff) -> Part:
    return _text(wrapped(stuff.text), "utf-8", "8bit")


def _latin1(stuff: Stuff) -> Part:
    return _text(wrapped(stuff.text), "iso-8859-1", "quoted-printable")


def _cp1252(stuff: Stuff) -> Part:
    return _text(wrapped(stuff.text), "windows-1252", "8bit")


def _flowed(stuff: Stuff) -> Part:
    return text_part(
        wrapped(stuff.text, flowed=True),
        content_type="text/plain; charset=utf-8; format=flowed",
        charset="utf-8",
        encoding="8bit",
    )


def _phone(stuff: Stuff) -> Part:
    """From a phone: lines as long as they are, and the phone's own last line."""
    words = {"es": "Enviado desde mi móvil", "en": "Sent from my phone"}[stuff.language]
    return _text(f"{stuff.text}\n\n{words}", "utf-8", "base64")


def _html(stuff: Stuff) -> Part:
    both = (_plain(stuff), _html_alone(stuff))
    return multipart("alternative", both, boundary=stuff.boundary + "-a")


def _html_alone(stuff: Stuff) -> Part:
    return _html_part(as_html(stuff.text))


def _html_part(shown: str) -> Part:
    return text_part(
        shown,
        content_type="text/html; charset=utf-8",
        charset="utf-8",
        encoding="quoted-printable",
    )


def _picture(stuff: Stuff) -> Part:
    """HTML with a picture that stands in the text (RFC 2387)."""
    content_id = f"{stuff.name}@demo.example"
    shown = as_html(stuff.text).replace("</body>", f'<img src="cid:{content_id}" alt=""></body>')
    picture = file_part(make_file(f"{stuff.name}.png", title=stuff.title), content_id=content_id)
    return multipart("related", (_html_part(shown), picture), boundary=stuff.boundary + "-r")


def _unknown_charset(stuff: Stuff) -> Part:
    return text_part(
        wrapped(stuff.text),
        content_type="text/plain; charset=x-barro-1",
        charset="utf-8",
        encoding="8bit",
    )


def _undeclared(stuff: Stuff) -> Part:
    """Windows-1252 under no name at all, as old programs send it."""
    text = wrapped(stuff.text)
    return text_part(text, content_type="text/plain", charset="cp1252", encoding="8bit")


def _unclosed(stuff: Stuff) -> Part:
    """A multipart that ends in the middle: the last boundary never comes."""
    whole = multipart("mixed", (_plain(stuff),), boundary=stuff.boundary + "-u")
    return Part(whole.fields, whole.octets.rpartition(b"--" + stuff.boundary.encode())[0])


def _damaged(stuff: Stuff) -> Part:
    """An attachment whose base64 was cut and overwritten on its way."""
    file = file_part(make_file(f"{stuff.name}.png", title=stuff.title))
    damaged = Part(file.fields, b"!!" + file.octets[: len(file.octets) // 2] + b"\r\n*** lost ***")
    return multipart("mixed", (_plain(stuff), damaged), boundary=stuff.boundary + "-d")


def _report(stuff: Stuff) -> Part:
    """A delivery report (RFC 3464) with the header of the letter that came back."""
    status = (
        f"Reporting-MTA: dns; mx.demo.example\r\n\r\nFinal-Recipient: rfc822; {stuff.recipient}\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user here\r\n"
    )
    parts = (
        _plain(stuff),
        Part((("Content-Type", "message/delivery-status"),), status.encode("ascii")),
        Part((("Content-Type", "text/rfc822-headers"),), stuff.returned),
    )
    return multipart(
        "report", parts, boundary=stuff.boundary + "-s", more="; report-type=delivery-status"
    )


def _text(content: str, charset: str, encoding: str) -> Part:
    content_type = f"text/plain; charset={charset}"
    return text_part(content, content_type=content_type, charset=charset, encoding=encoding)


SHAPES: dict[str, Callable[[Stuff], Part]] = {
    "plain": _plain,
    "eight": _eight,
    "latin1": _latin1,
    "cp1252": _cp1252,
    "flowed": _flowed,
    "phone": _phone,
    "html": _html,
    "html-alone": _html_alone,
    "picture": _picture,
    "unknown-charset": _unknown_charset,
    "undeclared": _undeclared,
    "unclosed": _unclosed,
    "damaged": _damaged,
    "report": _report,
}
