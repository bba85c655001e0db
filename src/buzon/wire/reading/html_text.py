"""The words of an HTML body as plain text: for search, notices and letters that have no other text.

Not a sanitizer: its result is text, and is shown as text only. What mail programs say by the
structure about quotations, introductions and signatures becomes passages of that text.
"""

import html
import re
from collections.abc import Iterator

from buzon.wire.reading.html_structure import Element, is_structured, marked_element
from buzon.wire.reading.values import Passage, PassageKind

# A tag, with ">" allowed inside quoted attributes. Possessive: each attempt is one look ahead.
_TAG = re.compile(
    r"<(?:(!--)|[!?][^<>]*+>|(/?[a-zA-Z][a-zA-Z0-9]*+)(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*>)"
)
_SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")
_HIDDEN = {"script", "style", "head", "title", "template", "noscript", "svg"}
_END = {name: re.compile(rf"</{name}[^a-z]", re.IGNORECASE) for name in _HIDDEN}
_LINE = {"div", "tr", "table", "ul", "ol", "dl", "dt", "dd", "section", "article", "pre", "hr"}
_LINE |= {"header", "footer", "aside", "form"}
_PARAGRAPH = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}

# Begins a line that is not text: behind it the kind of the passage that begins, or nothing where
# it ends. HTML has no such character (html.unescape drops it).
_MARK = "\x02"


def html_text(source: str) -> tuple[str, tuple[Passage, ...]]:
    """The text of an HTML document: one line per block, an empty line between paragraphs; and which
    of its lines are not new, as far as the structure says so.
    """
    is_marked = is_structured(source)
    source = source.replace(_MARK, " ")
    pieces: list[str] = []
    position, element = 0, Element()
    while True:
        tag = _TAG.search(source, position)
        pieces.append(_SPACE.sub(" ", source[position : tag.start() if tag else len(source)]))
        if tag is None:
            break
        name = (tag[2] or "").lower()
        position = _past_hidden(source, tag, name)
        pieces.append(_break(name))
        if is_marked and name:
            pieces.append(_marks(element, name, tag[0]))
    return _tidy(html.unescape("".join(pieces)))


def _past_hidden(source: str, tag: re.Match[str], name: str) -> int:
    """Where text goes on: behind a comment, a script or a style; at the end if they never close."""
    if tag[1]:
        end = source.find("-->", tag.end())
        return end + 3 if end >= 0 else len(source)
    if name in _HIDDEN:
        closing = _END[name].search(source, tag.end())
        return closing.start() if closing else len(source)
    return tag.end()


def _break(name: str) -> str:
    bare = name.removeprefix("/")
    if bare == "br":
        return "\n"
    if bare in _PARAGRAPH:
        return "\n\n"
    if bare in _LINE:
        return "\n"
    if name == "li":
        return "\n- "
    return " " if name in {"td", "th"} else ""


def _marks(element: Element, name: str, tag: str) -> str:
    """The line that says that a marked element begins or ends with this tag; mostly nothing."""
    if element.kind is not None:
        return f"\n{_MARK}\n" if element.ends(name) else ""
    if name.startswith("/"):
        return ""
    kind = marked_element(element, name, tag)
    return f"\n{_MARK}{kind}\n" if kind is not None else ""


def _tidy(text: str) -> tuple[str, tuple[Passage, ...]]:
    """Every line stripped, at most one empty line in a row, none at the ends."""
    out: list[str] = []
    marks: list[tuple[int, str]] = []
    for line in text.split("\n"):
        if line.startswith(_MARK):
            marks.append((len(out), line[1:]))
            continue
        line = _SPACE.sub(" ", line).strip()
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip(), tuple(_passages(marks, len(out))) if marks else ()


def _passages(marks: list[tuple[int, str]], length: int) -> Iterator[Passage]:
    """From each mark that begins a passage to the next mark, or to the end of the lines."""
    for position, (start, kind) in enumerate(marks):
        end = marks[position + 1][0] if position + 1 < len(marks) else length
        if kind and start < end:
            yield Passage(PassageKind(kind), start, end)
