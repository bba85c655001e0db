"""A logged-in IMAP session: the verbs that collecting and settling need, and no others.

    open ─► (logged in) ─► examine / select ─► (a folder) ─► listing, headers, messages, mark …
                 ▲                                   │
                 └────────────── unselect ───────────┘

There is deliberately no EXPUNGE and no CLOSE here: both remove what others marked for deletion.
"""

import contextlib
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from types import TracebackType

from buzon.wire.argument import FOLDER, encoded
from buzon.wire.endpoint import Credentials, Endpoint, Limits
from buzon.wire.errors import FolderMissing, Gone, MailError, Malformed, NotPermitted
from buzon.wire.imap import folders, login, refusal, retrieve, search, uid_set
from buzon.wire.imap.command import Pieces, folder, joined
from buzon.wire.imap.connection import Connection, Planned
from buzon.wire.imap.events import Fetched, Status
from buzon.wire.imap.internal_date import internal_date
from buzon.wire.imap.structure import Part, read_structure
from buzon.wire.imap.tokens import octet_count
from buzon.wire.imap.values import (
    Changed,
    Changes,
    FolderInfo,
    Header,
    Listed,
    Retrieved,
    Selected,
    Wanted,
)
from buzon.wire.transport import Transport

# RFC 9051 section 6.3.13: an IDLE is renewed at least every 29 minutes.
LONGEST_IDLE = 29 * 60.0

# What a listing says of one message: number, UID, size and date.
LISTED_OCTETS = 100


