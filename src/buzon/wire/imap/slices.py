"""A big message, fetched in slices to a file, so that it never lies in memory whole."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, cast

from buzon.wire.errors import Gone, Malformed, MessageError, TooLarge
from buzon.wire.imap import refusal
from buzon.wire.imap.connection import Connection, Finished, Planned
from buzon.wire.imap.events import Fetched, Value
from buzon.wire.imap.internal_date import internal_date
from buzon.wire.imap.values import Retrieved


def message_in_slices(connection: Connection, uid: int, size: int) -> Retrieved:
    """The message, whose size the server gave as `size`; the end is where a slice comes short.

    The octets are a spooled file at its beginning. Errors about the message are in the result.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=connection.limits.spool_above)  # noqa: SIM115
    slicing = _Slicing(connection, uid, cast(BinaryIO, spool))
    try:
        slicing.fetch(size)
    except MessageError as error:
        spool.close()
        return Retrieved(uid, b"", 0, slicing.date, error)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return Retrieved(uid, cast(BinaryIO, spool), slicing.written, slicing.date)


class _Slicing:
    """One message on its way; `written` octets of it are in the file."""

    def __init__(self, connection: Connection, uid: int, file: BinaryIO) -> None:
        self.date: datetime | None = None
        self.written = 0
        self._connection = connection
        self._uid = uid
        self._file = file
        self._ended = False

    def fetch(self, size: int) -> None:
        """Everything up to `size` with several slices under way, and on until one comes short."""
        self._run(self._plans(0, size))
        while not self._ended:
            self._run(self._plans(self.written, self.written + 1))

    def _plans(self, begin: int, end: int) -> Iterator[Planned]:
        length = self._connection.limits.slice
        for offset in range(begin, max(end, begin + 1), length):
            items = b"UID INTERNALDATE BODY.PEEK[]<%d.%d>" % (offset, length)
            line = b"UID FETCH %d (%b)" % (self._uid, items)
            yield Planned(line, length, (self._uid,), offset)

    def _run(self, plans: Iterator[Planned]) -> None:
        for event in self._connection.stream(plans):
            if isinstance(event, Fetched):
                self._take(event)
            else:
                self._check(event)

    def _take(self, event: Fetched) -> None:
        """Write the slice that `event` brings, if it is about this message's octets."""
        if event.items.get("UID") != self._uid:
            return
        if event.broken:
            raise Malformed("The server's answer for this message makes no sense.")
        self.date = self.date or internal_date(event.items.get("INTERNALDATE"))
        for name, octets in event.items.items():
            if name.startswith("BODY[]"):
                self._append(name, octets)

    def _append(self, name: str, octets: Value) -> None:
        length = self._connection.limits.slice
        if octets is None and not self.written:
            raise Gone("The server no longer has the octets of this message.")
        octets = octets or b""
        if not isinstance(octets, bytes) or len(octets) > length:
            raise Malformed("The server does not send this message in slices.")
        if octets and name != f"BODY[]<{self.written}>":  # also what comes behind a short slice
            raise Malformed("The server sent the slices of this message out of order.")
        self._file.write(octets)
        self.written += len(octets)
        self._ended = self._ended or len(octets) < length
        if self.written > self._connection.limits.message:
            raise TooLarge(
                "The message has over {size} octets, more than the limit.", size=self.written - 1
            )

    def _check(self, finished: Finished) -> None:
        if finished.status.kind != "OK":
            raise refusal.of_message(finished.status)
        if not self._ended and self.written <= finished.plan.offset:
            raise Gone("The message is no longer on the server.")
