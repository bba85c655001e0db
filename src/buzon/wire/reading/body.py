"""From the tree of parts to what a person sees: text, HTML and the list of attachments."""

import hashlib
import html
from collections.abc import Iterator
from dataclasses import dataclass

from buzon.wire.reading.charsets import decode
from buzon.wire.reading.html_text import html_text
from buzon.wire.reading.parts import Part, walk
from buzon.wire.reading.values import Attachment, Oddities

# Octets of one text that are read; nobody reads on, and as characters and words they are many times
# as much memory. The whole is in the message's octets.
TEXT_LIMIT = 4 * 1_048_576


@dataclass(slots=True)
class Passage:
    """One stretch of the letter, in the forms it was sent in; None where it was not."""

    plain: str | None
    html: str | None

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to show."""
        return self.html is None and not (self.plain or "").strip()


@dataclass(slots=True)
class Body:
    """What a message holds under its header."""

    text: str
    html: str
    attachments: tuple[Attachment, ...]


def read_body(root: Part, odd: Oddities) -> Body:
    """Text, HTML source and attachments. A letter with HTML only has text made from it."""
    found = list(_passages(root, odd, is_first=True))
    text_parts = {id(part) for _, parts in found for part in parts}
    passages = [passage for passage, _ in found if not passage.is_blank]
    text = "\n".join(_text(p) for p in passages)
    source = ""
    if any(p.html is not None for p in passages):
        source = "\n".join(_html(p) for p in passages)
    return Body(text, source, tuple(_attachments(root, text_parts)))


def _passages(
    part: Part, odd: Oddities, *, is_first: bool
) -> Iterator[tuple[Passage, tuple[Part, ...]]]:
    """The passages under a part, in order, each with the parts it came from."""
    if not part.is_container:
        if _is_letter_text(part, is_first=is_first):
            yield _leaf(part, odd), (part,)
        return
    below: list[tuple[Passage, tuple[Part, ...]]] = []
    for position, child in enumerate(part.children):
        below += _passages(child, odd, is_first=is_first and position == 0)
    if part.content_type == "multipart/alternative" and len(below) > 1:
        passages = [passage for passage, _ in below]
        merged = Passage(_joined([p.plain for p in passages]), _joined([p.html for p in passages]))
        yield merged, tuple(source for _, parts in below for source in parts)
    else:
        yield from below


def _is_letter_text(part: Part, *, is_first: bool) -> bool:
    """Text that is neither marked as an attachment nor, further down, a named file."""
    if part.content_type not in {"text/plain", "text/html"} or part.disposition == "attachment":
        return False
    return is_first or not part.filename


def _leaf(part: Part, odd: Oddities) -> Passage:
    octets = part.load()
    if len(octets) > TEXT_LIMIT:
        odd.note("text-cut", str(TEXT_LIMIT))
        # At a line's end, so that no character is torn.
        octets = octets[: octets.rfind(b"\n", 0, TEXT_LIMIT) + 1 or TEXT_LIMIT]
    text = decode(octets, part.parameters.get("charset", ""), odd)
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return Passage(None, text) if part.content_type == "text/html" else Passage(text, None)


def _joined(texts: list[str | None]) -> str | None:
    present = [text for text in texts if text is not None]
    return "\n".join(present) if present else None


def _text(passage: Passage) -> str:
    if passage.plain is not None and (passage.plain.strip() or passage.html is None):
        return passage.plain
    return html_text(passage.html or "")


def _html(passage: Passage) -> str:
    if passage.html is not None:
        return passage.html
    return f"<pre>{html.escape(passage.plain or '')}</pre>"


def _attachments(root: Part, text_parts: set[int]) -> Iterator[Attachment]:
    inside: set[int] = set()  # parts of an embedded message, which is one attachment
    for index, part in enumerate(walk(root)):
        if id(part) in inside or part.content_type == "message/rfc822":
            inside.update(map(id, part.children))
        if id(part) in inside or id(part) in text_parts or part.is_container:
            continue
        octets = part.load()
        yield Attachment(
            filename=part.filename,
            content_type=part.content_type,
            size=len(octets),
            sha256=hashlib.sha256(octets).hexdigest(),
            inline=part.disposition == "inline"
            or (part.disposition != "attachment" and bool(part.content_id)),
            content_id=part.content_id,
            part=index,
        )
