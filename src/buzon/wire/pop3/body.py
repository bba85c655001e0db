"""The octets of one message on their way in: in memory, or in a file when it is big."""

import shutil
import tempfile
from collections.abc import Iterable
from functools import partial
from typing import BinaryIO, cast

from buzon.wire.errors import MessageError, ServerBusy, TooLarge

# What is over the limit is read and forgotten up to twice the limit, and to 64 MiB in any case.
DRAINED_AT_LEAST = 64 * 1_048_576


class Body:
    """Takes the pieces of one message. `octets` is bytes, or a file at its beginning above
    `spool_above` octets; `size` in octets.

    A message that turns out larger than `most` is read to its end, so that the session goes on,
    but not kept: then `error` is TooLarge.
    """

    def __init__(self, *, most: int, spool_above: int) -> None:
        self.size = 0
        self.error: MessageError | None = None
        self._most = most
        self._spool_above = spool_above
        self._pieces: list[bytes] = []
        self._file: BinaryIO | None = None

    def take(self, pieces: Iterable[bytes]) -> None:
        """All of the pieces. ServerBusy when the server comes to no end at all, OSError when the
        temporary file cannot be written; the file is closed on any error."""
        try:
            for piece in pieces:
                self._take(piece)
        except BaseException:
            self._discard()
            raise

    def mend(self, listed_size: int) -> None:
        """Undo what POP3, or Dovecot, did at either end, where the size in LIST proves it.

        A message that does not end with CRLF gets one (RFC 1939 §3): two octets more than listed.
        Dovecot 2.3 sends a first line that begins with two dots as it is, so that one was taken
        for stuffing: one octet less than listed.
        """
        if self.size - listed_size in (-1, 1) and self._begins_with_dot():
            self._put_dot_before()
        if self.size == listed_size + 2 and self._line_end_was_added():
            self._drop_line_end()

    def octets(self) -> bytes | BinaryIO:
        """The whole; whoever asks closes the file."""
        if self._file is None:
            return self.in_memory()
        self._file.seek(0)
        return self._file

    def in_memory(self) -> bytes:
        """The whole, of a body that is not spooled."""
        return b"".join(self._pieces)

    def _take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._most:
            self._refuse()
        elif self._file is not None:
            self._file.write(piece)
        else:
            self._pieces.append(piece)
            self._spool_if_big()

    def _refuse(self) -> None:
        self.error = too_large(self._most)
        self._discard()
        if self.size > max(2 * self._most, DRAINED_AT_LEAST):
            raise ServerBusy("The server sends a message without an end.")

    def _spool_if_big(self) -> None:
        if self.size <= self._spool_above:
            return
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
        self._file.writelines(self._pieces)
        self._pieces = []

    def _discard(self) -> None:
        self._pieces = []
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begins_with_dot(self) -> bool:
        if self._file is None:
            return self.in_memory().startswith(b".")
        self._file.seek(0)
        return self._file.read(1) == b"."

    def _put_dot_before(self) -> None:
        """A spooled one is copied: this is too rare to be quick about."""
        self.size += 1
        if self._file is None:
            self._pieces.insert(0, b".")
            return
        with self._file as shorter:
            self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
            self._file.write(b".")
            shorter.seek(0)
            shutil.copyfileobj(shorter, self._file)

    def _line_end_was_added(self) -> bool:
        """Not where there are two line ends: a server that counts each as one octet, as some do,
        would list the same size."""
        last, line_ends = b"", 0
        for chunk in self._chunks():
            last, line_ends = last[-1:] + chunk[-2:], line_ends + chunk.count(b"\n")
        return last.endswith(b"\r\n") and line_ends != 2

    def _chunks(self) -> Iterable[bytes]:
        if self._file is None:
            return (self.in_memory(),)
        self._file.seek(0)
        return iter(partial(self._file.read, 1_048_576), b"")

    def _drop_line_end(self) -> None:
        self.size -= 2
        if self._file is None:
            self._pieces = [self.in_memory()[:-2]]
        else:
            self._file.truncate(self.size)


def too_large(most: int) -> TooLarge:
    """The error for a message over the limit."""
    return TooLarge("The message is larger than {most} octets.", most=most)
