"""From the tree of parts to what a person sees: text, HTML and the list of attachments."""

import hashlib
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from buzon.wire.reading.charsets import decode
from buzon.wire.reading.html_text import html_text
from buzon.wire.reading.parts import Part, walk
from buzon.wire.reading.quotation import passages
from buzon.wire.reading.values import Attachment, Oddities, Passage

# Octets of one text that are read; nobody reads on, and as characters and words they are many times
# as much memory. The whole is in the message's octets.
TEXT_LIMIT = 4 * 1_048_576


@dataclass(slots=True)
class Stretch:
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
    passages: tuple[Passage, ...]
    attachments: tuple[Attachment, ...]


def read_body(root: Part, odd: Oddities) -> Body:
    """Text, HTML source and attachments. A letter with HTML only has text made from it."""
    found = list(_stretches(root, odd, is_first=True))
    text_parts = {id(part) for _, parts in found for part in parts}
    stretches = [stretch for stretch, _ in found if not stretch.is_blank]
    text, structure = _text(stretches)
    source = ""
    if any(s.html is not None for s in stretches):
        source = "\n".join(_html(s) for s in stretches)
    return Body(text, source, passages(text, structure), tuple(_attachments(root, text_parts)))


def _stretches(
    part: Part, odd: Oddities, *, is_first: bool
) -> Iterator[tuple[Stretch, tuple[Part, ...]]]:
    """The stretches under a part, in order, each with the parts it came from."""
    if not part.is_container:
        if _is_letter_text(part, is_first=is_first):
            yield _leaf(part, odd), (part,)
        return
    below: list[tuple[Stretch, tuple[Part, ...]]] = []
    for position, child in enumerate(part.children):
        below += _stretches(child, odd, is_first=is_first and position == 0)
    if part.content_type == "multipart/alternative" and len(below) > 1:
        stretches = [stretch for stretch, _ in below]
        merged = Stretch(
            _joined([s.plain for s in stretches]), _joined([s.html for s in stretches])
        )
        yield merged, tuple(source for _, parts in below for source in parts)
    else:
        yield from below


def _is_letter_text(part: Part, *, is_first: bool) -> bool:
    """Text that is neither marked as an attachment nor, further down, a named file."""
    if part.content_type not in {"text/plain", "text/html"} or part.disposition == "attachment":
        return False
    return is_first or not part.filename


def _leaf(part: Part, odd: Oddities) -> Stretch:
    octets = part.load()
    if len(octets) > TEXT_LIMIT:
        odd.note("text-cut", str(TEXT_LIMIT))
        # At a line's end, so that no character is torn.
        octets = octets[: octets.rfind(b"\n", 0, TEXT_LIMIT) + 1 or TEXT_LIMIT]
    text = decode(octets, part.parameters.get("charset", ""), odd)
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return Stretch(None, text) if part.content_type == "text/html" else Stretch(text, None)


def _joined(texts: list[str | None]) -> str | None:
    present = [text for text in texts if text is not None]
    return "\n".join(present) if present else None


def _text(stretches: list[Stretch]) -> tuple[str, Sequence[Passage]]:
    """The text of all, and what their HTML says of its lines."""
    if len(stretches) == 1:
        return _plain(stretches[0])
    texts: list[str] = []
    structure: list[Passage] = []
    line = 0
    for stretch in stretches:
        text, found = _plain(stretch)
        structure += [replace(p, start=p.start + line, end=p.end + line) for p in found]
        line += text.count("\n") + 1
        texts.append(text)
    return "\n".join(texts), structure


def _plain(stretch: Stretch) -> tuple[str, tuple[Passage, ...]]:
    if stretch.plain is not None and (stretch.plain.strip() or stretch.html is None):
        return stretch.plain, ()
    return html_text(stretch.html or "")


def _html(stretch: Stretch) -> str:
    if stretch.html is not None:
        return stretch.html
    return f"<pre>{html.escape(stretch.plain or '')}</pre>"


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
