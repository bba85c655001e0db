"""The blocking side of the core: commands out, events in, one or many commands under way."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ConnectFailed, MailError, TimedOut
from buzon.wire.imap import refusal
from buzon.wire.imap.command import Pieces
from buzon.wire.imap.core import ImapCore
from buzon.wire.imap.events import (
    Continuation,
    Data,
    Event,
    Exists,
    Expunged,
    Fetched,
    Found,
    Status,
)
from buzon.wire.transport import Transport

# Commands under way at once. Their lines must fit into socket buffers while the server is busy
# writing, or both sides would wait for each other.
MOST_UNDER_WAY = 8

# Octets of an answer that is kept until its end: 80,000 folders. Read into words they may be
# twenty times as many.
MOST_HELD = 8 * 1_048_576


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command brought: its final status, and the events before it."""

    status: Status
    events: list[Event]

    def data(self, name: str) -> Iterator[Data]:
        """The untagged responses of this name."""
        return (e for e in self.events if isinstance(e, Data) and e.name == name)


@dataclass(frozen=True, slots=True)
class Planned:
    """One command of a stream: its line, what octets it may bring, the UIDs it asks for, and
    where a slice begins."""

    line: bytes
    octets: int
    uids: tuple[int, ...]
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A command of a stream has ended."""

    plan: Planned
    status: Status


class Connection:
    """One connection's commands. `exists`, `announced` and `expunges` follow what the server tells
    unasked: how many messages there are, how often it said so, how often one was gone.

    A failure of the stream itself (TimedOut, ConnectFailed, BYE) ends the connection: what the
    server would send next could not be told from the answer to another command.
    """

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self.transport = transport
        self.limits = limits
        self.core = ImapCore(limits)
        self.exists = 0
        self.announced = 0
        self.expunges = 0
        self.leaving = False
        self._count = 0
        self._under_way: set[bytes] = set()
        self._stream = object()
        self._held = 0  # octets of the events that the answer under way is kept in
        self._found: Found | None = None  # the one of them that has all numbers
        self._ends: float | None = None  # by when the command under way must have ended

    def run(
        self,
        command: bytes | Pieces,
        *,
        refused: Callable[[Status], MailError] = refusal.of_command,
        octets: int = 0,
    ) -> Answer:
        """One command to its end, with an answer of so many octets, where they may be many.

        Raises what `refused` makes of a NO or BAD.
        """
        answer = self.ask(command, octets=octets)
        if answer.status.kind != "OK":
            raise refused(answer.status)
        return answer

    def change(
        self,
        command: bytes | Pieces,
        *,
        refused: Callable[[Status], MailError] = refusal.of_command,
    ) -> Answer:
        """Like `run`, for a command that changes the server: it ends within `read_timeout` of its
        beginning, or raises TimedOut, however much the server says meanwhile. The lease under
        which it was sent must not run out before it.
        """
        self.drain()
        self._ends = time.monotonic() + self.transport.endpoint.read_timeout
        try:
            return self.run(command, refused=refused)
        finally:
            self._ends = None

    def ask(self, command: bytes | Pieces, *, octets: int = 0) -> Answer:
        """One command to its end, whatever the end is."""
        self.drain()
        pieces = [command] if isinstance(command, bytes) else command
        tag = self.begin(pieces[0])
        events: list[Event] = []
        for place, piece in enumerate(pieces[1:], start=2):
            event = self.until_continuation(tag, events)
            if isinstance(event, Status):
                return Answer(event, events)
            self.send(piece + b"\r\n" if place == len(pieces) else piece)
        self.transport.patience.begin(octets)
        return Answer(self.until_end(tag, events), events)

    def begin(self, line: bytes) -> bytes:
        """Send the first line of a command, and give its tag."""
        tag = self._tag()
        # A literal's announcement ends its own line.
        self.send(tag + b" " + line + (b"" if line.endswith(b"}\r\n") else b"\r\n"))
        self._under_way.add(tag)
        self._held, self._found = 0, None
        return tag

    def until_continuation(self, tag: bytes, events: list[Event]) -> Continuation | Status:
        """The server's `+`, or the command's final status when it will not go on."""
        while True:
            event = self.next()
            if isinstance(event, Continuation):
                return event
            if isinstance(event, Status) and event.tag == tag:
                self.ended(event)
                return event
            self._keep(event, events)

    def until_end(self, tag: bytes, events: list[Event]) -> Status:
        """The final status of the command; what came before it is put into `events`."""
        while True:
            event = self.next()
            if isinstance(event, Status) and event.tag == tag:
                self.ended(event)
                return event
            self._keep(event, events)

    def stream(self, plans: Iterable[Planned]) -> Iterator[Fetched | Finished]:
        """Run many commands, several under way, bounded by `limits.window` octets.

        Yields every FETCH response as it comes, and a Finished for each command. When the caller
        stops early, what is still under way is read and thrown away before the next command;
        a stream that another command overtook cannot be continued (RuntimeError).
        """
        self.drain()
        mine = self._stream = object()
        waiting: dict[bytes, Planned] = {}
        source = iter(plans)
        upcoming = next(source, None)
        while waiting or upcoming is not None:
            lines = b""
            while upcoming is not None and self._has_room(waiting, upcoming):
                tag = self._tag()
                waiting[tag] = upcoming
                lines += tag + b" " + upcoming.line + b"\r\n"
                upcoming = next(source, None)
            if lines:
                self._under_way.update(waiting)
                self.send(lines, octets=_octets_of(waiting))
            event = self.next()
            if isinstance(event, Fetched):
                yield event
            elif isinstance(event, Status) and event.tag in waiting:
                self.ended(event)
                finished = waiting.pop(event.tag)
                self.transport.patience.begin(_octets_of(waiting))
                yield Finished(finished, event)
            if self._stream is not mine:
                raise RuntimeError("another command was sent while this stream was being read")

    def start_tls(self) -> None:
        """TLS, and a core that knows nothing of what was said before (RFC 9051 section 11.1)."""
        self.transport.start_tls(self.core.take_unread())
        self.core = ImapCore(self.limits)
        self.exists = self.announced = self.expunges = 0

    def send(self, data: bytes, *, octets: int = 0) -> None:
        """Octets of a command, whose answer has so many. One that was sent in part leaves nothing
        that could be sent next."""
        self.transport.patience.begin(octets)
        try:
            self.transport.send(data)
        except MailError:
            self.transport.close()
            raise

    def next(self) -> Event:
        """The next event, whatever it is. Raises what a BYE means, unless we are leaving."""
        try:
            event = self.core.next_event() or self._received()
            self._note(event)
        except MailError:
            self.transport.close()
            raise
        return event

    def next_within(self, seconds: float) -> Event | None:
        """The next event, None when no octet came in that time."""
        try:
            event = self.core.next_event()
            if event is None:
                data = self.transport.receive_if_any(seconds)
                if data is None:
                    return None
                self.core.feed(data)
                self.transport.patience.begin()  # what comes unasked has its own time
                return self.next()
            self._note(event)
        except MailError:
            self.transport.close()
            raise
        return event

    def ended(self, status: Status) -> None:
        """The command with this final status owes nothing more."""
        self._under_way.discard(status.tag)

    @property
    def is_busy(self) -> bool:
        """Whether the server still owes answers."""
        return bool(self._under_way)

    def drain(self) -> None:
        """Read to their end the commands that nobody waits for any more."""
        self._stream = object()
        if self._under_way:
            self.transport.patience.begin(self.limits.window)
        while self._under_way:
            event = self.next()
            if isinstance(event, Status):
                self.ended(event)

    def _received(self) -> Event:
        """Read until an event is whole."""
        while True:
            self.core.feed(self._octets())
            event = self.core.next_event()
            if event is not None:
                return event

    def _octets(self) -> bytes:
        if self._ends is None:
            return self.transport.receive()
        left = self._ends - time.monotonic()
        data = self.transport.receive_if_any(left) if left > 0 else None
        if data is None:
            endpoint = self.transport.endpoint
            raise TimedOut(
                "{host} did not finish a command within {seconds} seconds.",
                host=endpoint.host,
                seconds=f"{endpoint.read_timeout:g}",
            )
        return data

    def _note(self, event: Event) -> None:
        if isinstance(event, Exists):
            self.exists = event.count
            self.announced += 1
        elif isinstance(event, Expunged):
            self.exists = max(self.exists - 1, 0)
            self.expunges += 1
        elif isinstance(event, Data) and event.name == "VANISHED":
            self.expunges += 1
        elif isinstance(event, Status) and event.kind == "BYE" and not self.leaving:
            raise refusal.of_command(event)

    def _keep(self, event: Event, events: list[Event]) -> None:
        if isinstance(event, Found):
            self._keep_numbers(event, events)
            return
        self._held += self.core.event_octets
        self._refuse_if(len(events) >= self.limits.list_items or self._held > MOST_HELD)
        events.append(event)

    def _keep_numbers(self, event: Found, events: list[Event]) -> None:
        """Some servers answer SEARCH in many lines: their numbers are kept as one."""
        if self._found is None:
            self._found = event
            events.append(event)
        else:
            self._found.numbers.extend(event.numbers)
        self._refuse_if(len(self._found.numbers) > self.limits.messages)

    def _refuse_if(self, is_too_much: bool) -> None:
        if is_too_much:
            self.transport.close()
            raise ConnectFailed("The server sent a longer list than we accept.")

    def _has_room(self, waiting: dict[bytes, Planned], upcoming: Planned) -> bool:
        if not waiting:
            return True
        fits = _octets_of(waiting) + upcoming.octets <= self.limits.window
        return fits and len(waiting) < MOST_UNDER_WAY

    def _tag(self) -> bytes:
        self._count += 1
        return b"b%d" % self._count


def _octets_of(waiting: dict[bytes, Planned]) -> int:
    return sum(plan.octets for plan in waiting.values())
