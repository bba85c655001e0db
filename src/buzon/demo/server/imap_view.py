"""What one session knows of its selected folder.

Message numbers stand still until the client is told: messages that others removed stay in `uids`
until `news` may say EXPUNGE, and new ones enter it as `news` says EXISTS (RFC 9051, 5.2 and 7.5.1).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from buzon.demo.server.imap_grammar import Bad, Range
from buzon.demo.server.store import MailFolder, StoredMessage


class Abandoned(Exception):
    """The folder is gone, or its UIDs mean something else now."""


class View:
    """A selected folder. `uids[n - 1]` is the UID of the message with number n."""

    def __init__(self, folder: MailFolder, *, read_only: bool) -> None:
        self.folder = folder
        self.read_only = read_only
        self.incarnation = folder.incarnation
        self.uids: list[int] = []
        self.recent: set[int] = set()
        self._known: dict[int, int] = {}  # UID: the modification sequence that the client knows
        self._highest_uid = 0
        self._seen_modseq = 0
        self._expunges_wait = False
        self._take_in(folder.messages)
        self._seen_modseq = folder.highest_modseq

    def flags_of(self, message: StoredMessage) -> frozenset[str]:
        """The message's flags as this session sees them, with \\Recent (RFC 3501, 2.3.2)."""
        if message.uid in self.recent:
            return message.flags | {"\\Recent"}
        return message.flags

    def knows(self, message: StoredMessage) -> None:
        """The client was told of this state of the message, or made it."""
        self._known[message.uid] = message.modseq

    def numbers(
        self, ranges: Iterable[Range], *, by_uid: bool, is_search: bool = False
    ) -> list[int]:
        """Message numbers in a set, rising, each once.

        Bad for a number that is too high; in a search it is one that matches nothing.
        """
        found: set[int] = set()
        highest = len(self.uids)
        for first, last in ranges:
            low, high = self._ends(first, last, by_uid=by_uid)
            if by_uid:
                low, high = bisect_left(self.uids, low) + 1, bisect_right(self.uids, high)
            elif is_search:
                low, high = max(low, 1), min(high, highest)
            elif high > highest or not highest:
                raise Bad("There is no message of that number.")
            found.update(range(low, high + 1))
        return sorted(found)

    def _ends(self, first: int | None, last: int | None, *, by_uid: bool) -> tuple[int, int]:
        # "*" is the last message, and 9:* means *:9 where there is no ninth (RFC 9051, seq-range).
        star = (self.uids[-1] if self.uids else 0) if by_uid else len(self.uids)
        ends = [star if end is None else end for end in (first, last)]
        return min(ends), max(ends)

    def messages(self, numbers: Iterable[int]) -> list[tuple[int, StoredMessage]]:
        """Numbers with their messages; those that others removed are left out."""
        with self.folder.store.lock:
            found = [(number, self.folder.get(self.uids[number - 1])) for number in numbers]
        return [(number, message) for number, message in found if message]

    def number_of(self, uid: int) -> int:
        """The number of the message with this UID, which the view must hold."""
        return bisect_left(self.uids, uid) + 1

    def news(self, *, expunges: bool, uids: bool, modseqs: bool) -> list[bytes]:
        """Untagged answers that bring the client up to date. Raises Abandoned.

        `uids` and `modseqs` say whether answers about flags carry these too.
        """
        with self.folder.store.lock:
            if self.folder.incarnation != self.incarnation:
                raise Abandoned
            is_same = self.folder.highest_modseq == self._seen_modseq
            if is_same and not (expunges and self._expunges_wait):
                return []
            lines = self._tell_expunges(expunges=expunges)
            messages = self.folder.messages
            lines += self._tell_flags(messages, uids=uids, modseqs=modseqs)
            lines += self._tell_new(messages)
            self._seen_modseq = self.folder.highest_modseq
            return lines

    def _tell_expunges(self, *, expunges: bool) -> list[bytes]:
        here = self.folder.get
        gone = [number for number, uid in enumerate(self.uids, start=1) if here(uid) is None]
        self._expunges_wait = bool(gone) and not expunges
        if not gone or not expunges:
            return []
        gone_uids = {self.uids[number - 1] for number in gone}
        for uid in gone_uids:
            self._known.pop(uid, None)
        self.uids = [uid for uid in self.uids if uid not in gone_uids]
        # From the last to the first, so that no number moves before it is said.
        lines = [b"* %d EXPUNGE\r\n" % number for number in reversed(gone)]
        if self.recent & gone_uids:
            self.recent -= gone_uids
            lines.append(b"* %d RECENT\r\n" % len(self.recent))
        return lines

    def _tell_flags(
        self, messages: list[StoredMessage], *, uids: bool, modseqs: bool
    ) -> list[bytes]:
        lines = []
        for message in messages:
            known = self._known.get(message.uid)
            if message.modseq <= self._seen_modseq or known in (None, message.modseq):
                continue
            self.knows(message)
            lines.append(self.flags_answer(message, uid=uids, modseq=modseqs))
        return lines

    def flags_answer(self, message: StoredMessage, *, uid: bool, modseq: bool) -> bytes:
        """The untagged FETCH that tells of a message's flags."""
        items = [b"UID %d" % message.uid] if uid else []
        items += [b"FLAGS (%b)" % " ".join(sorted(self.flags_of(message))).encode()]
        items += [b"MODSEQ (%d)" % message.modseq] if modseq else []
        return b"* %d FETCH (%b)\r\n" % (self.number_of(message.uid), b" ".join(items))

    def _tell_new(self, messages: list[StoredMessage]) -> list[bytes]:
        fresh = [message for message in messages if message.uid > self._highest_uid]
        if not fresh:
            return []
        self._take_in(fresh)
        return [b"* %d EXISTS\r\n* %d RECENT\r\n" % (len(self.uids), len(self.recent))]

    def _take_in(self, messages: list[StoredMessage]) -> None:
        self.uids += [message.uid for message in messages]
        self._known.update((message.uid, message.modseq) for message in messages)
        self._highest_uid = max(self._highest_uid, self.folder.uidnext - 1)
        self.recent.update(m.uid for m in messages if m.uid >= self.folder.recent_from)
        if not self.read_only:
            self.folder.recent_from = self.folder.uidnext