class ImapSession:
    """One login on one connection; used by one thread at a time, and as a context manager.

    Every method raises TimedOut, ConnectFailed, ServerBusy and Throttled, after which a session
    whose connection ended is of no more use. Control characters in an argument are NotPermitted
    before anything is sent.
    """

    def __init__(self, connection: Connection, capabilities: frozenset[str]) -> None:
        self.capabilities = capabilities
        self.server_id: dict[str, str] = {}
        self.utf8 = False
        self.selected: Selected | None = None
        self._connection = connection
        self._raw_names: dict[str, bytes] = {}
        self._told = (0, 0)

    @classmethod
    def open(
        cls,
        endpoint: Endpoint,
        credentials: Credentials,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        compress: bool = False,
    ) -> "ImapSession":
        """Connect, encrypt, log in, and agree on what the server offers (ID, UTF-8, DEFLATE).

        Raises AuthRejected, TlsRefused, NotPermitted and the transient errors.
        """
        login.check(credentials)
        transport = Transport.connect(endpoint)
        try:
            connection = Connection(transport, limits)
            session = cls(connection, login.log_in(connection, credentials))
            session._introduce()
            session._enable_utf8()
            if compress:
                session._compress()
        except BaseException:
            transport.close()
            raise
        return session

    def __enter__(self) -> "ImapSession":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.logout()
        self.close()

    def has(self, name: str) -> bool:
        """Whether the server offers this capability, in any case."""
        return name.upper() in self.capabilities

    @property
    def is_gmail(self) -> bool:
        """Gmail, where a message has labels and deleting it archives it."""
        return self.has("X-GM-EXT-1")

    @property
    def exists(self) -> int:
        """How many messages the open folder holds, as last told."""
        return self._connection.exists

    @property
    def bytes_in(self) -> int:
        """Octets received on this connection, as on the wire."""
        return self._connection.transport.bytes_in

    def folders(self) -> list[FolderInfo]:
        """All folders of this login, in the server's order, each name once."""
        extended = self.has("LIST-EXTENDED") and self.has("SPECIAL-USE")
        command = b'LIST "" "*" RETURN (SPECIAL-USE)' if extended else b'LIST "" "*"'
        answer = self._connection.run(command)
        found, raw = folders.listed(answer.data("LIST"), utf8=self.utf8)
        self._raw_names.update(raw)
        return found

    def examine(self, name: str) -> Selected:
        """Open a folder read-only. Raises FolderMissing, NotPermitted."""
        return self._open_folder(b"EXAMINE", name)

    def select(self, name: str) -> Selected:
        """Open a folder for reading and marking; the server may still open it read-only, and
        `Selected.read_only` says so. Raises FolderMissing, NotPermitted."""
        return self._open_folder(b"SELECT", name)

    def next_uid(self, name: str) -> int | None:
        """The UID of the folder's next message, without opening it; None where that is not told."""
        answer = self._connection.ask(joined(b"STATUS", self._folder(name), b"(UIDNEXT)"))
        return folders.next_uid(answer.data("STATUS"))

    def unselect(self) -> None:
        """Leave the open folder without removing anything from it."""
        opened = self.selected
        if opened is None:
            return
        if self.has("UNSELECT"):
            self._connection.run(b"UNSELECT")
        elif not opened.read_only:
            # CLOSE would expunge (RFC 9051 section 6.4.1); a read-only folder cannot be.
            self.examine(opened.name)
        self.selected = None

    def listing(self, first: int = 1, last: int | None = None) -> list[Listed]:
        """UID, size and internal date of the messages first..last (None: to the end), sorted."""
        self._need_folder()
        if self._is_empty():
            return []
        line = b"UID FETCH %b (UID RFC822.SIZE INTERNALDATE)" % search.span(first, last)
        found = {
            uid: Listed(
                uid,
                octet_count(event.items.get("RFC822.SIZE")),
                internal_date(event.items.get("INTERNALDATE")),
            )
            for uid, event in self._fetched(line)
            # "7:*" means the last message even where its UID is 5 (RFC 9051 section 9).
            if search.within(uid, first, last)
        }
        return [found[uid] for uid in sorted(found)]

    def uids(self, first: int = 1, last: int | None = None) -> "array[int]":
        """The UIDs first..last (None: to the end) that exist, sorted; 4 octets each."""
        self._need_folder()
        if self._is_empty():
            return array("I")
        return search.uids(self._connection, self.capabilities, first, last)

    def headers(self, uids: Sequence[int], *, look: bool = False) -> Iterator[Header]:
        """One Header for each UID, pipelined; one that is gone carries its error. To `look` asks
        in the same breath what else happened, which `changes` then tells."""
        self._need_folder()
        return retrieve.headers(self._connection, uids, look=look)

    def header(self, uid: int) -> Header:
        """The Header of one message. Raises Gone, Malformed, TooLarge."""
        header = next(iter(self.headers([uid])))
        if header.error is not None:
            raise header.error
        return header

    def messages(self, wanted: Sequence[Wanted], *, look: bool = False) -> Iterator[Retrieved]:
        """One Retrieved for each wanted message, pipelined within `limits.window` octets.

        The small ones come first; those above `limits.spool_above` come as a file that the
        caller closes. Nothing is marked as read. Stopping early is allowed; another command of
        this session ends the iteration with a RuntimeError.
        """
        self._need_folder()
        return retrieve.messages(self._connection, wanted, look=look)

    def structure(self, uid: int) -> Part:
        """What a message is made of, without its octets. Raises Gone, Malformed."""
        self._need_folder()
        for found, event in self._fetched(b"UID FETCH %d (UID BODYSTRUCTURE)" % uid):
            if found == uid and event.broken:
                raise Malformed("The server describes this message in a way that makes no sense.")
            if found == uid and "BODYSTRUCTURE" in event.items:
                return read_structure(event.items["BODYSTRUCTURE"])
        raise Gone("The message is no longer on the server.")

    def changed_since(self, modseq: int) -> list[Changed]:
        """Those whose flags changed after `modseq` (RFC 7162). NotPermitted without CONDSTORE."""
        self._need_folder()
        self._need("CONDSTORE")
        line = b"UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %d)" % modseq
        changed = (search.changed(uid, event) for uid, event in self._fetched(line))
        return sorted((one for one in changed if one is not None), key=lambda one: one.uid)

    def mark_seen(self, uids: Iterable[int]) -> None:
        """Set \\Seen on these messages. NotPermitted in a folder opened read-only."""
        self._store(rb"+FLAGS.SILENT (\Seen)", uids)

    def mark_deleted(self, uids: Iterable[int]) -> None:
        """Set \\Deleted on these messages. NotPermitted in a folder opened read-only."""
        self._store(rb"+FLAGS.SILENT (\Deleted)", uids)

    def unmark_deleted(self, uids: Iterable[int]) -> None:
        """Take \\Deleted off these messages. NotPermitted in a folder opened read-only."""
        self._store(rb"-FLAGS.SILENT (\Deleted)", uids)

    def expunge(self, uids: Iterable[int]) -> None:
        """Remove those of these messages that are marked \\Deleted (UIDPLUS, else NotPermitted)."""
        self._need_writable()
        self._need("UIDPLUS")
        for line in uid_set.written(uids):
            self._connection.change(b"UID EXPUNGE " + line)

    def move(self, uids: Iterable[int], name: str) -> None:
        """Move these messages to another folder (MOVE, else NotPermitted). FolderMissing."""
        self._need_writable()
        self._need("MOVE")
        for line in uid_set.written(uids):
            command = joined(b"UID MOVE", line, self._folder(name))
            self._connection.change(command, refused=partial(refusal.of_folder, name))

    def noop(self) -> Changes:
        """Ask what happened since this was last told."""
        self._connection.run(b"NOOP")
        return self.changes()

    def changes(self) -> Changes:
        """What was told since the last time this was asked."""
        before, self._told = self._told, self._state()
        announced = self._told[0] != before[0]
        return Changes(self.exists if announced else None, self._told[1] != before[1])

    def idle(self, seconds: float) -> Changes:
        """Wait until something happens in the open folder, or `seconds` (29 minutes at most).

        Returns at once when something happened that was not told yet. NotPermitted without IDLE;
        ConnectFailed when the connection ends meanwhile.
        """
        self._need_folder()
        self._need("IDLE")
        connection = self._connection
        connection.drain()
        tag = connection.begin(b"IDLE")
        begun = connection.until_continuation(tag, [])
        if isinstance(begun, Status):
            raise refusal.of_command(begun)
        if not self._wait(tag, min(seconds, LONGEST_IDLE)):
            connection.send(b"DONE\r\n")
            ended = connection.until_end(tag, [])
            if ended.kind != "OK":
                raise refusal.of_command(ended)
        return self.changes()

    def logout(self) -> None:
        """Say goodbye where the server still listens; never raises. The connection is closed."""
        self._connection.leaving = True
        if not self._connection.is_busy:
            with contextlib.suppress(MailError):
                self._connection.ask(b"LOGOUT")
        self.close()

    def close(self) -> None:
        """Drop the connection; safe at any time."""
        self._connection.transport.close()

    def abort(self) -> None:
        """End the connection under the thread that uses the session; from any thread."""
        self._connection.transport.abort()

    def _introduce(self) -> None:
        if not self.has("ID"):
            return
        answer = self._connection.ask(
            b'ID ("name" "buzon" "version" "%b")' % version("buzon").encode()
        )
        self.server_id = folders.server_id(answer.data("ID"))

    def _enable_utf8(self) -> None:
        if not self.has("ENABLE") or not (self.has("UTF8=ACCEPT") or self.has("UTF8=ONLY")):
            return
        answer = self._connection.ask(b"ENABLE UTF8=ACCEPT")
        self.utf8 = any(
            isinstance(word, bytes) and word.upper() == b"UTF8=ACCEPT"
            for data in answer.data("ENABLED")
            for word in data.values
        )

    def _compress(self) -> None:
        if not self.has("COMPRESS=DEFLATE"):
            return
        connection = self._connection
        if connection.ask(b"COMPRESS DEFLATE").status.kind == "OK":
            connection.transport.start_deflate(connection.core.take_unread())

    def _open_folder(self, verb: bytes, name: str) -> Selected:
        arguments: list[bytes | Pieces] = [verb, self._folder(name)]
        if self.has("CONDSTORE"):
            arguments.append(b"(CONDSTORE)")
        # A failed SELECT leaves no folder open either (RFC 9051 section 6.3.2).
        self.selected = None
        self._connection.exists = 0
        answer = self._connection.run(joined(*arguments), refused=partial(refusal.of_folder, name))
        self.selected = folders.selected(
            name, answer, exists=self.exists, examined=verb == b"EXAMINE"
        )
        self.changes()
        return self.selected

    def _folder(self, name: str) -> Pieces:
        name = "INBOX" if name.upper() == "INBOX" else name
        if not name:
            raise FolderMissing("A folder needs a name.")
        encoded(name, FOLDER)
        raw = self._raw_names.get(name)
        return folder(name, raw=raw, capabilities=self.capabilities, utf8=self.utf8)

    def _fetched(self, line: bytes) -> Iterator[tuple[int, Fetched]]:
        """The FETCH responses of one command that name their UID, as they come."""
        most = self._connection.limits.messages
        told = 0
        plan = Planned(line, LISTED_OCTETS * min(self.exists, most), ())
        for event in self._connection.stream([plan]):
            if isinstance(event, Fetched):
                told += 1
                if told > most:
                    self.close()
                    raise NotPermitted("The mailbox holds over {most} messages.", most=most)
                uid = event.items.get("UID")
                if isinstance(uid, int):
                    yield uid, event
            elif event.status.kind != "OK":
                raise refusal.of_command(event.status)

    def _store(self, change: bytes, uids: Iterable[int]) -> None:
        self._need_writable()
        for line in uid_set.written(uids):
            self._connection.change(b"UID STORE %b %b" % (line, change))

    def _wait(self, tag: bytes, seconds: float) -> bool:
        """Until something is told, or the time is over; True when the server ended the IDLE."""
        deadline = time.monotonic() + seconds
        while self._told == self._state():
            event = self._connection.next_within(max(deadline - time.monotonic(), 0))
            if isinstance(event, Status) and event.tag == tag:
                self._connection.ended(event)
                return True
            if time.monotonic() >= deadline:
                break
        return False

    def _state(self) -> tuple[int, int]:
        return self._connection.announced, self._connection.expunges

    def _is_empty(self) -> bool:
        """Whether there is nothing to list: some servers refuse a FETCH in an empty folder."""
        if not self.exists:
            self._connection.run(b"NOOP")
        return not self.exists

    def _need_folder(self) -> None:
        if self.selected is None:
            raise NotPermitted("No folder is open.")

    def _need_writable(self) -> None:
        if self.selected is None or self.selected.read_only:
            raise NotPermitted("The folder is open read-only.")

    def _need(self, capability: str) -> None:
        if not self.has(capability):
            raise NotPermitted("The server does not offer {capability}.", capability=capability)
