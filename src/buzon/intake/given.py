"""What a server gave of a batch, made ready for custody in the thread that retrieved it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, Self

from buzon.intake import vault
from buzon.wire.errors import MailError, MessageError


class FromServer(Protocol):
    """What IMAP and POP3 sessions hand over for one message."""

    @property
    def octets(self) -> vault.Octets: ...
    @property
    def error(self) -> MessageError | None: ...


@dataclass(frozen=True, slots=True)
class Given:
    """A message or its header; or the error with which it was not given."""

    octets: vault.Octets
    error: MessageError | None = None
    packed: vault.Packed | None = None

    @property
    def sha256(self) -> str:
        """The name of the octets."""
        return self.packed.sha256 if self.packed else vault.digest(self.octets)

    @classmethod
    def to_keep(cls, message: FromServer) -> Self:
        """A message that most likely goes into custody."""
        packed = vault.pack(message.octets) if message.error is None else None
        return cls(message.octets, message.error, packed)


@dataclass(slots=True)
class Came:
    """A batch by UID or number, in the order it came; `cut` is the error that ended it early.

    `still_listed`: of those that were said to be gone, the ones that the server goes on listing;
    `is_more`: it told of new mail meanwhile; `octets_in`: of the session, by then. Large messages
    are files, which whoever has this closes.
    """

    got: list[tuple[int, Given]] = field(default_factory=list)
    cut: MailError | None = None
    still_listed: frozenset[int] = frozenset()
    is_more: bool = False
    octets_in: int = 0
    files: list[BinaryIO] = field(default_factory=list)

    def take(self, answers: Iterable[tuple[int, FromServer]], *, whole: bool) -> None:
        """All that comes, up to the error with which the connection ends."""
        try:
            for key, answer in answers:
                if not isinstance(answer.octets, bytes):
                    self.files.append(answer.octets)
                given = Given.to_keep(answer) if whole else Given(answer.octets, answer.error)
                self.got.append((key, given))
        except MailError as error:
            self.cut = error
        except BaseException:
            self.close()
            raise

    @property
    def octets(self) -> int:
        """How many came."""
        return sum(given.packed.size for _, given in self.got if given.packed is not None)

    def close(self) -> None:
        """Of no use any more."""
        for file in self.files:
            file.close()
