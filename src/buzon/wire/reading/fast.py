"""The fast path: fast-mail-parser's tree, taken only where it accounts for all of the message.

It is left, for the tolerant path, where the parser raises, a part's header repeats or misuses a
field that decides how octets are read, a part cannot be decoded, or lines of the octets look like
part boundaries that the tree does not hold.
"""

import re
from functools import partial

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from buzon.wire.reading.header import BLANK_LINE, HEADER_LIMIT, Header
from buzon.wire.reading.parts import DEPTH_LIMIT, IDENTITY, PARTS_LIMIT, Part, describe
from buzon.wire.reading.values import Oddities

LARGEST = 64 * 1_048_576  # octets; the parser may hold a message three times over
_KNOWN_ENCODINGS = IDENTITY | {"base64", "quoted-printable"}
_DECISIVE = ("content-type", "content-transfer-encoding", "content-disposition")
_NAME = re.compile(r"[!-9;-~]+")
# A boundary's line, and how the next one starts: with a field, empty, or otherwise.
_LETTER = re.compile(rb"message/rfc822", re.IGNORECASE)
_DELIMITER = re.compile(rb"\n--([^\r\n]++)(?=(?:\r?\n([!-9;-~]++[ \t]*+:|\r?\n)?)?)")


class Unaccounted(Exception):
    """This message is for the tolerant path."""


def fast_tree(octets: bytes, root_header: Header, odd: Oddities) -> Part:
    """The message's tree with every leaf decoded.

    Raises Unaccounted where the fast parser cannot be trusted with this message, or has nothing to
    do: a message of one part needs no tree.
    """
    if not root_header.first("content-type").lower().startswith("multipart/"):
        raise Unaccounted
    if len(octets) > LARGEST or (len(octets) > HEADER_LIMIT and _may_be_costly(octets)):
        raise Unaccounted
    try:
        root = parse_email_tree(octets, mode="lazy")
        tree = _Converter(octets.isascii(), odd).convert(root, root_header)
    except ParseError as error:
        raise Unaccounted from error
    _account(octets, tree)
    return tree


def _may_be_costly(octets: bytes) -> bool:
    """Whether a header may be longer than HEADER_LIMIT, or there may be more than twice PARTS_LIMIT
    parts: the parser would make objects of every field and part, a hundred times the octets. A
    letter inside has its header anywhere.
    """
    if _LETTER.search(octets):
        return True
    header_end = _blank_line(octets, 0)
    if header_end > HEADER_LIMIT:
        return True
    for count, delimiter in enumerate(_DELIMITER.finditer(octets, header_end)):
        if count > 2 * PARTS_LIMIT:
            return True
        if delimiter.start() < header_end:
            continue  # of a header that was measured: each octet is looked at once
        header_end = _blank_line(octets, delimiter.end(1))
        if header_end - delimiter.end(1) > HEADER_LIMIT:
            return True
    return False


def _blank_line(octets: bytes, start: int) -> int:
    found = BLANK_LINE.search(octets, start)
    return found.start() if found else len(octets)


class _Converter:
    def __init__(self, is_ascii: bool, odd: Oddities) -> None:
        self.is_ascii = is_ascii
        self.odd = odd
        self.count = 0

    def convert(
        self, node: PyLazyMimePart, header: Header, *, depth: int = 0, parent: str = ""
    ) -> Part:
        self.count += 1
        if depth > DEPTH_LIMIT or self.count > PARTS_LIMIT:
            raise Unaccounted
        self._check(header)
        part = describe(header, self.odd, parent=parent)
        container = node.content_type.startswith("multipart/")
        if container != part.content_type.startswith("multipart/"):
            raise Unaccounted
        if container and not node.children:
            raise Unaccounted
        if node.is_message != (part.content_type == "message/rfc822"):
            raise Unaccounted
        if part.encoding == "quoted-printable" and not self._keeps_quoted_printable(part):
            raise Unaccounted
        if not container:
            # Decoded now: a part that cannot be is a reason to leave this path.
            content = node.content or b""
            part.load = partial(bytes, content)
        for child in node.children:
            inner = self._header(child)
            part.children.append(
                self.convert(child, inner, depth=depth + 1, parent=part.content_type)
            )
        return part

    def _keeps_quoted_printable(self, part: Part) -> bool:
        """The parser changes line ends to CRLF, which spoils files, and drops raw 8-bit octets."""
        is_text = part.content_type in {"text/plain", "text/html"}
        return self.is_ascii and is_text and part.disposition != "attachment"

    def _header(self, node: PyLazyMimePart) -> Header:
        fields: dict[str, list[str]] = {}
        for name, values in node.headers.items():
            fields.setdefault(name.lower(), []).extend(values)
            if not _NAME.fullmatch(name) or "" in values:
                raise Unaccounted  # a stray line, which may be the text's first
            if not all(map(self._is_sound, values)):
                raise Unaccounted
        # The values are text already, so that what is not ASCII in them is no oddity.
        return Header(fields, Oddities())

    def _is_sound(self, value: str) -> bool:
        """Whether the parser's decoding of a field can be trusted: it decodes encoded words first,
        so that a quote in one would end the parameter, takes raw octets for latin-1, and does not
        know an encoding that a space follows.
        """
        if value != value.strip():
            return False
        if value.isascii():
            return "=?" not in value and value.count('"') % 2 == 0
        return self.is_ascii and "\ufffd" not in value and value.count('"') % 2 == 0

    def _check(self, header: Header) -> None:
        for name in _DECISIVE:
            if header.count(name) > 1:
                raise Unaccounted
        encoding = header.first("content-transfer-encoding").lower()
        if encoding not in _KNOWN_ENCODINGS:
            raise Unaccounted


def _account(octets: bytes, tree: Part) -> None:
    """Every boundary line must belong to a container, and none with a header may be left over."""
    expected: dict[bytes, int] = {}
    pending = [tree]
    while pending:
        part = pending.pop()
        pending.extend(part.children)
        if part.is_container:
            boundary = part.parameters.get("boundary", "").encode("utf-8", "replace")
            expected[boundary] = expected.get(boundary, 0) + len(part.children)
    for line, following in _DELIMITER.findall(octets):
        text = line.rstrip()
        if text in expected:
            expected[text] -= 1
            if not following:
                raise Unaccounted
        elif following[:8].lower() == b"content-":
            raise Unaccounted
    if any(expected.values()):
        raise Unaccounted
