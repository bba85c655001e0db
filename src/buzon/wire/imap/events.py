"""What the core makes of the server's octets: one event for one response (RFC 9051 section 7)."""

from array import array
from dataclasses import dataclass
from typing import TypeAlias


class Atom(bytes):
    """A word that was not quoted: a number, a flag, NIL, a keyword."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Stands where a literal of `size` octets was, which was larger than we hold in memory."""

    size: int


Value: TypeAlias = "bytes | int | Skipped | list[Value] | None"


@dataclass(frozen=True, slots=True)
class Status:
    """OK, NO, BAD, BYE or PREAUTH. `tag` is b"*" for an untagged one.

    `code` is the response code's name in upper case, "" for none; `argument` what followed it.
    """

    tag: bytes
    kind: str
    code: str
    argument: bytes
    text: str

    @property
    def said(self) -> str:
        """All of it for a person: "NO [OVERQUOTA] too much"."""
        argument = self.argument.decode("utf-8", "replace")
        code = f" [{f'{self.code} {argument}'.strip()}]" if self.code else ""
        return f"{self.kind}{code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Continuation:
    """`+ …`: the server waits for the rest of our command."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Exists:
    """The selected folder holds this many messages now."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """The message with this sequence number is gone."""

    sequence: int


@dataclass(slots=True)  # not frozen: made 70,000 times a second
class Fetched:
    """One FETCH response. `items`: "UID", "RFC822.SIZE", "INTERNALDATE", "BODY[]", … as sent.

    Numbers are int, strings and literals bytes, NIL None, lists lists of the raw words.
    `broken` says that the response could not be read whole; `items` then holds UID at most.
    """

    sequence: int
    items: dict[str, Value]
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A SEARCH response: message numbers or UIDs, in the server's order."""

    numbers: "array[int]"


@dataclass(frozen=True, slots=True)
class Data:
    """Any other untagged response: its name in upper case, and its words."""

    name: str
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Nonsense:
    """A line that is no response we can read; the session may pass over it."""

    line: bytes


Event: TypeAlias = Status | Continuation | Exists | Expunged | Fetched | Found | Data | Nonsense
