"""What mail programs say by the structure of an HTML letter: data, and the element one is in.

Gmail, Thunderbird, Apple Mail, Outlook, Yahoo, Proton, Zoho, Zimbra, Roundcube, GMX and others
name their blocks. A whole `div.gmail_quote` is not marked, because answers stand between its
blockquotes; a blockquote that only indents is none of theirs.
"""

import re
from dataclasses import dataclass

from buzon.wire.reading.values import PassageKind

# Without one of these no tag is looked at.
_HINTS = (
    "cite",
    "quote",
    "border-left",
    "border-top",
    "gmail_",
    "ignature",
    "appendonsend",
    "RplyFwd",
    "stopSpelling",
    "zwchr",
    "__DIVIDER__",
    "moz-",
    "reply-intro",
    "reference-message",
)
_CITED = re.compile(r"cite|quote|border-left\s*+:\s*+(?!0|none)", re.IGNORECASE)
_BEHIND = re.compile(
    r"appendonsend|divRplyFwdMsg|stopSpelling|zwchr|__DIVIDER__"
    # Outlook's divider: a line of its grey or blue above From, Sent, To, Subject.
    r"|border-top:\s?solid\s#(?:E1E1E1|B5C4DF)\s1",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"yahoo_quoted|moz-forward-container|zmail_extra|reference-message-container"
    r"|name=[\"']?quote|class=[\"']?(?:quoted|tutanota_quote)",
    re.IGNORECASE,
)
_INTRODUCTION = re.compile(r"gmail_attr|moz-cite-prefix|reply-intro", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"class=[\"']?gmail_signature[\"' ]|moz-signature|AppleMailSignature"
    r"|ms-outlook-mobile-signature|protonmail_signature_block|id=[\"']?signature[\"' >]"
    r"|data-smartmail=[\"']?gmail_signature",
    re.IGNORECASE,
)
_CLASSES = (
    (_BEHIND, PassageKind.QUOTED),
    (_QUOTED, PassageKind.QUOTED),
    (_INTRODUCTION, PassageKind.INTRODUCTION),
    (_SIGNATURE, PassageKind.SIGNATURE),
)
_BLOCKS = {"div", "hr", "p", "pre", "table", "section", "blockquote"}
_TAG_LIMIT = 2_000  # characters of a tag that are looked at


@dataclass(slots=True)
class Element:
    """The marked element that we are in: `depth` of its own name; none while `kind` is None."""

    kind: PassageKind | None = None
    name: str = ""
    depth: int = 0

    def ends(self, tag: str) -> bool:
        """Whether this tag, "div" or "/div", closes it; nested ones of its name are counted."""
        if tag == self.name:
            self.depth += 1
        elif tag.removeprefix("/") == self.name:
            self.depth -= 1
        if self.depth == 0:
            self.kind = None
        return self.depth == 0


def is_structured(source: str) -> bool:
    """Whether any tag of a document may be marked."""
    return "=" in source and any(hint in source for hint in _HINTS)


def marked_element(element: Element, name: str, tag: str) -> PassageKind | None:
    """The kind of the block that begins with this tag, which `element` then is; None for most.

    What a divider begins ends with the document.
    """
    attributes = tag[len(name) + 1 : _TAG_LIMIT]
    if name not in _BLOCKS or len(attributes) < 5:
        return None
    if name == "blockquote":
        kind = PassageKind.QUOTED if _CITED.search(attributes) else None
    else:
        kind = next((kind for sign, kind in _CLASSES if sign.search(attributes)), None)
    if kind is not None:
        is_open_end = name != "blockquote" and _BEHIND.search(attributes)
        element.kind, element.name, element.depth = kind, "" if is_open_end else name, 1
    return kind
