"""The mail that the server holds, in memory, and the ledger of what clients did with it.

    Mailstore ── MailLogin ── MailFolder ── StoredMessage
        └── ledger: one Deed per message touched; commands: one Command per command received

Everything may be called from any thread: one lock per store. A StoredMessage never changes; a
change of its flags puts a new one in its place, so a list of messages is a snapshot.
"""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, MutableSequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

UidlOf = Callable[["StoredMessage"], str | bytes]


class Deed(NamedTuple):
    """What a client did to one message, or to a login.

    `what` is one of: logged-in, login-refused, selected, examined; fetched (attributes only),
    fetched-header (any part of a header), fetched-body (BODY[], or a slice of it from octet 0),
    fetched-slice (a later slice), fetched-part (TEXT or a numbered part), marked-seen (by a fetch
    without PEEK), stored, expunged, moved, copied, appended; and by POP3 retrieved, top,
    marked-deleted (DELE) and deleted (gone after QUIT). `uid` is 0 where it is about no message.
    """

    what: str
    login: str
    folder: str = ""
    uid: int = 0


class Command(NamedTuple):
    """A command as a client gave it: its name in capitals ("UID EXPUNGE"), "" before login."""

    name: str
    login: str
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One message in one folder. `octets` are exactly what was delivered."""

    uid: int
    octets: bytes
    internal_date: datetime
    flags: frozenset[str]
    uidl: str
    modseq: int


class Mailstore:
    """All logins of a server, and the ledger.

    `remembers` is how many deeds, and how many commands, are kept: the newest; None keeps all. A
    server that runs for weeks would fill the memory with them.
    """

    def __init__(self, *, remembers: int | None = None) -> None:
        self.lock = threading.RLock()
        self.logins: dict[str, MailLogin] = {}
        keep_all = remembers is None
        self.ledger: MutableSequence[Deed] = [] if keep_all else deque(maxlen=remembers)
        self.commands: MutableSequence[Command] = [] if keep_all else deque(maxlen=remembers)
        self._uidvalidity = itertools.count(1_700_000_000)

    def add_login(self, name: str, secret: str, *, delimiter: str = "/") -> "MailLogin":
        """A new login with an empty INBOX. ValueError where there is one of that name."""
        with self.lock:
            if name in self.logins:
                raise ValueError(f"There is a login {name!r} already.")
            login = MailLogin(self, name, secret, delimiter)
            self.logins[name] = login
            return login

    def deeds(self, *what: str) -> list[Deed]:
        """The ledger's entries of these kinds, in order."""
        return [deed for deed in tuple(self.ledger) if deed.what in what]

    def record(self, deeds: Iterable[Deed]) -> None:
        """Append to the ledger."""
        self.ledger.extend(deeds)

    def new_uidvalidity(self) -> int:
        """A UIDVALIDITY that no folder of this store has had."""
        return next(self._uidvalidity)


class MailLogin:
    """One login's folders. `pop3_uidl`, where set, names a message's UIDL instead of our own."""

    def __init__(self, store: Mailstore, name: str, secret: str, delimiter: str) -> None:
        self.store = store
        self.name = name
        self.secret = secret
        self.delimiter = delimiter
        self.folders: dict[str, MailFolder] = {}
        self.subscribed: set[str] = {"INBOX"}
        self.pop3_uidl: UidlOf | None = None
        self.maildrop = threading.Lock()
        self.add_folder("INBOX")

    def add_folder(self, name: str, *, special_use: str = "") -> "MailFolder":
        """A new, empty folder. ValueError where there is one of that name."""
        with self.store.lock:
            name = canonical(name)
            if name in self.folders:
                raise ValueError(f"There is a folder {name!r} already.")
            folder = MailFolder(self, name, special_use)
            self.folders[name] = folder
            return folder

    def folder(self, name: str = "INBOX") -> "MailFolder":
        """The folder of that name. KeyError where there is none."""
        return self.folders[canonical(name)]

    def find(self, name: str) -> "MailFolder | None":
        """The folder of that name, or None."""
        return self.folders.get(canonical(name))

    def remove_folder(self, name: str) -> None:
        """Delete a folder with its mail; sessions that have it selected are ended."""
        with self.store.lock:
            self.folders.pop(canonical(name)).abandon()

    def rename_folder(self, old: str, new: str) -> None:
        """Give a folder, and the folders below it, another name."""
        with self.store.lock:
            below = canonical(old) + self.delimiter
            for name in list(self.folders):
                if name == canonical(old) or name.startswith(below):
                    folder = self.folders.pop(name)
                    folder.name = new + name[len(canonical(old)) :]
                    self.folders[folder.name] = folder

    def with_special_use(self, attribute: str) -> "MailFolder | None":
        """The first folder with this attribute, such as "\\\\All"."""
        return next((f for f in tuple(self.folders.values()) if f.special_use == attribute), None)


