"""Commands out and replies in, in step: the core on a transport."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ServerBusy
from buzon.wire.pop3.core import Challenge, Core, End, Event, Reply, Shape
from buzon.wire.transport import Transport

# Commands under way at most. Each is under 20 octets, so that they fit into the server's receive
# buffer while it is busy sending to us: otherwise both sides could wait for the other for ever.
DEPTH = 256


@dataclass(frozen=True, slots=True)
class Command:
    """One command with its reply's shape; `cost` is how many octets the reply may be."""

    line: bytes
    shape: Shape
    cost: int = 0


class Channel:
    """One POP3 conversation. Any error but a MessageError ends it: the transport is closed."""

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self.transport = transport
        self.limits = limits
        self._core = Core(limits)
        self._events: deque[Event] = deque()
        self._turn = 0

    def greeting(self) -> Reply:
        """The first line, which no command asked for."""
        self._core.expect(Shape.LINE)
        return self.reply()

    def ask(self, line: bytes, shape: Shape = Shape.LINE) -> Reply:
        """Send one command; its status line. The body of a BODY is still to be read."""
        self.send(Command(line, shape))
        return self.reply()

    def send(self, *commands: Command) -> None:
        """Begin anew: what an abandoned iteration left on its way is read and thrown away."""
        self._turn += 1
        self._settle()
        self._write(commands)

    def ahead(self, commands: Sequence[Command], *, depth: int, window: int) -> Iterator[int]:
        """Send `commands` ahead of their replies; yields each one's place when its reply is next.

        At most `depth` are under way, and at most `window` octets of replies, but always one. The
        caller reads each reply whole before going on.
        """
        self._turn += 1
        turn = self._turn
        self._settle()
        sent, under_way = 0, 0
        for place, command in enumerate(commands):
            self._must_be(turn)
            if sent - place <= depth // 2 and (sent == place or under_way <= window // 2):
                last = _reach(commands, sent, depth=place + depth, window=window - under_way)
                last = max(last, place + 1)
                under_way += sum(each.cost for each in commands[sent:last])
                self._write(commands[sent:last])
                sent = last
            self.transport.patience.begin(under_way)
            yield place
            under_way -= command.cost

    def reply(self) -> Reply:
        """The next status line. ServerBusy when the server sends something else."""
        event = self._next()
        if isinstance(event, Reply):
            return event
        raise self._confused()

    def reply_or_challenge(self) -> Reply | Challenge:
        """The next step of a SASL dialogue."""
        event = self._next()
        if isinstance(event, Reply | Challenge):
            return event
        raise self._confused()

    def pieces(self) -> Iterator[bytes]:
        """The body of the reply whose status line was read, in pieces."""
        turn = self._turn
        while True:
            self._must_be(turn)
            event = self._next()
            if isinstance(event, End):
                return
            if not isinstance(event, bytes):
                raise self._confused()
            yield event

    def body(self, most: int) -> bytes:
        """The whole body; ServerBusy when it is over `most` octets."""
        taken, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > most:
                self.close()
                raise ServerBusy("The server sent a list of over {most} octets.", most=most)
            taken.append(piece)
        return b"".join(taken)

    def start_tls(self) -> None:
        """TLS, and a core that knows nothing of what was said before (RFC 2595 §4)."""
        self.transport.start_tls(self._core.unread)
        self._core = Core(self.limits)

    def close(self) -> None:
        """Drop the connection, without a word."""
        self.transport.close()

    def _must_be(self, turn: int) -> None:
        if turn != self._turn:
            raise RuntimeError("this iteration was abandoned: another command was sent since")

    def _settle(self) -> None:
        size = 0
        self.transport.patience.begin(self.limits.window)
        while self._core.expected or self._events:
            event = self._next()
            size += len(event) if isinstance(event, bytes) else 0
            if size > self.limits.message:
                raise self._confused()
        if self._core.unread:
            said = self._core.unread[:500].decode("utf-8", "replace")
            self.close()
            raise ServerBusy("The server spoke without being asked.", answer=said)

    def _write(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._core.expect(command.shape)
        self.transport.patience.begin()
        try:
            self.transport.send(b"".join(command.line + b"\r\n" for command in commands))
        except BaseException:
            self.close()
            raise

    def _next(self) -> Event:
        try:
            while not self._events:
                self._core.check()
                self._events.extend(self._core.feed(self.transport.receive()))
        except BaseException:
            self.close()
            raise
        return self._events.popleft()

    def _confused(self) -> ServerBusy:
        self.close()
        return ServerBusy("The server's answers do not fit our commands.")


def _reach(commands: Sequence[Command], start: int, *, depth: int, window: int) -> int:
    """How far to send: the place after the last command that the window and the depth allow."""
    last = start
    while last < min(len(commands), depth) and commands[last].cost <= window:
        window -= commands[last].cost
        last += 1
    return last
