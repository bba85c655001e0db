"""A time for the whole of an answer: the arithmetic with the clock moved, and servers that drip."""

import socket
import time
from collections.abc import Callable

import pytest

from buzon.wire.endpoint import Endpoint, Security
from buzon.wire.errors import TimedOut
from buzon.wire.imap import ImapSession, Wanted
from buzon.wire.patience import FLOOD, SLOWEST, UNEXPECTED, Patience
from buzon.wire.pop3 import Listing, Pop3Session
from tests.wire.imap.odd_server import ANA, GREETING, USUAL
from tests.wire.scripted import line_from, scripted


def in_session(seconds: float = 120.0) -> Patience:
    patience = Patience(seconds)
    patience.logged_in()
    return patience


def test_time_passes_by_waiting_alone() -> None:
    patience = in_session()
    patience.spent(100, 0)
    assert patience.left == pytest.approx(20)
    patience.spent(20, 0)
    assert patience.left <= 0


def test_octets_that_came_buy_time_at_the_slowest_rate() -> None:
    patience = in_session()
    patience.begin(10_000_000)
    patience.spent(200, 200 * SLOWEST)
    assert patience.left == pytest.approx(120)
    patience.spent(200, 200 * SLOWEST // 2)
    assert patience.left == pytest.approx(20)


def test_octets_that_nobody_expected_buy_no_time() -> None:
    patience = in_session()
    patience.begin(1_000_000)
    most = 2 * 1_000_000 + UNEXPECTED
    patience.spent(0, most)
    assert patience.left == pytest.approx(120 + most / SLOWEST)
    patience.spent(0, 100 * most)
    assert patience.left == pytest.approx(120 + most / SLOWEST)


def test_each_answer_has_its_own_time() -> None:
    patience = in_session()
    patience.spent(119, 5)
    patience.begin()
    assert patience.left == pytest.approx(120)


def test_greeting_and_login_have_one_time_together() -> None:
    patience = Patience(120)
    patience.spent(100, 50_000)
    patience.begin(1_000_000)
    assert patience.left == pytest.approx(20)
    patience.logged_in()
    assert patience.left == pytest.approx(120)


def test_what_never_ends_is_cut_off_at_any_rate() -> None:
    patience = in_session()
    patience.begin(50)
    patience.spent(0, FLOOD + 100)
    assert not patience.is_flooded
    patience.spent(0, 1)
    assert patience.is_flooded


def test_before_the_login_little_is_much() -> None:
    patience = Patience(120)
    patience.spent(0, UNEXPECTED + 1)
    assert patience.is_flooded


IMAP_REPLIES = {
    **USUAL,
    b"AUTHENTICATE": USUAL[b"AUTHENTICATE"].replace(b"MOVE ", b"MOVE ESEARCH "),
}
POP3_REPLIES = {
    b"CAPA": b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n",
    b"USER": b"+OK\r\n",
    b"PASS": b"+OK\r\n",
}


class Dripping:
    """Answers at once, but for the command that begins with `slow`: of that answer a `piece` comes
    every `seconds`, for ever. With `slow` b"" already the greeting is so.
    """

    def __init__(
        self,
        replies: dict[bytes, bytes],
        greeting: bytes,
        *,
        slow: bytes,
        piece: bytes,
        seconds: float,
    ) -> None:
        self.replies, self.greeting = replies, greeting
        self.slow, self.piece, self.seconds = slow, piece, seconds

    def __call__(self, peer: socket.socket) -> None:
        if not self.slow:
            self.drip(peer)
        peer.sendall(self.greeting)
        while line := line_from(peer):
            tag, _, imap_command = line.rstrip().partition(b" ")
            command = imap_command if self.greeting.startswith(b"*") else line.rstrip()
            if command.startswith(self.slow):
                self.drip(peer)
            reply = next((r for key, r in self.replies.items() if command.startswith(key)), b"")
            peer.sendall(reply.replace(b"TAG", tag))

    def drip(self, peer: socket.socket) -> None:
        while True:  # ends with the connection
            peer.sendall(self.piece)
            time.sleep(self.seconds)


def endpoint(port: int) -> Endpoint:
    return Endpoint(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        read_timeout=5,
        answer_timeout=0.6,
        allow_private=True,
    )


def ends_in_time(call: Callable[[], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut, match="too slowly to go on"):
        call()
    assert 0.3 < time.monotonic() - begun < 20  # the machine may be shared and slow


def imap(port: int) -> ImapSession:
    session = ImapSession.open(endpoint(port), ANA)
    session.select("INBOX")
    return session


OCTET, LINE, FETCH = b"x", b"* OK still here\r\n", b"* 1 FETCH (FLAGS ())\r\n"


@pytest.mark.parametrize(
    ("slow", "piece"),
    [
        (b"", OCTET),  # a line would be a greeting
        *((slow, OCTET) for slow in (b"CAPABILITY", b"AUTHENTICATE", b"SELECT")),
        *((slow, LINE) for slow in (b"CAPABILITY", b"AUTHENTICATE", b"SELECT")),
    ],
)
def test_imap_until_a_folder_is_open(slow: bytes, piece: bytes) -> None:
    greeting = b"* OK ready\r\n" if slow == b"CAPABILITY" else GREETING
    dripping = Dripping(IMAP_REPLIES, greeting, slow=slow, piece=piece, seconds=0.05)
    with scripted(dripping) as port:
        ends_in_time(lambda: imap(port))


@pytest.mark.parametrize(
    ("slow", "call"),
    [
        (b"NOOP", lambda session: session.noop()),
        (b"LIST", lambda session: session.folders()),
        (b"UID SEARCH", lambda session: session.uids()),
        (b"UID FETCH", lambda session: session.listing()),
        (b"UID FETCH", lambda session: list(session.headers([1]))),
        (b"UID FETCH", lambda session: list(session.messages([Wanted(1, 100)]))),
        (b"UID FETCH", lambda session: list(session.messages([Wanted(1, 10_000_000)]))),
        (b"UID FETCH", lambda session: session.structure(1)),
        (b"IDLE", lambda session: session.idle(30)),
        (b"EXAMINE", lambda session: session.examine("x")),
    ],
)
@pytest.mark.parametrize("piece", [OCTET, LINE, FETCH])
def test_imap_in_a_folder(slow: bytes, call: Callable[[ImapSession], object], piece: bytes) -> None:
    dripping = Dripping(IMAP_REPLIES, GREETING, slow=slow, piece=piece, seconds=0.05)
    with scripted(dripping) as port:
        session = imap(port)
        ends_in_time(lambda: call(session))
        session.close()


def test_an_idle_ends_in_time_whatever_the_server_chatters() -> None:
    """Lines that say nothing keep no IDLE open; its end is answered in time, or not at all."""
    replies = {**IMAP_REPLIES, b"IDLE": b"+ idling\r\n" + LINE * 20_000}
    dripping = Dripping(replies, GREETING, slow=b"DONE", piece=LINE, seconds=0.05)
    with scripted(dripping) as port:
        session = imap(port)
        ends_in_time(lambda: session.idle(0.2))
        session.close()


def test_a_slow_reader_is_not_taken_for_a_slow_server() -> None:
    answer = b"".join(b"* %d FETCH (UID %d BODY[] {2}\r\nhi)\r\n" % (n, n) for n in (1, 2, 3))
    replies = {**IMAP_REPLIES, b"UID FETCH": answer + b"TAG OK\r\n"}
    never = Dripping(replies, GREETING, slow=b"never", piece=b"", seconds=0)
    with scripted(never) as port:
        session = imap(port)
        came = 0
        for message in session.messages([Wanted(n, 2) for n in (1, 2, 3)]):
            assert message.octets == b"hi"
            came += 1
            time.sleep(0.4)  # the database's time, of which the server knows nothing
        assert came == 3
        session.noop()
        session.close()


SMALL, BIG = Listing(1, 100, "a"), Listing(1, 10_000_000, "a")
LISTED = {b"LIST": b"+OK\r\n1 100\r\n.\r\n", b"UIDL": b"+OK\r\n1 a\r\n.\r\n"}


@pytest.mark.parametrize("slow", [b"", b"CAPA", b"USER", b"PASS"])
def test_pop3_until_the_login(slow: bytes) -> None:
    dripping = Dripping(POP3_REPLIES, b"+OK hello\r\n", slow=slow, piece=OCTET, seconds=0.05)
    with scripted(dripping) as port:
        ends_in_time(lambda: Pop3Session.open(endpoint(port), ANA))


@pytest.mark.parametrize(
    ("slow", "begun", "call"),
    [
        (b"NOOP", b"", lambda session: session.noop()),
        (b"LIST", b"", lambda session: session.listing()),
        (b"LIST", b"+OK\r\n", lambda session: session.listing()),
        (b"UIDL", b"+OK\r\n", lambda session: session.listing()),
        (b"TOP", b"", lambda session: list(session.headers([1]))),
        (b"TOP", b"+OK\r\n", lambda session: list(session.headers([1]))),
        (b"RETR", b"+OK\r\n", lambda session: list(session.messages([SMALL]))),
        (b"RETR", b"+OK\r\n", lambda session: list(session.messages([BIG]))),
        (b"DELE", b"", lambda session: session.delete([1])),
        (b"QUIT", b"", lambda session: session.quit()),
    ],
)
def test_pop3_in_a_session(
    slow: bytes, begun: bytes, call: Callable[[Pop3Session], object]
) -> None:
    class Begun(Dripping):
        def drip(self, peer: socket.socket) -> None:
            peer.sendall(begun)
            super().drip(peer)

    dripping = Begun(POP3_REPLIES | LISTED, b"+OK hello\r\n", slow=slow, piece=OCTET, seconds=0.05)
    with scripted(dripping) as port, Pop3Session.open(endpoint(port), ANA) as session:
        ends_in_time(lambda: call(session))


def test_pop3_what_an_abandoned_iteration_left_has_a_time_too() -> None:
    replies = POP3_REPLIES | LISTED | {b"RETR 1": b"+OK\r\nx\r\n.\r\n"}
    replies[b"CAPA"] = b"+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\n.\r\n"
    dripping = Dripping(replies, b"+OK hello\r\n", slow=b"RETR 2", piece=OCTET, seconds=0.05)
    with scripted(dripping) as port, Pop3Session.open(endpoint(port), ANA) as session:
        messages = session.messages([Listing(1, 100, "a"), Listing(2, 100, "b")])
        assert next(messages).octets == b"x\r\n"
        ends_in_time(session.noop)
