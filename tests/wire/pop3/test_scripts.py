"""POP3 servers that break off, fall silent or talk nonsense, line by line."""

from typing import Any

import pytest

from buzon.wire.endpoint import Limits, Security
from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    Gone,
    MailError,
    Malformed,
    NotPermitted,
    ServerBusy,
    Throttled,
    TimedOut,
    TlsRefused,
    Transient,
)
from buzon.wire.pop3 import Pop3Session
from tests.servers.scripted import Script, Step, conversation, cut, expect, hold, raw, send, silence
from tests.wire.pop3.servers import ANA, at

HELLO = (send("+OK hello"), expect("CAPA"), send("+OK", "USER", "PIPELINING", "."))
LOGIN = (
    *HELLO,
    expect("USER ana"),
    send("+OK"),
    expect("PASS se cret"),
    send("+OK"),
    expect("CAPA"),
    send("+OK", "PIPELINING", "UIDL", "TOP", "."),
)
LISTING = (expect("LIST", "UIDL"), send("+OK", "1 20", "2 20", ".", "+OK", "1 a", "2 b", "."))


def play(script: Script, limits: Limits | None = None, **changes: Any) -> Pop3Session:
    return Pop3Session.open(at(script.port, **changes), ANA, limits)


@pytest.mark.parametrize(
    ("steps", "kind", "words"),
    [
        ([send("-ERR too many connections")], Throttled, "too many"),
        ([send("-ERR [SYS/TEMP] later")], ServerBusy, "later"),
        ([send("-ERR [SYS/PERM] never")], NotPermitted, "never"),
        ([send("-ERR")], ServerBusy, "not let us in"),
        ([send("* OK IMAP4rev1")], ServerBusy, "check the port"),
        ([send("SSH-2.0-OpenSSH")], ServerBusy, "check the port"),
        ([cut], ConnectFailed, "cut"),
        ([hold], TimedOut, "0.3 seconds"),
        ([raw(b"x" * 5000), hold], ServerBusy, "1000 octets"),
        (
            [send("+OK"), expect("CAPA"), send("+OK"), raw(b"X\r\n" * 30_000), hold],
            ServerBusy,
            "list",
        ),
    ],
)
def test_greetings(steps: list[Step], kind: type[MailError], words: str) -> None:
    with conversation(*steps) as script, pytest.raises(MailError, match=words) as caught:
        play(script, Limits(line=1000), read_timeout=0.3)
    assert type(caught.value) is kind


def test_starttls_refused_means_nothing_secret_is_sent() -> None:
    steps = (*HELLO, expect("STLS"), send("-ERR no TLS here"), hold)
    with conversation(*steps) as script, pytest.raises(TlsRefused, match="nothing secret"):
        play(script, security=Security.STARTTLS)
    assert script.said == ["CAPA", "STLS"]


def test_what_comes_before_tls_is_not_believed() -> None:
    steps = (*HELLO, expect("STLS"), send("+OK begin", "+OK injected"), hold)
    with conversation(*steps) as script, pytest.raises(TlsRefused, match="tampering"):
        play(script, security=Security.STARTTLS)
    assert "ana" not in " ".join(script.said)


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([expect("QUIT"), cut], ConnectFailed),
        ([expect("QUIT"), hold], TimedOut),
        ([expect("QUIT"), send("-ERR some deleted messages not removed"), hold], ServerBusy),
        ([expect("QUIT"), send("what?"), hold], ServerBusy),
        ([cut], ConnectFailed),
    ],
)
def test_any_end_but_ok_to_quit_leaves_the_deletions_unknown(
    steps: list[Step], kind: type[MailError]
) -> None:
    marked = (expect("DELE 1"), send("+OK"))
    with conversation(*LOGIN, *marked, *steps) as script, play(script, read_timeout=0.5) as session:
        session.delete([1])
        with pytest.raises(Transient) as caught:
            session.quit()
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([send("+OK", "half a mess"), cut], ConnectFailed),
        ([send("+OK", "half a mess"), hold], TimedOut),
        ([send("-ERR Account exceeded bandwidth limits"), hold], Throttled),
        ([send("no POP3"), hold], ServerBusy),
    ],
)
def test_a_session_that_breaks_in_a_message(steps: list[Step], kind: type[MailError]) -> None:
    asked = expect("RETR 1", "RETR 2")
    whole = send("+OK", "Subject: whole", "", ".")
    with (
        conversation(*LOGIN, *LISTING, asked, whole, *steps) as script,
        play(script, read_timeout=0.5) as session,
    ):
        messages = session.messages(session.listing())
        assert next(messages).octets == b"Subject: whole\r\n\r\n"
        with pytest.raises(Transient) as caught:
            next(messages)
        assert type(caught.value) is kind
        with pytest.raises(ConnectFailed):
            session.noop()


