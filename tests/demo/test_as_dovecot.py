"""The same commands to our server and to a real Dovecot: what ours answers must not drift.

Compared are the untagged answers, as a multiset, and the tagged status with the response code's
name. Left out is what each server may say as it likes: texts, the order of flags, the padding of a
day, quotes around folder names.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from buzon.demo.server import MailServer, Mailstore
from tests.demo.conftest import Wire
from tests.servers.dovecot import Dovecot

WHEN = datetime(2021, 3, 14, 5, 6, 7, tzinfo=UTC)
NESTED = (
    b"From: x@y.example\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b1"\r\n\r\npreamble\r\n--b1\r\n'
    b"Content-Type: multipart/alternative; boundary=b2\r\n\r\n--b2\r\n\r\nplain\r\n--b2\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b'\r\n<p>x</p>\r\n--b2--\r\n\r\n--b1\r\nContent-Type: application/pdf; name="f.pdf"\r\n'
    b'Content-Disposition: attachment; filename="f.pdf"; size=3\r\n'
    b"Content-Transfer-Encoding: base64\r\nContent-ID: <cid>\r\nContent-Description: d\r\n\r\n"
    b"AAAA\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: in@ner.example\r\nSubject: inner\r\n\r\ninner body\r\n--b1--\r\nepilogue\r\n"
)
LETTERS = (
    b'From: Eva <eva@cliente.example>\r\nTo: a@b.example, "C, D" <c@d.example>\r\n'
    b"Subject: =?utf-8?q?Hola?=\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n"
    b"Message-ID: <1@x>\r\n\r\nhola\r\n.dot\r\n..\r\n",
    NESTED,
    b"Subject: no newline at end\r\n\r\nabc",
    b"no header at all",
    b"",
    b"Content-Type: multipart/mixed; boundary=zz\r\n\r\nno parts at all\r\n",
    b"Content-Type: multipart/digest; boundary=zz\r\n\r\n--zz\r\n\r\nSubject: d1\r\n\r\nx\r\n"
    b"--zz\r\n\r\nSubject: d2\r\n\r\ny\r\n",
    b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nz\r\n",
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n\r\nempty header\r\n--a\r\n--a--",
)

READING = b"""
NOOP
FETCH 1 FLAGS
SELECT INBOX
FETCH 1:* (UID RFC822.SIZE INTERNALDATE)
FETCH 1:* FAST
UID FETCH 100:* UID
UID FETCH 3:* (UID)
UID FETCH 100 UID
FETCH 100 UID
FETCH 0 UID
FETCH 1:100 UID
FETCH 5:2,7 UID
FETCH 1:* BODY.PEEK[]
FETCH 1:* BODY.PEEK[HEADER]
FETCH 1:* BODY.PEEK[TEXT]
FETCH 1:* BODY.PEEK[1]
FETCH 2 BODY.PEEK[1.1]
FETCH 2 BODY.PEEK[1.2]
FETCH 2 BODY.PEEK[1.2.MIME]
FETCH 2 BODY.PEEK[1.MIME]
FETCH 2 BODY.PEEK[3]
FETCH 2 BODY.PEEK[3.HEADER]
FETCH 2 BODY.PEEK[3.TEXT]
FETCH 2 BODY.PEEK[3.1]
FETCH 2 BODY.PEEK[3.MIME]
FETCH 2 BODY.PEEK[3.HEADER.FIELDS (SUBJECT)]
FETCH 8 BODY.PEEK[1.HEADER]
FETCH 8 BODY.PEEK[1.1]
FETCH 1:3 BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]
FETCH 1:3 BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT FROM)]
FETCH 1 BODY.PEEK[]<0.10>
FETCH 1 BODY.PEEK[]<10.10>
FETCH 1 BODY.PEEK[]<1000.10>
FETCH 1 BODY.PEEK[TEXT]<1.3>
FETCH 1:* BODYSTRUCTURE
FETCH 1:* BODY
FETCH 1:* ENVELOPE
FETCH 1 NONSENSE
FETCH 1 (BODY.PEEK[MIME])
FETCH 1
FETCH
FETCH 7 RFC822.HEADER
SEARCH ALL
SEARCH NOT SEEN
SEARCH 2:4 UNSEEN
SEARCH UID 2:4
SEARCH 100
UID SEARCH UID 100:*
UID SEARCH UID 200
SEARCH SINCE 14-Mar-2021
SEARCH BEFORE 14-Mar-2021
SEARCH ON 14-Mar-2021
SEARCH SENTSINCE 1-Jan-1994 SENTBEFORE 1-Jan-1995
SEARCH LARGER 200
SEARCH SMALLER 10
SEARCH SUBJECT newline
SEARCH FROM eva
SEARCH HEADER Message-ID <1@x>
SEARCH (UNSEEN) (NOT DELETED)
SEARCH RETURN (ALL) ALL
SEARCH RETURN () UNSEEN
UID SEARCH RETURN (MIN MAX COUNT) ALL
UID SEARCH RETURN (ALL COUNT) DELETED
SEARCH NONSENSE
SEARCH
SEARCH CHARSET UTF-8 ALL
STARTTLS
LOGIN a b
ENABLE CONDSTORE
FETCH 1:* (UID) (CHANGEDSINCE 100000)
UNSELECT
CHECK
NONSENSE
"""

CHANGING = rb"""
SELECT INBOX
STORE 1 +FLAGS \Seen
STORE 2 +FLAGS.SILENT (\Seen)
UID STORE 3 FLAGS (\Flagged)
UID STORE 3 -FLAGS (\Flagged)
STORE 1 +FLAGS (\Recent)
STORE 1 +FLAGS (\Nonsense)
STORE 100 +FLAGS (\Seen)
UID STORE 100 +FLAGS (\Seen)
SEARCH SEEN
FETCH 2 BODY[TEXT]
FETCH 2 (UID FLAGS)
CREATE Archive
CREATE Archive
COPY 1 Archive
UID COPY 2:3 Archive
UID COPY 100 Archive
COPY 1 Nowhere
UID MOVE 4 Archive
MOVE 1 Nowhere
UID STORE 8:9 +FLAGS (\Deleted)
UID EXPUNGE 9
FETCH 1:* (UID FLAGS)
EXPUNGE
FETCH 1:* (UID FLAGS)
SELECT Archive
FETCH 1:* (UID FLAGS BODY.PEEK[])
CLOSE
DELETE Archive
DELETE Archive
CREATE Empty
SELECT Empty
FETCH 1:* UID
UID FETCH 1:* UID
SEARCH 1:*
UID SEARCH UID 1:*
UID SEARCH RETURN (ALL) ALL
EXPUNGE
CLOSE
"""


class ImapTalk(Wire):
    """Commands one by one; `says` gives the answer in comparable form."""

    def says(self, command: bytes) -> tuple[Counter[bytes], bytes]:
        self.send(b"t " + command + b"\r\n")
        answers: Counter[bytes] = Counter()
        while True:
            line = self.answer()
            if line.startswith(b"t "):
                found = re.match(rb"t (\w+)(?: \[(?:COPYUID|READ-WRITE|READ-ONLY))?", line)
                return answers, found[0] if found else line
            if comparable := self.comparable(line):
                answers[comparable] += 1

    def answer(self) -> bytes:
        line = self.until(b"\r\n")
        while literal := re.search(rb"\{(\d+)\}\r\n\Z", line):
            while len(self.unread) < int(literal[1]):
                self.unread += self.socket.recv(65536)
            line += self.unread[: int(literal[1])]
            self.unread = self.unread[int(literal[1]) :]
            line += self.until(b"\r\n")
        return line

    @staticmethod
    def comparable(line: bytes) -> bytes:
        if re.match(rb"\* OK \[HIGHESTMODSEQ|\* ENABLED\r", line):
            return b""  # Dovecot tells its modification sequences only to those who ask
        if code := re.match(rb"\* (?:OK|NO|BAD|BYE) \[([A-Z-]+)", line):
            return code[0]
        flags = re.search(rb"FLAGS \(([^)]*)\)", line)
        if flags:
            line = line.replace(flags[1], b" ".join(sorted(flags[1].split())))
        if found := re.match(rb"(\* \d+ FETCH )\((UID \d+) (FLAGS \([^)]*\))\)\r", line):
            return found[1] + found[2] + found[3]
        return line


@pytest.fixture
def both(dovecot: Dovecot, login: str) -> Iterator[Callable[..., list[Wire]]]:
    """Connects to Dovecot and to ours, both with the same mail, and reads the greetings."""
    store = Mailstore()
    inbox = store.add_login(login, "secret").folder()
    for octets in LETTERS:
        dovecot.deliver(login, octets, internal_date=WHEN)
        inbox.deliver(octets, internal_date=WHEN)
    with ExitStack() as stack:

        def connect(kind: type[Wire], protocol: str) -> list[Wire]:
            server = stack.enter_context(MailServer(store, protocol=protocol))
            theirs = kind(dovecot.host, dovecot.port(protocol, "none"))
            ours = kind(server.host, server.port)
            for one in (theirs, ours):
                stack.callback(one.socket.close)
                one.until(b"\r\n")
            return [theirs, ours]

        yield connect


@pytest.mark.parametrize("script", [READING, CHANGING], ids=["reading", "changing"])
def test_imap(both, login, script):
    theirs, ours = both(ImapTalk, "imap")
    for command in [f'LOGIN "{login}" secret'.encode(), *script.split(b"\n")]:
        if command:
            assert ours.says(command) == theirs.says(command), command


def test_pop3(both, login):
    theirs, ours = both(Wire, "pop3")
    lines = [b"USER " + login.encode(), b"PASS secret", b"NOOP"]
    lines += [b"RETR 99", b"DELE 0", b"TOP 1", b"FROB", b"DELE 1", b"RETR 1", b"RSET"]
    for line in lines:
        assert status(ours, line) == status(theirs, line), line
    for number in range(1, len(LETTERS) + 1):
        for command in (b"RETR %d" % number, b"TOP %d 1" % number, b"TOP %d 0" % number):
            assert multiline(ours, command) == multiline(theirs, command), command
    for line in (b"DELE 1", b"QUIT"):
        assert status(ours, line) == status(theirs, line) == b"+OK"


def status(one: Wire, command: bytes) -> bytes:
    one.send(command + b"\r\n")
    return one.until(b"\r\n").split()[0]


def multiline(one: Wire, command: bytes) -> list[bytes]:
    lines = [status(one, command)]
    while lines[-1] != b".\r\n":
        lines.append(one.until(b"\r\n"))
    return lines