class MailFolder:
    """Messages in order of UID.

    `incarnation` changes when UIDs lose their meaning (new UIDVALIDITY, folder deleted): a session
    that selected the folder before is then ended.
    """

    def __init__(self, login: MailLogin, name: str, special_use: str) -> None:
        self.login = login
        self.store = login.store
        self.name = name
        self.special_use = special_use
        self.uidnext = 1
        self.highest_modseq = 1
        self.recent_from = 1
        self.incarnation = 0
        self._watchers: set[Callable[[], None]] = set()
        self._by_uid: dict[int, StoredMessage] = {}
        self._uidvalidity = self.store.new_uidvalidity()

    @property
    def messages(self) -> list[StoredMessage]:
        """A snapshot, in order of UID."""
        with self.store.lock:
            return list(self._by_uid.values())

    @property
    def uidvalidity(self) -> int:
        """Set it to make every UID that clients know worthless; the UIDs stay."""
        return self._uidvalidity

    @uidvalidity.setter
    def uidvalidity(self, value: int) -> None:
        with self.store.lock:
            self._uidvalidity = value
            self.abandon()

    def get(self, uid: int) -> StoredMessage | None:
        """The message with this UID, or None."""
        return self._by_uid.get(uid)

    def deliver(
        self,
        octets: bytes,
        *,
        internal_date: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> int:
        """Add a message; its UID. The internal date is the present time where none is given."""
        if internal_date is not None and internal_date.tzinfo is None:
            raise ValueError("An internal date needs a time zone.")
        when = internal_date or datetime.now(UTC).replace(microsecond=0)
        with self.store.lock:
            uid = self._add(bytes(octets), when, frozenset(flags))
            self._changed()
            return uid

    def copy_in(self, messages: Iterable[StoredMessage]) -> list[int]:
        """Add copies of messages with their flags and internal dates; their UIDs here."""
        with self.store.lock:
            uids = [self._add(m.octets, m.internal_date, m.flags) for m in messages]
            self._changed()
            return uids

    def _add(self, octets: bytes, internal_date: datetime, flags: frozenset[str]) -> int:
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self._by_uid[uid] = StoredMessage(
            uid=uid,
            octets=octets,
            internal_date=internal_date,
            flags=flags,
            uidl=f"{uid:08x}{self._uidvalidity:08x}",
            modseq=self._next_modseq(),
        )
        return uid

    def set_flags(self, uid: int, flags: Iterable[str]) -> StoredMessage:
        """Put other flags on a message; what it is now. KeyError where there is none."""
        with self.store.lock:
            before = self._by_uid[uid]
            if before.flags == (after := frozenset(flags)):
                return before
            message = replace(before, flags=after, modseq=self._next_modseq())
            self._by_uid[uid] = message
            self._changed()
            return message

    def expunge(self, *uids: int) -> list[int]:
        """Remove messages; those of the UIDs that were there."""
        with self.store.lock:
            gone = [uid for uid in uids if self._by_uid.pop(uid, None)]
            if gone:
                self._next_modseq()
                self._changed()
            return gone

    def reset_uids(self) -> None:
        """The same mail under a new UIDVALIDITY, with other UIDs and UIDLs."""
        with self.store.lock:
            kept, first = self.messages, self.uidnext
            self._uidvalidity = self.store.new_uidvalidity()
            self._by_uid = {}
            # Numbers start elsewhere, so that a client that confuses the old with the new shows.
            self.uidnext = first + 1
            for message in kept:
                self._add(message.octets, message.internal_date, message.flags)
            self.abandon()

    def abandon(self) -> None:
        """End every session that has this folder selected."""
        with self.store.lock:
            self.incarnation += 1
            self._changed()

    def watch(self, wake: Callable[[], None]) -> None:
        """Have this called, by whichever thread, after every change."""
        with self.store.lock:
            self._watchers.add(wake)

    def unwatch(self, wake: Callable[[], None]) -> None:
        """Have it called no more."""
        with self.store.lock:
            self._watchers.discard(wake)

    def _next_modseq(self) -> int:
        self.highest_modseq += 1
        return self.highest_modseq

    def _changed(self) -> None:
        for wake in self._watchers:
            wake()


def canonical(name: str) -> str:
    """A folder's name with INBOX in capitals: it alone is case-insensitive (RFC 9051, 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name
