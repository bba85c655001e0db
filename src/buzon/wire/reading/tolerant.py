"""The tolerant path: our own split of a message into parts, for what the fast parser cannot take.

One pass over the lines that start with "--", with a stack of the boundaries in force:

    delimiter of level n ──► everything deeper ends; a new part starts in container n
    closing delimiter    ──► the same, but what follows is no part until the next delimiter

It is linear in the octets and never recurses. The standard library's parser asks every boundary in
force about every line, and recurses at each level. A container whose boundary never appears gets
the one that its body uses; parts after a closing delimiter are parts still.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from buzon.wire.reading.header import HEADER_LIMIT, Header, bounds, unannounced_body
from buzon.wire.reading.parts import (
    DEPTH_LIMIT,
    IDENTITY,
    PARTS_LIMIT,
    Part,
    describe,
    undo_encoding,
)
from buzon.wire.reading.values import Oddities

# Begun with the line end before it, which is looked for ten times as fast as the start of a line.
_DELIMITER = re.compile(rb"\n--([^\r\n]++)")
_AT_START = re.compile(rb"--([^\r\n]++)")
_LINE_END = re.compile(rb"\r?\n?")
_LIKELY_DELIMITER = re.compile(rb"^--([^\r\n]++)\r?\n(?=(?i:content-))", re.MULTILINE)
# A part's header, up to the first line that is none; a delimiter is never part of it.
_HEADER_BLOCK = re.compile(
    rb"(?:(?!--)[!-9;-~]++[ \t]*+:[^\n]*+(?:\n|\Z)"
    rb"(?:(?:[ \t]++[^\r\n]|(?i:(?:file)?name\*?\d?\*?=|charset=|boundary=))[^\n]*+(?:\n|\Z))*)*"
)
# Parameters that a broken program did not indent when it folded the field.
_UNINDENTED = re.compile(rb"\n(?=(?:file)?name\*?\d?\*?=|charset=|boundary=)", re.IGNORECASE)
# All lines up to an empty one or a delimiter, and the last field about content among them.
_LINES = re.compile(rb"(?:(?!--)[^\r\n][^\n]*+\n)*")
_CONTENT_FIELD = re.compile(rb"^content-[a-z-]++[ \t]*+:", re.IGNORECASE | re.MULTILINE)
_BLANK = re.compile(rb"[ \t]*+\r?(?:\n|\Z)")
# Looking for a boundary costs a scan of the body: only for so many containers of one message.
_SEARCHES = 20


@dataclass(slots=True)
class _Open:
    part: Part
    level: int
    start: int


def tolerant_tree(octets: bytes, odd: Oddities) -> Part:
    """The message's tree; never raises."""
    header_end, body = bounds(octets)
    stray = unannounced_body(octets, header_end, body)
    if stray >= 0:
        odd.note("header-without-end")
        header_end = body = stray
    return _Splitter(octets, odd).split(Header.parse(octets[:header_end], odd), body)


