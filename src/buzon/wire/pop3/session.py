"""A POP3 session, blocking: list, read, mark for deletion, and QUIT, which alone deletes.

open ──► listing · headers · messages · delete · reset · noop ──► quit   deletions are done
                                                             └──► close  nothing is deleted
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

from buzon.wire.endpoint import Credentials, Endpoint, Limits
from buzon.wire.errors import (
    MailError,
    Malformed,
    MessageError,
    NotPermitted,
    ServerBusy,
)
from buzon.wire.pop3 import login
from buzon.wire.pop3.body import Body, too_large
from buzon.wire.pop3.channel import DEPTH, Channel, Command
from buzon.wire.pop3.core import Reply, Shape
from buzon.wire.pop3.listing import Listing, shared_uidls, sizes, uidls
from buzon.wire.pop3.refusal import of_message, refused
from buzon.wire.transport import Transport

# A line of UIDL: a number, a space, 255 octets, CRLF; a little more for servers that add to it.
LISTED_LINE = 300


class NotDeleted(NotPermitted):
    """The server did not mark some messages for deletion; `numbers` says which. The others are
    marked: quit() deletes them, reset() and close() do not."""

    def __init__(
        self, template: str, *, answer: str = "", numbers: frozenset[int], **values: Any
    ) -> None:
        super().__init__(template, answer=answer, **values)
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class Top:
    """A message's header with the blank line behind it. With an `error` the octets are b""."""

    number: int
    octets: bytes
    error: MessageError | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A message's octets: bytes, or for a big one a file at its beginning, which the caller closes.

    `size` is the number of octets that came. With an `error` the octets are b"".
    """

    number: int
    octets: bytes | BinaryIO
    size: int
    error: MessageError | None = None


class Pop3Session:
    """One login. Any error but NotDeleted, and the NotPermitted of headers(), ends the session: the
    connection is closed and nothing is deleted. Errors of one message are given in its place. An
    iteration over headers() or messages() may be abandoned; the next command then reads and forgets
    what was under way. Used by one thread at a time.
    """

    def __init__(self, channel: Channel, capabilities: login.Capabilities, limits: Limits) -> None:
        self.capabilities = capabilities
        self.has_uidl = "UIDL" in capabilities
        self.shared_uidls: frozenset[str] = frozenset()  # by the last listing, for several messages
        self.has_top = "TOP" in capabilities
        self._channel = channel
        self._limits = limits
        self._depth = DEPTH if self.has("PIPELINING") else 1
        self._top_tried = self.has_top
        self._top_works = False
        self._octets_of_headers = 0

    @classmethod
    def open(
        cls, endpoint: Endpoint, credentials: Credentials, limits: Limits | None = None
    ) -> Self:
        """Connect, encrypt, log in. Raises ConnectFailed, TimedOut, TlsRefused, AuthRejected,
        ServerBusy, Throttled, NotPermitted (before anything is sent, for a control character)."""
        login.check(credentials)
        limits = limits or Limits()
        channel = Channel(Transport.connect(endpoint), limits)
        try:
            return cls(channel, login.enter(channel, endpoint, credentials), limits)
        except BaseException:
            channel.close()
            raise

    def has(self, name: str) -> bool:
        """Whether CAPA offers it, for example "PIPELINING"."""
        return name.upper() in self.capabilities

    @property
    def bytes_in(self) -> int:
        """Octets received so far."""
        return self._channel.transport.bytes_in

    @property
    def certificate_sha256(self) -> str:
        """The server's certificate, lower-case hex of its DER; "" in the clear."""
        return self._channel.transport.certificate_sha256()

    def listing(self) -> list[Listing]:
        """Every message on the server, but those marked in this session, by number.

        Sets `has_uidl` to what the server does, whatever CAPA said. A UIDL that two messages share,
        or that holds what no UIDL may, is None. NotPermitted for more messages than
        `limits.list_items`.
        """
        try:
            size_of, uidl_of = self._size_and_uidl()
        except MailError:
            self.close()
            raise
        return [Listing(number, size, uidl_of.get(number)) for number, size in size_of.items()]

    def try_top(self, number: int) -> None:
        """Set `has_top` to what the server does with this message, once, where CAPA says nothing of
        TOP: servers without CAPA, and some with it, know it all the same.
        """
        if self._top_tried:
            return
        self._top_tried = True
        try:
            self.has_top = self._channel.ask(b"TOP %d 0" % number, Shape.BODY).ok
        except MailError:
            self.close()
            raise

    def headers(self, numbers: Sequence[int]) -> Iterator[Top]:
        """The header of each message, in this order, by TOP; NotPermitted without TOP.

        One over `limits.spool_above` octets comes as TooLarge.
        """
        self._octets_of_headers = 0
        rest = list(numbers)
        while rest:
            if not self.has_top:
                raise NotPermitted("The server cannot give a message's header alone (no TOP).")
            rest = yield from self._tops(rest)

    def messages(self, wanted: Sequence[Listing]) -> Iterator[Retrieved]:
        """The octets of each message, in this order: exactly what the server has.

        Only so much is asked ahead that `limits.window` octets are under way. A message that is
        gone, or larger than `limits.message`, comes with its error and the others follow.
        OSError when a big one finds no room on the disk.
        """
        small = [each for each in wanted if each.size <= self._limits.message]
        commands = [Command(b"RETR %d" % each.number, Shape.BODY, each.size) for each in small]
        places = self._ahead(commands)
        for each in wanted:
            if each.size > self._limits.message:
                yield Retrieved(each.number, b"", 0, too_large(self._limits.message))
                continue
            next(places)
            yield self._retrieved(each)

    def delete(self, numbers: Sequence[int]) -> None:
        """Mark these for deletion, which quit() does. NotDeleted names those the server refused,
        after all were tried."""
        commands = [Command(b"DELE %d" % number, Shape.LINE) for number in numbers]
        refusals: dict[int, Reply] = {}
        for place in self._ahead(commands):
            reply = self._channel.reply()
            if not reply.ok:
                refusals[numbers[place]] = reply
        if refusals:
            raise NotDeleted(
                "The server does not delete {refused} of {all} messages.",
                refused=len(refusals),
                all=len(numbers),
                answer=next(iter(refusals.values())).text,
                numbers=frozenset(refusals),
            )

    def reset(self) -> None:
        """Unmark all that delete() marked."""
        self._must(self._channel.ask(b"RSET"))

    def noop(self) -> None:
        """Keep the session alive."""
        self._must(self._channel.ask(b"NOOP"))

    def quit(self) -> None:
        """End the session; when it returns, the marked messages are deleted.

        Any other end is a Transient error: then it is not known which of them are deleted.
        """
        try:
            reply = self._channel.ask(b"QUIT")
        finally:
            self._channel.close()
        if not reply.ok:
            raise ServerBusy(
                "The server did not confirm the deletions; some may not be done.", answer=reply.text
            )

    def close(self) -> None:
        """Drop the connection without QUIT: nothing is deleted. Safe at any time, twice too."""
        self._channel.close()

    def abort(self) -> None:
        """End the connection under the thread that uses the session; from any thread."""
        self._channel.transport.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _size_and_uidl(self) -> tuple[dict[int, int], dict[int, str]]:
        size_of: dict[int, int] = {}
        uidl_of: dict[int, str] = {}
        ahead = [Command(b"LIST", Shape.BODY), Command(b"UIDL", Shape.BODY)]
        for place in self._ahead(ahead):
            reply = self._channel.reply()
            if place == 0:
                self._must(reply)
                size_of = sizes(self._lines())
            else:
                # A server may refuse UIDL for no other reason than an empty maildrop.
                self.has_uidl = reply.ok or (self.has_uidl and not size_of)
                told = self._lines() if reply.ok else b""
                uidl_of, self.shared_uidls = uidls(told), shared_uidls(told)
        if len(size_of) > self._limits.list_items:
            raise self._too_many()
        return size_of, uidl_of

    def _lines(self) -> bytes:
        """The body of LIST or UIDL, of no more lines than we list: each costs many times its
        octets once it is read."""
        body = self._channel.body(self._limits.list_items * LISTED_LINE)
        if max(body.count(b"\r"), body.count(b"\n")) > self._limits.list_items:
            raise self._too_many()
        return body

    def _too_many(self) -> NotPermitted:
        return NotPermitted("The mailbox holds over {most} messages.", most=self._limits.list_items)

    def _tops(self, numbers: list[int]) -> Generator[Top, None, list[int]]:
        """Returns what is still to be asked: all behind a refusal that had to be looked into."""
        commands = [Command(b"TOP %d 0" % number, Shape.BODY) for number in numbers]
        for place in self._ahead(commands):
            top = self._top(numbers[place])
            if top.error is not None and not self._top_works and self._exists(numbers[place]):
                # The message is there: so it is the command that the server does not know.
                self.has_top = False
                return numbers[place:]
            yield top
            if top.error is not None and not self._top_works:
                return numbers[place + 1 :]
        return []

    def _top(self, number: int) -> Top:
        reply = self._channel.reply()
        if not reply.ok:
            return Top(number, b"", self._refused_message(reply))
        self._top_works = True
        body = Body(most=self._limits.spool_above, spool_above=self._limits.spool_above)
        body.take(self._channel.pieces())
        self._count(body.size)
        return Top(number, header_of(body.in_memory()), body.error)

    def _count(self, octets: int) -> None:
        """Whoever asked may keep all of them until the last has come."""
        self._octets_of_headers += octets
        if self._octets_of_headers > self._limits.together:
            self.close()
            most = self._limits.together
            raise ServerBusy("The server sent a list of over {most} octets.", most=most)

    def _exists(self, number: int) -> bool:
        return self._channel.ask(b"LIST %d" % number).ok

    def _retrieved(self, wanted: Listing) -> Retrieved:
        reply = self._channel.reply()
        if not reply.ok:
            return Retrieved(wanted.number, b"", 0, self._refused_message(reply))
        body = Body(most=self._limits.message, spool_above=self._limits.spool_above)
        body.take(self._channel.pieces())
        if body.error is not None:
            return Retrieved(wanted.number, b"", 0, body.error)
        if body.size == 0 and wanted.size > 2:
            return Retrieved(wanted.number, b"", 0, _nothing_came(wanted))
        body.mend(wanted.size)
        return Retrieved(wanted.number, body.octets(), body.size)

    def _refused_message(self, reply: Reply) -> MessageError:
        error = of_message(reply)
        if isinstance(error, MessageError):
            return error
        self.close()
        raise error

    def _ahead(self, commands: Sequence[Command]) -> Iterator[int]:
        return self._channel.ahead(commands, depth=self._depth, window=self._limits.window)

    def _must(self, reply: Reply) -> None:
        if not reply.ok:
            self.close()
            raise refused(reply, ServerBusy("The server refused a command."))


def _nothing_came(wanted: Listing) -> Malformed:
    """Dovecot 2.3 does so when the first line is a mere dot, which it does not stuff."""
    return Malformed("The server sent nothing of a message of {size} octets.", size=wanted.size)


def header_of(octets: bytes) -> bytes:
    """Up to the first blank line: some servers add lines of the body to TOP n 0."""
    if octets.startswith(b"\r\n"):
        return b"\r\n"
    end = octets.find(b"\r\n\r\n")
    return octets if end < 0 else octets[: end + 4]
