"""What an IMAP session gives and takes: plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from buzon.wire.errors import MessageError


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """A folder of the server.

    `name` is Unicode, `delimiter` one character or "" where the names have no levels,
    `attributes` as sent ("\\HasNoChildren"), `special_use` one of RFC 6154 ("\\Sent") or None,
    `selectable` False for a mere level of the tree.
    """

    name: str
    delimiter: str
    attributes: frozenset[str]
    special_use: str | None
    selectable: bool


@dataclass(frozen=True, slots=True)
class Selected:
    """A folder as it was when it was opened.

    `exists` is the number of messages, `uidnext` the UID that the next one will have at least
    (None where the server does not say), `highest_modseq` None without CONDSTORE.
    """

    name: str
    uidvalidity: int
    uidnext: int | None
    exists: int
    highest_modseq: int | None
    permanent_flags: frozenset[str]
    read_only: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One message of a listing: size in octets as the server counts, internal date in UTC."""

    uid: int
    size: int
    internal_date: datetime | None


@dataclass(frozen=True, slots=True)
class Header:
    """A message's whole header with the blank line behind it, as the server gave it.

    `size` is the server's count for the whole message. With an `error` the octets are b"".
    """

    uid: int
    octets: bytes
    size: int
    internal_date: datetime | None
    error: MessageError | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message to fetch, and the size that the listing gave for it."""

    uid: int
    size: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A message's octets: bytes, or for a big one a file opened at its beginning (close it).

    `size` is the number of octets that came, whatever the listing said. With an `error` (Gone,
    TooLarge, Malformed) the octets are b"".
    """

    uid: int
    octets: bytes | BinaryIO
    size: int
    internal_date: datetime | None
    error: MessageError | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A message whose flags changed after a given HIGHESTMODSEQ (RFC 7162)."""

    uid: int
    flags: frozenset[str]
    modseq: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What the server told unasked: the new number of messages, or None; whether any are gone."""

    exists: int | None
    expunged: bool

    def __bool__(self) -> bool:
        return self.exists is not None or self.expunged
