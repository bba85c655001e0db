"""LIST, UIDL and -ERR: what servers say, and what hostile ones say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.wire.errors import (
    AuthRejected,
    Gone,
    MailError,
    MessageError,
    NotPermitted,
    ServerBusy,
    Throttled,
)
from buzon.wire.pop3.core import Reply
from buzon.wire.pop3.listing import sizes, uidls
from buzon.wire.pop3.refusal import of_message, refused


def test_sizes_are_in_order_of_number() -> None:
    assert sizes(b"2 200\r\n1 100\r\n10 0 deleted?\r\n") == {1: 100, 2: 200, 10: 0}
    assert list(sizes(b"2 200\r\n1 100\r\n")) == [1, 2]
    assert sizes(b"") == {}


@pytest.mark.parametrize(
    "body", [b"1\r\n", b"x 1\r\n", b"1 -5\r\n", b"0 5\r\n", b"1 5\r\n1 6\r\n", b"\r\n", b"1 5x\r\n"]
)
def test_a_list_that_makes_no_sense_is_not_believed(body: bytes) -> None:
    with pytest.raises(ServerBusy, match="makes no sense"):
        sizes(body)


def test_uidls_of_an_honest_server() -> None:
    longest = b"x" * 255
    body = b"1 whqtswO00WBw418f9t5JxYwZ\r\n2 a/b+c=\r\n3 " + longest + b"\r\n4 padded  \r\n"
    assert uidls(body) == {
        1: "whqtswO00WBw418f9t5JxYwZ",
        2: "a/b+c=",
        3: longest.decode(),
        4: "padded",
    }


@pytest.mark.parametrize(
    "uidl", [b"", b"a b", b"a\x00", b"a\x1b[2J", b"\xc3\xb1", b"x" * 256, b"a\rb", b"a\nb", b"\x7f"]
)
def test_a_hostile_uidl_is_none(uidl: bytes) -> None:
    assert uidls(b"1 " + uidl + b"\r\n2 good\r\n") == {2: "good"}


def test_a_uidl_of_two_messages_names_neither() -> None:
    assert uidls(b"1 same\r\n2 other\r\n3 same\r\n") == {2: "other"}
    assert uidls(b"1 one\r\n1 two\r\n2 three\r\n") == {2: "three"}


@given(st.binary())
def test_no_octets_break_the_reading_of_uidls(body: bytes) -> None:
    for uidl in uidls(body).values():
        assert uidl.isascii()
        assert uidl.isprintable()
        assert " " not in uidl


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[IN-USE] Do you have another POP session running?", ServerBusy),
        ("[IN-USE/LOCK] yes", ServerBusy),
        ("[LOGIN-DELAY] minimum time between mail checks violation", Throttled),
        ("[SYS/TEMP] server trouble", ServerBusy),
        ("[sys/temp/disk] full", ServerBusy),
        ("[SYS/PERM] your mailbox is gone", NotPermitted),
        ("[AUTH] Invalid login or password", AuthRejected),
        ("[WEIRD] no", AuthRejected),
        ("invalid password", AuthRejected),
        ("Account locked; call us", AuthRejected),
        ("", AuthRejected),
        ("unable to lock maildrop", ServerBusy),
        ("maildrop already locked", ServerBusy),
        ("Temporary authentication failure", ServerBusy),
        ("Account exceeded command or bandwidth limits", Throttled),
        ("Exceeded the login limit for a 15 minute period", Throttled),
        ("Too many connections from your IP", Throttled),
    ],
)
def test_why_a_login_is_refused(text: str, kind: type[MailError]) -> None:
    error = refused(Reply(False, text), AuthRejected("The server refused the login."))
    assert type(error) is kind
    assert error.answer == text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no such message", Gone),
        ("[SYS/TEMP] cannot open it", MessageError),
        ("Internal error", MessageError),
        ("bandwidth limits", Throttled),
    ],
)
def test_why_a_message_is_refused(text: str, kind: type[MailError]) -> None:
    assert type(of_message(Reply(False, text))) is kind
