"""`python -m bench.relay PORT`: a mail server far away.

Passes connections on to 127.0.0.1:PORT, and keeps whatever goes either way back for a time. The
rate is not limited, the order is kept, and a connection takes the time of its handshake. It says on
its standard output where it listens, and ends with its standard input.
"""

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

ONE_WAY = 0.040  # seconds
_MOST_ON_THE_WAY = 64 * 1024 * 1024  # octets in each direction; more than any client asks for


@contextmanager
def far(port: int, *, one_way: float = ONE_WAY) -> Iterator[int]:
    """A relay to this port in a process of its own; where it listens."""
    command = [sys.executable, "-m", "bench.relay", str(port), "--one-way", str(one_way)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def main() -> None:
    """The other process."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("port", type=int, metavar="PORT", help="of the server on this machine")
    parser.add_argument("--one-way", type=float, default=ONE_WAY, help=f"seconds ({ONE_WAY})")
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.one_way))


async def _serve(port: int, one_way: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Side(port, one_way), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


class _Side(asyncio.BufferedProtocol):
    """One end of a relayed connection. What it receives is written to the other end later."""

    def __init__(self, port: int | None, one_way: float) -> None:
        self._port = port  # None at the server's end
        self._one_way = one_way
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(256 * 1024))
        self._on_the_way: deque[tuple[float, bytes | None]] = deque()
        self._octets = 0
        self._ended = False
        self._opening: asyncio.Task[None] | None = None
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_MOST_ON_THE_WAY)
        if self._port is not None:
            transport.pause_reading()
            self._opening = self._loop.create_task(self._open(self._port))

    async def _open(self, port: int) -> None:
        """The server sees the connection after the three ways of a handshake."""
        await asyncio.sleep(3 * self._one_way)
        assert self.transport is not None
        try:
            _, self.other = await self._loop.create_connection(
                lambda: _Side(None, self._one_way), "127.0.0.1", port
            )
        except OSError:
            self.transport.abort()
            return
        self.other.other = self
        if self.transport.is_closing():
            assert self.other.transport is not None
            self.other.transport.close()
        else:
            self.transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self._send(bytes(self._buffer[:size]))
        self._octets += size
        if self._octets > _MOST_ON_THE_WAY and self.transport is not None:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._send(None)
        return True  # the other direction goes on

    def connection_lost(self, error: Exception | None) -> None:
        self._send(None)

    # -- on the way

    def _send(self, octets: bytes | None) -> None:
        if self._ended:
            return
        self._ended = octets is None
        self._on_the_way.append((self._loop.time() + self._one_way, octets))
        if len(self._on_the_way) == 1:
            self._loop.call_later(self._one_way, self._arrive)

    def _arrive(self) -> None:
        now = self._loop.time() + 0.0005
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _, octets = self._on_the_way.popleft()
            self._deliver(octets)
        if self._on_the_way:
            self._loop.call_at(self._on_the_way[0][0], self._arrive)

    def _deliver(self, octets: bytes | None) -> None:
        into = self.other.transport if self.other is not None else None
        if into is None or into.is_closing():
            return
        if octets is None:
            into.close()  # after what is still to be written
            return
        into.write(octets)
        before, self._octets = self._octets, self._octets - len(octets)
        if self._octets <= _MOST_ON_THE_WAY < before and self.transport is not None:
            self.transport.resume_reading()


if __name__ == "__main__":
    main()
