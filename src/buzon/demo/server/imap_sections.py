"""The sections of BODY[...]: which octets of a message they are (RFC 9051, 6.4.5.1)."""

import re
from dataclasses import dataclass

from buzon.demo.server.imap_grammar import Arguments, Bad
from buzon.demo.server.mime import Part, chosen_fields, whole

_SPELLING = re.compile(
    r"((?:[1-9]\d{0,8}(?:\.[1-9]\d{0,8})*)?)\.?(HEADER|HEADER\.FIELDS|HEADER\.FIELDS\.NOT|TEXT|MIME)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: part numbers, what of that part, which fields, and which slice of it.

    `label` is how the answer names it. `length` None is all from `origin`.
    """

    label: str = ""
    path: tuple[int, ...] = ()
    what: str = ""
    names: frozenset[bytes] = frozenset()
    origin: int = 0
    length: int | None = None

    @classmethod
    def named(cls, spelling: str) -> "Section":
        """A section by its name: "", "HEADER", "1.2.MIME". Raises Bad."""
        match = _SPELLING.fullmatch(spelling)
        if not match or (match[2] == "MIME" and not match[1]):
            raise Bad(f"Unknown section {spelling}.")
        path = tuple(int(number) for number in match[1].split(".") if number)
        return cls(label=f"BODY[{spelling}]", path=path, what=match[2] or "")

    @property
    def deed(self) -> str:
        """What the ledger calls it."""
        if self.what in ("HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT") and not self.path:
            return "fetched-header"
        if self.path or self.what:
            return "fetched-part"
        return "fetched-slice" if self.origin else "fetched-body"

    def of(self, octets: bytes) -> bytes | None:
        """The section of a message; None where it has no such part."""
        found = octets if not self.path and not self.what else self._within(whole(octets))
        if found is None or (self.length is None and not self.origin):
            return found
        end = None if self.length is None else self.origin + self.length
        return found[self.origin : end]

    def _within(self, message: Part) -> bytes | None:
        part, holder = message, message
        for number in self.path:
            found = holder.part(number)
            if found is None:
                return None
            part, holder = found, found.message or found
        return self._of_part(part, holder)

    def _of_part(self, part: Part, holder: Part) -> bytes | None:
        if self.what == "MIME":
            return part.header_octets
        if not self.what:
            return part.body_octets
        if self.path and part.message is None:
            return None  # HEADER and TEXT are for messages alone
        if self.what == "TEXT":
            return holder.body_octets
        if self.what == "HEADER":
            return holder.header_octets
        return chosen_fields(
            holder.header_octets, self.names, others=self.what == "HEADER.FIELDS.NOT"
        )


def read_section(arguments: Arguments) -> Section:
    """From "[" to the end of "]" or "]<0.100>"."""
    arguments.need(b"[")
    spelling = "" if arguments.sees(b"]") else arguments.item_name()
    section = Section.named(spelling)
    names: list[bytes] = []
    if ".FIELDS" in section.what:
        arguments.space()
        names = arguments.listed(arguments.astring)
        told = " ".join(name.decode("utf-8", "replace") for name in names)
        spelling = f"{spelling} ({told})"
    arguments.need(b"]")
    origin, length, place = 0, None, ""
    if arguments.has(b"<"):
        origin, length = _slice(arguments)
        place = f"<{origin}>"
    return Section(
        label=f"BODY[{spelling}]{place}",
        path=section.path,
        what=section.what,
        names=frozenset(name.upper() for name in names),
        origin=origin,
        length=length,
    )


def _slice(arguments: Arguments) -> tuple[int, int]:
    origin = arguments.number()
    arguments.need(b".")
    length = arguments.number()
    arguments.need(b">")
    if not length:
        raise Bad("A slice has at least one octet.")
    return origin, length
