"""Reading messages in a process of its own, with limits of time and memory.

For messages whose last attempt left no outcome: one of them may have killed its reader. A child
reads one after another; when it dies, the message it was at is the one, and the next gets a new
child. The child is this very module; it knows nothing of the database.

    parent ── 8 octets of length, the message ──▶ child
           ◀── 8 octets of length, the pickled Reading ──
"""

import contextlib
import pickle
import resource
import subprocess
import sys
import threading
from typing import IO, Self

from buzon.wire.reading import Reading, read


class ReaderDied(Exception):
    """The child did not come back with a reading; the sentence says how it ended."""


class ApartReader:
    """Reads in children that may use `seconds` of processor time for each message."""

    def __init__(self, *, seconds: int, megabytes: int) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, octets: bytes) -> Reading:
        """The reading of `octets`. Raises ReaderDied."""
        child = self._child or self._start()
        # Processor time has its own limit; this one is for a child that only waits.
        alarm = threading.Timer(self._seconds * 4 + 10, child.kill)
        alarm.start()
        try:
            answer = _ask(child, octets)
        except (OSError, EOFError):
            raise ReaderDied(f"The reader died ({self._end()}).") from None
        finally:
            alarm.cancel()
        reading = pickle.loads(answer)  # noqa: S301 - written by this module's own main()
        if not isinstance(reading, Reading):
            raise ReaderDied("The reader had too little memory.")
        return reading

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "buzon.intake.reader"]
        limits = [str(self._seconds), str(self._megabytes)]
        self._child = subprocess.Popen(  # noqa: S603
            [*command, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        return self._child

    def _end(self) -> str:
        child, self._child = self._child, None
        if child is None:
            return "not started"
        for pipe in (child.stdin, child.stdout):
            _close(pipe)
        try:
            status = child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            status = child.wait()
        return f"status {status}"


def _close(pipe: IO[bytes] | None) -> None:
    # What was not yet written is of no use to a dead child.
    with contextlib.suppress(BrokenPipeError):
        if pipe is not None:
            pipe.close()


def _ask(child: "subprocess.Popen[bytes]", octets: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise EOFError
    child.stdin.write(len(octets).to_bytes(8, "big"))
    child.stdin.write(octets)
    child.stdin.flush()
    return _take(child.stdout)


def _take(stream: IO[bytes]) -> bytes:
    """One length and as many octets. Raises EOFError."""
    length = stream.read(8)
    if len(length) < 8:
        raise EOFError
    octets = stream.read(int.from_bytes(length, "big"))
    if len(octets) < int.from_bytes(length, "big"):
        raise EOFError
    return octets


def main() -> None:
    """The child: messages on standard input, readings on standard output, until the input ends."""
    seconds, megabytes = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            octets = _take(sys.stdin.buffer)
        except EOFError:
            return
        _allow(seconds)
        try:
            answer = pickle.dumps(read(octets))
        except MemoryError:
            answer = pickle.dumps(None)
        sys.stdout.buffer.write(len(answer).to_bytes(8, "big") + answer)
        sys.stdout.buffer.flush()


def _allow(seconds: int) -> None:
    """From now on, so many more seconds of processor time: RLIMIT_CPU counts from the start."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
