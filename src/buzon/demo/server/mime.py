"""Where the parts of a message begin and end, octet by octet (RFC 2045, 2046).

    octets:  | header | blank line | body ................................ |
             ^ start               ^ body                                  ^ end

Nothing is decoded: IMAP's sections are slices of what was delivered.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

DEEPEST = 50
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:(.*(?:\r?\n[ \t].*)*)(?:\r?\n|\Z)", re.MULTILINE)
_NEWLINE = re.compile(rb"\r?\n")
_BLANK = re.compile(rb"\r?\n\r?\n")
_TYPE = re.compile(r"\s*([^\s/;]+)/([^\s;]+)")
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


@dataclass
class Part:
    """A message or a part of one; the octets are the whole message's, the rest are offsets."""

    octets: bytes = field(repr=False)
    start: int
    end: int
    depth: int = 0
    default_type: tuple[str, str] = ("text", "plain")

    @cached_property
    def body(self) -> int:
        """Where the body starts: after the first empty line."""
        blank = _NEWLINE.match(self.octets, self.start, self.end) or _BLANK.search(
            self.octets, self.start, self.end
        )
        return blank.end() if blank else self.end

    @property
    def header_octets(self) -> bytes:
        """The header with its empty line."""
        return self.octets[self.start : self.body]

    @property
    def body_octets(self) -> bytes:
        """What follows the header."""
        return self.octets[self.body : self.end]

    @cached_property
    def fields(self) -> dict[str, str]:
        """Unfolded values of the header's fields by lower-case name; of several, the first."""
        found: dict[str, str] = {}
        for match in _FIELD.finditer(self.header_octets):
            value = re.sub(rb"\r?\n", b"", match[2]).strip()
            found.setdefault(match[1].decode().lower(), value.decode("utf-8", "surrogateescape"))
        return found

    @cached_property
    def content_type(self) -> tuple[str, str]:
        """Type and subtype in lower case."""
        match = _TYPE.match(self.fields.get("content-type", ""))
        return (match[1].lower(), match[2].lower()) if match else self.default_type

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The content type's parameters as they are written, names in lower case."""
        return parameters_of(self.fields.get("content-type", ""))

    @cached_property
    def children(self) -> list["Part"]:
        """A multipart's parts; none for all else, and where it goes too deep."""
        boundary = self.parameters.get("boundary", "")
        if self.content_type[0] != "multipart" or not boundary or self.depth >= DEEPEST:
            return []
        default = ("message", "rfc822") if self.content_type[1] == "digest" else ("text", "plain")
        # Without a single delimiter there is one part, and it is empty.
        ranges = self._ranges(boundary) or [(self.end, self.end)]
        return [self._inside(start, end, default) for start, end in ranges]

    @cached_property
    def message(self) -> "Part | None":
        """The message within a message/rfc822 part."""
        if self.content_type != ("message", "rfc822") or self.depth >= DEEPEST:
            return None
        return self._inside(self.body, self.end, ("text", "plain"))

    def part(self, number: int) -> "Part | None":
        """The part of this number, from 1 (RFC 9051, 6.4.5.1); part 1 of a lone body is itself."""
        if self.children:
            return self.children[number - 1] if 1 <= number <= len(self.children) else None
        return self if number == 1 else None

    def _inside(self, start: int, end: int, default: tuple[str, str]) -> "Part":
        part = Part(self.octets, start, end, self.depth + 1)
        part.default_type = default
        return part

    def _ranges(self, boundary: str) -> list[tuple[int, int]]:
        mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
        delimiter = re.compile(rb"(?:\A|\r?\n)--" + mark + rb"(--)?[ \t]*(?=\r?\n|\Z)")
        ranges, begun = [], -1
        body = self.body_octets
        for match in delimiter.finditer(body):
            if begun >= 0:
                ranges.append((begun, max(begun, match.start())))
            if match[1]:
                begun = -1
                break
            begun = body.find(b"\n", match.end()) + 1 or len(body)
        if begun >= 0:
            ranges.append((begun, len(body)))
        return [(self.body + start, self.body + end) for start, end in ranges]


def whole(octets: bytes) -> Part:
    """The message itself."""
    return Part(octets, 0, len(octets))


def parameters_of(value: str) -> dict[str, str]:
    """The parameters of a structured field, as they are written."""
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        text = match[2]
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        found.setdefault(match[1].lower(), text)
    return found


def chosen_fields(header: bytes, names: frozenset[bytes], *, others: bool) -> bytes:
    """The fields of these upper-case names, or all but them, and an empty line."""
    kept = [m[0] for m in _FIELD.finditer(header) if (m[1].upper() in names) != others]
    return b"".join(kept) + b"\r\n"
