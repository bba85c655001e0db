"""Servers that send without measure: each ends in a refusal, and in a memory that is bounded.

The limits are those of the product, but where a test says so.
"""

import contextlib
import socket
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from buzon.wire import patience
from buzon.wire.endpoint import Endpoint, Limits, Security
from buzon.wire.errors import (
    ConnectFailed,
    MailError,
    NotPermitted,
    ServerBusy,
    TimedOut,
    TooLarge,
)
from buzon.wire.imap import ImapSession, Wanted, connection
from buzon.wire.imap.search import MOST_RUNS
from buzon.wire.pop3 import Listing, Pop3Session
from tests.wire.imap.odd_server import ANA, GREETING, USUAL
from tests.wire.scripted import line_from, scripted

MIB = 1_048_576
FOR_EVER = 1_000_000
MANY = b"* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 9]\r\nTAG OK\r\n"


@contextlib.contextmanager
def memory_below(octets: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < octets, f"{most:,} octets"


class Flood:
    """Answers as `replies` say; to the command that begins with `command` it says `first`, then
    `times` times `piece`, then `last`.
    """

    def __init__(
        self,
        command: bytes,
        piece: bytes,
        *,
        times: int = FOR_EVER,
        first: bytes = b"",
        last: bytes = b"",
    ) -> None:
        self.command, self.piece, self.times = command, piece, times
        self.first, self.last = first, last
        self.replies: dict[bytes, bytes] = {}
        self.greeting = b""

    def __call__(self, peer: socket.socket) -> None:
        peer.sendall(self.greeting)
        while line := line_from(peer):
            tag, _, command = line.rstrip().partition(b" ")
            if self.greeting.startswith(b"+"):
                command = line.rstrip()
            if command.startswith(self.command):
                self.pour(peer, tag)
                continue
            reply = next((r for key, r in self.replies.items() if command.startswith(key)), b"")
            peer.sendall(reply.replace(b"TAG", tag))

    def pour(self, peer: socket.socket, tag: bytes) -> None:
        peer.sendall(self.first)
        for _ in range(self.times):
            peer.sendall(self.piece)
        peer.sendall(self.last.replace(b"TAG", tag))


def place(port: int) -> Endpoint:
    return Endpoint(
        host="127.0.0.1", port=port, allow_private=True, security=Security.NONE, read_timeout=2
    )


@contextlib.contextmanager
def imap(
    flood: Flood, *, limits: Limits | None = None, select: bytes = USUAL[b"SELECT"]
) -> Iterator[ImapSession]:
    flood.greeting = GREETING
    flood.replies = USUAL | {b"SELECT": select} | flood.replies
    with scripted(flood) as port:
        session = ImapSession.open(place(port), ANA, limits or Limits())
        try:
            session.select("INBOX")
            yield session
        finally:
            session.close()


@contextlib.contextmanager
def pop3(flood: Flood, *, limits: Limits | None = None) -> Iterator[Pop3Session]:
    flood.greeting = b"+OK\r\n"
    capa = b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n"
    usual = {b"CAPA": capa, b"USER": b"+OK\r\n", b"PASS": b"+OK\r\n", b"NOOP": b"+OK\r\n"}
    flood.replies = usual | flood.replies
    with scripted(flood) as port, Pop3Session.open(place(port), ANA, limits) as session:
        yield session


class TestImap:
    @pytest.mark.parametrize(
        ("begins", "kind"),
        [(b"* OK ", ConnectFailed), (b"* LIST ", ConnectFailed), (b"* SEARCH ", ConnectFailed)],
    )
    def test_a_line_without_end(self, begins: bytes, kind: type[MailError]) -> None:
        flood = Flood(b"NOOP", b"1234567 " * 8_192, first=begins)
        with memory_below(80 * MIB), imap(flood) as session, pytest.raises(kind, match="longer"):
            session.noop()

    @pytest.mark.parametrize("unit", [b"(", b")", b"()", b"[", b"a[", b"a ", b'"', b'"" ', b"{"])
    def test_a_million_of_them_in_one_line(self, unit: bytes) -> None:
        line = b"* LIST " + unit * (1_000_000 // len(unit)) + b"\r\n"
        flood = Flood(b"LIST", line, times=1, last=b"TAG OK\r\n")
        with memory_below(40 * MIB), imap(flood) as session:
            assert session.folders() == []

    @pytest.mark.parametrize("unit", [b"(", b"()", b"[", b"a[", b"a "])
    def test_a_structure_of_a_million_of_them(self, unit: bytes) -> None:
        line = b"* 1 FETCH (UID 1 BODYSTRUCTURE " + unit * (1_000_000 // len(unit)) + b")\r\n"
        flood = Flood(b"UID FETCH", line, times=1, last=b"TAG OK\r\n")
        with memory_below(40 * MIB), imap(flood) as session, pytest.raises(MailError):
            session.structure(1)

    def test_folders_without_end(self) -> None:
        flood = Flood(b"LIST", b'* LIST () "/" "%b"\r\n' % (b"x" * 900) * 64)
        with (
            memory_below(64 * MIB),
            imap(flood) as session,
            pytest.raises(ConnectFailed, match="longer list"),
        ):
            session.folders()

    def test_words_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A word is twenty times its octets; the product's cap is thirty times this one."""
        monkeypatch.setattr(connection, "MOST_HELD", MIB // 4)
        line = b"* FLAGS (" + b"a " * 99_000 + b")\r\n"
        with (
            memory_below(16 * MIB),
            imap(Flood(b"NOOP", line)) as session,
            pytest.raises(ConnectFailed, match="longer list"),
        ):
            session.noop()

    def test_messages_without_end(self) -> None:
        lines = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n) for n in range(1, 5_000))
        with (
            memory_below(16 * MIB),
            imap(Flood(b"UID FETCH", lines), limits=Limits(messages=50_000)) as session,
            pytest.raises(NotPermitted, match="over 50000 messages"),
        ):
            session.listing()

    def test_a_listing_has_as_many_as_it_may(self) -> None:
        lines = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n) for n in range(1, 101))
        flood = Flood(b"UID FETCH", lines, times=1, last=b"TAG OK\r\n")
        with imap(flood, limits=Limits(messages=100)) as session:
            assert len(session.listing()) == 100

    @pytest.mark.parametrize(
        "line", [b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n", b"* SEARCH " + b"9 " * 5_000]
    )
    def test_numbers_without_end(self, line: bytes) -> None:
        flood = Flood(b"UID SEARCH", line.rstrip() + b"\r\n")
        with (
            memory_below(16 * MIB),
            imap(flood, limits=Limits(messages=50_000)) as session,
            pytest.raises(ConnectFailed, match="longer list"),
        ):
            session.uids()

    def test_numbers_in_many_lines_are_one_answer(self) -> None:
        flood = Flood(b"UID SEARCH", b"* SEARCH 1\r\n* SEARCH\r\n* SEARCH 3 2\r\n", times=1)
        flood.last = b"TAG OK\r\n"
        with imap(flood) as session:
            assert list(session.uids()) == [1, 2, 3]

    @pytest.mark.parametrize(
        "said", [b"1:4294967295", b"4294967295:1", b",".join([b"1:9"] * (MOST_RUNS + 1))]
    )
    def test_ranges_of_more_than_anybody_has(self, said: bytes) -> None:
        """Asked for one by one then, which is bounded by the octets."""
        flood = Flood(b"UID SEARCH UID", b"* SEARCH 7 8\r\n", times=1, last=b"TAG OK\r\n")
        extended = b'* ESEARCH (TAG "x") UID ALL ' + said + b"\r\nTAG OK\r\n"
        flood.replies = {
            b"AUTHENTICATE": b"TAG OK [CAPABILITY IMAP4rev1 ESEARCH] in\r\n",
            b"UID SEARCH RETURN": extended,
        }
        with memory_below(32 * MIB), imap(flood, select=MANY) as session:
            assert list(session.uids()) == [7, 8]

    @pytest.mark.parametrize("size", [2_147_483_648, 4_294_967_295])
    def test_a_literal_of_gigabytes_that_does_not_come(self, size: int) -> None:
        begins = b"* 1 FETCH (UID 1 BODY[] {%d}\r\nabc" % size
        flood = Flood(b"UID FETCH", b"", times=0, first=begins)
        with memory_below(8 * MIB), imap(flood) as session, pytest.raises(TimedOut):
            list(session.messages([Wanted(1, 100)]))

    @pytest.mark.parametrize("size", [4_294_967_296, 9_223_372_036_854_775_808, 10**20 - 1])
    def test_a_literal_of_more_than_there_may_be(self, size: int) -> None:
        begins = b"* 1 FETCH (UID 1 BODY[] {%d}\r\nabc" % size
        flood = Flood(b"UID FETCH", b"", times=0, first=begins)
        with imap(flood) as session, pytest.raises(ConnectFailed, match=str(size)):
            list(session.messages([Wanted(1, 100)]))

    def test_a_literal_that_comes_and_is_not_kept(self) -> None:
        begins = b"* 1 FETCH (UID 1 BODY[HEADER] {%d}\r\n" % (100 * MIB)
        flood = Flood(b"UID FETCH", b"x" * MIB, times=100, first=begins, last=b")\r\nTAG OK\r\n")
        with memory_below(16 * MIB), imap(flood) as session:
            (header,) = session.headers([1])
            assert isinstance(header.error, TooLarge)
            session.noop()

    @pytest.mark.parametrize("what", ["HEADER", ""])
    def test_octets_far_beyond_what_was_listed(self, what: str) -> None:
        """All of one call together, since whoever asked may keep them."""
        one = b"* %%d FETCH (UID %%d BODY[%b] {%d}\r\n" % (what.encode(), MIB)
        lines = b"".join(one % (n, n) + b"x" * MIB + b")\r\n" for n in range(1, 31))
        flood = Flood(b"UID FETCH", lines, times=1, last=b"TAG OK\r\n")
        uids = range(1, 31)
        with (
            imap(flood, limits=Limits(together=4 * MIB)) as session,
            pytest.raises(ConnectFailed, match="larger than we accept"),
        ):
            list(session.headers(uids) if what else session.messages([Wanted(n, 9) for n in uids]))

    def test_lines_that_say_nothing_at_full_speed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(patience, "FLOOD", MIB)
        flood = Flood(b"UID FETCH", b"* OK still here\r\n" * 8_192)
        with (
            memory_below(16 * MIB),
            imap(flood) as session,
            pytest.raises(ConnectFailed, match="larger than we accept"),
        ):
            session.listing()

    def test_a_greeting_at_full_speed(self) -> None:
        flood = Flood(b"CAPABILITY", b"* OK still here\r\n" * 8_192)
        flood.greeting = b"* OK hello\r\n"
        with memory_below(32 * MIB), scripted(flood) as port, pytest.raises(ConnectFailed):
            ImapSession.open(place(port), ANA)


class TestPop3:
    @pytest.mark.parametrize("begins", [b"+OK ", b"-ERR ", b""])
    def test_a_status_line_without_end(self, begins: bytes) -> None:
        flood = Flood(b"NOOP", b"x" * 65_536, first=begins)
        with (
            memory_below(16 * MIB),
            pop3(flood) as session,
            pytest.raises(ServerBusy, match="1048576 octets"),
        ):
            session.noop()

    @pytest.mark.parametrize(
        ("first", "line"),
        [
            (b"+OK\r\n", b"1 1\r\n"),
            (b"+OK\r\n", b"1\n"),
            (b"+OK\r\n", b"\r"),
            (b"+OK\r\n", b"x" * 1_000),
            (b"+OK\r\n1 1\r\n.\r\n+OK\r\n", b"1 a\r\n"),
            (b"+OK\r\n1 1\r\n.\r\n+OK\r\n", b"1 " + b"a" * 250 + b"\r\n"),
        ],
    )
    def test_a_list_without_end(self, first: bytes, line: bytes) -> None:
        flood = Flood(b"LIST", line * (65_536 // len(line)), first=first)
        flood.replies = {b"UIDL": b""}
        with (
            memory_below(160 * MIB),
            pop3(flood) as session,
            pytest.raises(ServerBusy, match="list of over"),
        ):
            session.listing()

    @pytest.mark.parametrize("line", [b"%d 1\r\n", b"%d 1\n", b"%d\r"])
    def test_a_list_of_more_lines_than_we_read(self, line: bytes) -> None:
        lines = b"".join(line % n for n in range(1, 1_000_001))
        flood = Flood(b"LIST", lines, times=1, first=b"+OK\r\n", last=b"\r\n.\r\n")
        flood.replies = {b"UIDL": b"+OK\r\n.\r\n"}
        with (
            memory_below(64 * MIB),
            pop3(flood) as session,
            pytest.raises(NotPermitted, match="over 100000 messages"),
        ):
            session.listing()

    def test_headers_far_beyond_all_measure_together(self) -> None:
        flood = Flood(b"TOP", b"X: " + b"x" * MIB + b"\r\n", times=1, first=b"+OK\r\n")
        flood.last = b".\r\n"
        with (
            pop3(flood, limits=Limits(together=4 * MIB)) as session,
            pytest.raises(ServerBusy, match="over 4194304 octets"),
        ):
            list(session.headers(range(1, 31)))

    def test_a_message_of_gigabytes(self) -> None:
        flood = Flood(b"RETR", b"x" * MIB, first=b"+OK\r\n")
        with (
            memory_below(32 * MIB),
            pop3(flood, limits=Limits(message=10 * MIB)) as session,
            pytest.raises(ServerBusy, match="without an end"),
        ):
            list(session.messages([Listing(1, 100, "a")]))


OPENERS: list[Callable[..., object]] = [ImapSession.open, Pop3Session.open]


@pytest.mark.parametrize("open_session", OPENERS)
def test_a_greeting_without_end(open_session: Callable[..., object]) -> None:
    flood = Flood(b"never", b"")
    flood.greeting = b"+" * (64 * MIB)
    with memory_below(96 * MIB), scripted(flood) as port, pytest.raises(MailError):
        open_session(place(port), ANA)