def test_one_message_that_the_server_cannot_read_is_not_gone() -> None:
    answers = (
        expect("RETR 1", "RETR 2"),
        send("-ERR [SYS/TEMP] disk", "+OK", "x", "."),
    )
    with (
        conversation(*LOGIN, *LISTING, *answers, expect("QUIT"), send("+OK")) as script,
        play(script) as session,
    ):
        first, second = session.messages(session.listing())
        assert first.error is not None
        assert not isinstance(first.error, Gone)
        assert second.octets == b"x\r\n"
        session.quit()


@pytest.mark.parametrize(
    "answer",
    [
        send("+OK", "1 20", "1 30", ".", "+OK", "."),
        send("+OK", "one 20", ".", "+OK", "."),
        send("+OK", *["1 20"] * 200, "."),
        send("-ERR no list", "-ERR no list"),
    ],
)
def test_a_list_that_is_no_list_ends_the_session(answer: Step) -> None:
    with (
        conversation(*LOGIN, expect("LIST", "UIDL"), answer, hold) as script,
        play(script, Limits(list_items=2)) as session,
    ):
        with pytest.raises(ServerBusy):
            session.listing()
        with pytest.raises(ConnectFailed):
            session.noop()


def test_a_server_may_refuse_uidl_of_nothing() -> None:
    empty = (expect("LIST", "UIDL"), send("+OK", ".", "-ERR no messages"))
    with conversation(*LOGIN, *empty) as script, play(script) as session:
        assert session.listing() == []
        assert session.has_uidl


def test_a_server_that_speaks_unasked_is_not_trusted() -> None:
    goodbye = (expect("NOOP"), send("+OK", "-ERR idle for too long"), hold)
    with conversation(*LOGIN, *goodbye) as script, play(script) as session:
        session.noop()
        with pytest.raises(ServerBusy, match="idle for too long"):
            session.delete([1])


def test_top_may_bring_lines_of_the_body() -> None:
    tops = (
        expect("TOP 1 0", "TOP 2 0"),
        send("+OK", "Subject: x", "", "a body", ".", "+OK", "", "b", "."),
    )
    with conversation(*LOGIN, *tops) as script, play(script) as session:
        assert [top.octets for top in session.headers([1, 2])] == [b"Subject: x\r\n\r\n", b"\r\n"]


def test_the_window_bounds_what_is_under_way() -> None:
    """With a window of 250 octets and messages of 100 never more than two are asked ahead."""
    sizes = send("+OK", *[f"{n} 100" for n in range(1, 6)], ".", "-ERR")
    one = send("+OK", "Subject: x", ".")
    steps = (
        *(expect("LIST", "UIDL"), sizes, expect("RETR 1", "RETR 2"), silence, one),
        *(
            expect("RETR 3"),
            silence,
            one,
            expect("RETR 4"),
            silence,
            one,
            expect("RETR 5"),
            one,
            one,
        ),
    )
    with conversation(*LOGIN, *steps) as script, play(script, Limits(window=250)) as session:
        assert len(list(session.messages(session.listing()))) == 5


def test_quit_hangs_up() -> None:
    with conversation(*LOGIN, expect("QUIT"), send("+OK"), hold) as script, play(script) as session:
        session.quit()
        with pytest.raises(ConnectFailed):
            session.noop()


def test_nothing_of_a_message_is_no_message() -> None:
    nothing = (expect("RETR 1", "RETR 2"), send("+OK", ".", "+OK", "x", "."))
    with conversation(*LOGIN, *LISTING, *nothing) as script, play(script) as session:
        first, second = session.messages(session.listing())
        assert isinstance(first.error, Malformed)
        assert second.octets == b"x\r\n"


def test_an_open_that_fails_leaves_no_connection() -> None:
    """`hold` ends with the hang-up: without it the script would not end."""
    steps = (*HELLO, expect("USER ana"), send("-ERR no"), hold)
    with conversation(*steps) as script, pytest.raises(AuthRejected):
        play(script)
