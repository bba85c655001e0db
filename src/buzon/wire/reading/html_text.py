"""The words of an HTML body as plain text: for search, notices and letters that have no other text.

Not a sanitizer: its result is text, and is shown as text only.
"""

import html
import re

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


def html_text(source: str) -> str:
    """The text of an HTML document: one line per block, an empty line between paragraphs."""
    pieces: list[str] = []
    position = 0
    while True:
        tag = _TAG.search(source, position)
        pieces.append(_SPACE.sub(" ", source[position : tag.start() if tag else len(source)]))
        if tag is None:
            break
        name = (tag[2] or "").lower()
        position = _past_hidden(source, tag, name)
        pieces.append(_break(name))
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


def _tidy(text: str) -> str:
    """Every line stripped, at most one empty line in a row, none at the ends."""
    out: list[str] = []
    for line in text.split("\n"):
        line = _SPACE.sub(" ", line).strip()
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip()
