"""Whatever is typed, a server answers and lives. (A thread that dies is a warning: an error.)"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzon.demo.server import MailServer, Mailstore
from tests.demo.conftest import Wire, letter
from tests.demo.test_as_dovecot import CHANGING, READING

IMAP = [line for line in (READING + CHANGING).split(b"\n") if line]
IMAP += [
    b'LIST (SUBSCRIBED) "" (* %) RETURN (STATUS (MESSAGES))',
    b"UID STORE 1 (UNCHANGEDSINCE 3)",
]
IMAP += [b"SEARCH RETURN (ALL) MODSEQ 5 OR SEEN NOT (1:3 UNSEEN)", b"AUTHENTICATE PLAIN ="]
IMAP += [b'APPEND INBOX (\\Seen) " 7-Feb-1994 21:52:25 -0800" {0+}']
POP3 = [b"RETR 1", b"TOP 1 0", b"LIST", b"UIDL 1", b"DELE 1", b"RSET", b"AUTH PLAIN =", b"USER a"]
NOISE = [b" ", b"(", b")", b'"', b"\\", b"*", b":", b",", b"\xff", b"\0", b"9" * 30, b"[", b"<"]

strokes = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 4), st.sampled_from([b"", *NOISE])), max_size=3
)


def mistyped(line: bytes, where: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, put in where:
        line = line[:at] + put + line[at + removed :]
    return line


@pytest.fixture(scope="module")
def servers():
    store = Mailstore()
    store.add_login("a", "b").folder().deliver(letter())
    with MailServer(store) as imap, MailServer(store, protocol="pop3") as pop3:
        yield {"imap": imap, "pop3": pop3}


@pytest.mark.parametrize(
    ("protocol", "lines", "tag", "start", "end"),
    [
        ("imap", IMAP, b"t ", b"l LOGIN a b\r\ns SELECT INBOX\r\n", b"\r\nz LOGOUT\r\n"),
        ("pop3", POP3, b"", b"USER a\r\nPASS b\r\n", b"\r\n\r\nQUIT\r\n"),
    ],
    ids=["imap", "pop3"],
)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_noise(servers, protocol, lines, tag, start, end, data):
    typed = data.draw(st.lists(st.tuples(st.sampled_from(lines), strokes), max_size=20))
    server = servers[protocol]
    wire = Wire(server.host, server.port)
    commands = b"".join(tag + mistyped(line, where) + b"\r\n" for line, where in typed)
    wire.send(start + commands + end)
    answer = wire.rest()
    wire.socket.close()
    assert b"BYE" in answer or answer.endswith(b"+OK Good-bye.\r\n")
