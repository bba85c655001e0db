"""A written entry made into a message: header, quotation, body (RFC 5322, 2045)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime, parseaddr

from buzon.demo.shop.book import Entry
from buzon.demo.shop.mime import encoded_word, written_address
from buzon.demo.shop.places import MAILBOXES, NAMES, SERVER, ZONES
from buzon.demo.shop.shapes import Stuff, charset_of, shaped

_WEEKDAYS = ("lun", "mar", "mié", "jue", "vie", "sáb", "dom")
_MONTHS = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic")
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter as it lies on the server; `text` is what a person wrote, with the quotation."""

    entry: Entry
    date: datetime
    subject: str
    text: str
    message_id: str
    references: tuple[str, ...]
    octets: bytes = b""


def compose(entry: Entry, *, date: datetime, earlier: Letter | None = None) -> Letter:
    """The message. `date` is aware; `earlier` is the letter that it answers, or brings back."""
    date = date.astimezone(ZONES[entry.language])
    subject = entry.subject or _answering(earlier)
    text = entry.text + _quotation(entry, earlier)
    message_id = f"<{_NOT_IN_AN_ID.sub('-', entry.name.lower())}@{_domain(entry.sender)}>"
    answers = earlier is not None and entry.shape != "report"
    references = (*earlier.references, earlier.message_id) if earlier and answers else ()
    letter = Letter(
        entry=entry,
        date=date,
        subject=subject,
        text=text,
        message_id=message_id,
        references=references,
    )
    return replace(letter, octets=_header(letter, earlier) + _body(letter, earlier))


def _header(letter: Letter, earlier: Letter | None) -> bytes:
    entry, charset = letter.entry, charset_of(letter.entry.shape)
    name, address = parseaddr(entry.sender)
    fields = _of_transport(letter) | {
        "From": written_address(name, address, charset),
        "To": _recipient(entry, earlier),
        "Subject": encoded_word(letter.subject, charset, after="Subject"),
        "Date": format_datetime(letter.date),
        "Message-ID": letter.message_id,
        "MIME-Version": "1.0",
    }
    if letter.references:
        fields |= {"In-Reply-To": letter.references[-1], "References": _folded(letter.references)}
    fields |= dict(entry.fields)
    lines = [f"{field}: {value}\r\n" for field, value in fields.items() if value]
    return "".join(lines).encode("utf-8")


def _of_transport(letter: Letter) -> dict[str, str]:
    """What servers put on top; nothing on a letter that left from the shop itself."""
    if letter.entry.folder == "Sent":
        return {}
    _, address = parseaddr(letter.entry.sender)
    domain = _domain(letter.entry.sender)
    fields = {
        "Return-Path": f"<{address}>",
        "Received": f"from mail.{domain} by {SERVER} with ESMTPS;\r\n {format_datetime(letter.date)}",  # noqa: E501
    }
    if letter.entry.dmarc != "none":
        verdict = f"dmarc={letter.entry.dmarc} header.from={domain}"
        fields["Authentication-Results"] = f"{SERVER};\r\n {verdict}"
    return fields


def _recipient(entry: Entry, earlier: Letter | None) -> str:
    if entry.folder == "Sent" and earlier is not None:
        return written_address(*parseaddr(earlier.entry.sender))
    first = entry.to[0]
    return written_address(NAMES[first], MAILBOXES[first])


def _body(letter: Letter, earlier: Letter | None) -> bytes:
    entry = letter.entry
    stuff = Stuff(
        text=letter.text,
        name=_NOT_IN_AN_ID.sub("-", entry.name.lower()),
        title=letter.subject,
        language=entry.language,
        boundary=f"=-{_NOT_IN_AN_ID.sub('-', entry.name.lower())}",
        returned=_returned(entry, earlier),
        recipient=_returned_recipient(entry, earlier),
    )
    return shaped(entry.shape, stuff, entry.files).whole()


def _returned(entry: Entry, earlier: Letter | None) -> bytes:
    """The header of the letter that came back: of one we know, or of some letter of the shop's."""
    if earlier is not None:
        return earlier.octets.partition(b"\r\n\r\n")[0] + b"\r\n"
    shop = MAILBOXES[entry.to[0]]
    return f"From: <{shop}>\r\nTo: <{_nobody(entry)}>\r\nSubject: ?\r\n".encode("ascii")


def _returned_recipient(entry: Entry, earlier: Letter | None) -> str:
    """Whom the letter was to that came back."""
    to = re.search(rb"^To: (.*?)\r?$", earlier.octets, re.MULTILINE) if earlier else None
    return parseaddr(to[1].decode("utf-8"))[1] if to else _nobody(entry)


def _nobody(entry: Entry) -> str:
    return f"nobody@{_domain(entry.sender)}"


def _answering(earlier: Letter | None) -> str:
    if earlier is None:
        return ""
    return earlier.subject if earlier.subject.startswith("Re: ") else f"Re: {earlier.subject}"


def _quotation(entry: Entry, earlier: Letter | None) -> str:
    """The earlier letter below, as mail programs of the writer's language introduce it."""
    if earlier is None or not entry.quotes or entry.shape == "report":
        return ""
    quoted = "\n".join(
        f">{line}" if line.startswith(">") else f"> {line}".rstrip()
        for line in earlier.text.split("\n")
    )
    return f"\n\n{_introduction(entry.language, earlier)}\n{quoted}"


def _introduction(language: str, earlier: Letter) -> str:
    name, address = parseaddr(earlier.entry.sender)
    at = earlier.date.astimezone(ZONES[language])
    if language == "es":
        day = f"{_WEEKDAYS[at.weekday()]}, {at.day} {_MONTHS[at.month - 1]} {at.year}"
        return f"El {day} a las {at:%H:%M}, {name} (<{address}>) escribió:"
    return f"On {at:%a, %d %b %Y at %H:%M}, {name} <{address}> wrote:"


def _folded(identifiers: tuple[str, ...]) -> str:
    return "\r\n ".join(identifiers)


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2]