class _Splitter:
    def __init__(self, octets: bytes, odd: Oddities) -> None:
        self.octets = octets
        self.odd = odd
        self.levels: list[tuple[bytes, Part]] = []  # boundary and container, outermost first
        self.in_force: dict[bytes, list[int]] = {}  # boundary → levels that use it
        self.open: list[_Open] = []
        self.closed: set[int] = set()  # levels whose closing delimiter was seen
        self.searches = 0
        self.count = 0

    def split(self, header: Header, body: int) -> Part:
        root = self._add(None, header, body)
        if self.levels:
            for text, start, end in _delimiters(self.octets, body):
                self._delimiter(text, start, end)
        self._end_parts(0, len(self.octets))
        return root

    def _delimiter(self, text: bytes, start: int, end: int) -> None:
        """A line that starts with "--", and what stands behind that."""
        levels, closing = self.in_force.get(text), False
        if not levels:  # some write more after the closing dashes
            levels, closing = self.in_force.get(text.rpartition(b"--")[0]), True
        if not levels:
            return
        level = levels[-1]
        self._end_parts(level + 1, start)
        while len(self.levels) > level + 1:
            boundary, _ = self.levels.pop()
            self.in_force[boundary].pop()
            self.closed.discard(len(self.levels))
        if closing:
            self.closed.add(level)
        elif self.count < PARTS_LIMIT:
            if level in self.closed:
                self.odd.note("part-after-end")
            self._part_at(end, level)

    def _part_at(self, position: int, level: int) -> None:
        header, body = self._header_at(position)
        self._add(level, header, body)
        if self.count == PARTS_LIMIT:
            self.odd.note("parts-cut", str(PARTS_LIMIT))

    def _header_at(self, position: int) -> tuple[Header, int]:
        """The header that starts here, and where the part's body does.

        A line that is no field starts the body, unless a field about content comes after it.
        """
        end = _end_of_block(self.octets, position)
        lines = _LINES.match(self.octets, end, end + HEADER_LIMIT)
        if end > position and lines and lines.end() > end:
            for found in _CONTENT_FIELD.finditer(self.octets, end, lines.end()):
                if found.start() >= end:  # else of a block that was seen: each is looked at once
                    end = _end_of_block(self.octets, found.start())
        blank = _BLANK.match(self.octets, end)
        fields = _UNINDENTED.sub(b"\n ", self.octets[position:end])
        return Header.parse(fields, self.odd), blank.end() if blank else end

    def _add(self, level: int | None, header: Header, body: int) -> Part:
        """Open the part at `body`, and what it starts with if it is a container or a message."""
        container = self.levels[level][1] if level is not None else None
        part = describe(header, self.odd, parent=container.content_type if container else "")
        self.count += 1
        if container:
            container.children.append(part)
        top, inner = part, part
        self.open.append(_Open(part, len(self.levels), body))
        while inner.content_type == "message/rfc822" and inner.encoding in IDENTITY:
            if self.count >= PARTS_LIMIT or len(self.open) > DEPTH_LIMIT:
                self.odd.note("nesting-cut")
                return top
            header, body = self._header_at(body)
            child = describe(header, self.odd)
            self.count += 1
            inner.children.append(child)
            inner = child
            self.open.append(_Open(inner, len(self.levels), body))
        if inner.content_type.startswith("multipart/"):
            self._open_container(inner, body)
        return top

    def _open_container(self, part: Part, body: int) -> None:
        boundary = self._boundary(part, body)
        if not boundary:
            self.odd.note("boundary-missing")
            part.content_type = "text/plain"
            return
        if len(self.levels) >= DEPTH_LIMIT:
            self.odd.note("nesting-cut")
            return
        self.in_force.setdefault(boundary, []).append(len(self.levels))
        self.levels.append((boundary, part))

    def _boundary(self, part: Part, body: int) -> bytes:
        declared = part.parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
        if self.searches >= _SEARCHES:
            return declared
        self.searches += 1
        if declared and self.octets.find(b"--" + declared, body) >= 0:
            return declared
        likely = _LIKELY_DELIMITER.search(self.octets, body)
        if not likely or self.in_force.get(likely[1].rstrip()):
            return b""
        self.odd.note("boundary-wrong")
        return likely[1].rstrip()

    def _end_parts(self, level: int, end: int) -> None:
        """End what is open at this level and deeper; the line end before a delimiter is its own."""
        if end < len(self.octets):
            end -= self.octets[end - 1 : end] == b"\n"
            end -= self.octets[end - 1 : end] == b"\r"
        while self.open and self.open[-1].level >= level:
            done = self.open.pop()
            if not done.part.is_container:
                start = done.start
                done.part.load = partial(self._content, done.part, start, max(start, end))

    def _content(self, part: Part, start: int, end: int) -> bytes:
        return undo_encoding(self.octets[start:end], part.encoding, self.odd)


def _delimiters(octets: bytes, body: int) -> Iterator[tuple[bytes, int, int]]:
    """Of each line from `body` on that starts with "--": what stands behind that, where the line
    starts, and where the next one does. `body` is the start of a line.
    """
    if body == 0 and (first := _AT_START.match(octets)):
        yield first[1].rstrip(), 0, _next_line(octets, first.end())
    for line in _DELIMITER.finditer(octets, max(body - 1, 0)):
        yield line[1].rstrip(), line.start() + 1, _next_line(octets, line.end())


def _next_line(octets: bytes, position: int) -> int:
    end = _LINE_END.match(octets, position)
    return end.end() if end else position


def _end_of_block(octets: bytes, position: int) -> int:
    # The expression remembers each line that it may have to give back: a hundred times its octets.
    block = _HEADER_BLOCK.match(octets, position, position + HEADER_LIMIT + 1)
    return block.end() if block else position
