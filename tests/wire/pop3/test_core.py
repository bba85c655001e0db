"""The POP3 core: any octets, cut anywhere, come out as they went in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ServerBusy
from buzon.wire.pop3.core import Challenge, Core, End, Event, Reply, Shape

# Octets that make dots, line ends and terminators likely, beside any octets.
BODIES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b".", b"..", b"\r", b"\n", b"a", b"\r\n.\r\n"])).map(
        b"".join
    ),
)


def stuffed(body: bytes) -> bytes:
    """As a server sends it (RFC 1939 §3): line by line, apart from how the core undoes it."""
    lines = re.split(b"\r\n", body)
    end = b"" if lines[-1] == b"" else b"\r\n"
    doubled = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"\r\n".join(doubled) + end + b".\r\n"


def kept(body: bytes) -> bytes:
    """What POP3 can carry: an unfinished last line is finished."""
    return body if body == b"" or body.endswith(b"\r\n") else body + b"\r\n"


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(octets) + 1) for place in places} | {len(octets)})
    return [octets[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def joined(events: list[Event]) -> list[Event]:
    """The events with neighbouring pieces put together: where they are cut may differ."""
    whole: list[Event] = []
    for event in events:
        if isinstance(event, bytes) and whole and isinstance(whole[-1], bytes):
            whole[-1] += event
        else:
            whole.append(event)
    return whole


def fed(core: Core, chunks: list[bytes]) -> list[Event]:
    return joined([event for chunk in chunks for event in core.feed(chunk)])


@given(bodies=st.lists(BODIES, min_size=1, max_size=5), places=st.lists(st.integers(0, 5000)))
def test_any_bodies_cut_anywhere_come_back_exactly(bodies: list[bytes], places: list[int]) -> None:
    stream = b"".join(b"+OK here\r\n" + stuffed(body) for body in bodies)
    core = Core(Limits())
    for _ in bodies:
        core.expect(Shape.BODY)
    expected: list[Event] = []
    for body in bodies:
        expected += [Reply(True, "here"), kept(body), End()]
    assert fed(core, cut(stream, places)) == [event for event in expected if event != b""]
    assert core.expected == 0
    assert core.unread == b""


@given(body=BODIES)
def test_octet_by_octet_gives_the_same_events(body: bytes) -> None:
    stream = b"+OK\r\n" + stuffed(body) + b"-ERR no\r\n+ abc=\r\n"
    outcomes = []
    for chunks in ([stream], [bytes([octet]) for octet in stream]):
        core = Core(Limits())
        for shape in (Shape.BODY, Shape.BODY, Shape.SASL):
            core.expect(shape)
        outcomes.append(fed(core, chunks))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][-2:] == [Reply(False, "no"), Challenge(b"abc=")]


def test_pieces_come_before_the_end_is_there() -> None:
    core = Core(Limits())
    core.expect(Shape.BODY)
    assert core.feed(b"+OK\r\nhalf a li") == [Reply(True, ""), b"half a li"]
    assert core.feed(b"ne\r\n.") == [b"ne"]
    assert core.feed(b".stuffed\r") == [b"\r\n.stuffed"]
    assert core.feed(b"\n.\r\n") == [b"\r\n", End()]


def test_a_line_of_any_length_is_no_trouble() -> None:
    core = Core(Limits(line=100))
    core.expect(Shape.BODY)
    line = b"x" * 1_000_000 + b"\r\n"
    assert fed(core, [b"+OK\r\n", line, b".\r\n"])[1] == line


def test_one_dot_that_no_server_would_send_is_kept() -> None:
    core = Core(Limits())
    core.expect(Shape.BODY)
    assert fed(core, [b"+OK\r\n.first\r\n.second\r\n.\r\n"])[1] == b".first\r\n.second\r\n"


def test_what_nobody_asked_for_stays_unread() -> None:
    core = Core(Limits())
    core.expect(Shape.LINE)
    assert core.feed(b"+OK begin\r\n+OK injected\r\n") == [Reply(True, "begin")]
    assert core.unread == b"+OK injected\r\n"


def test_a_status_line_without_an_end_is_cut_off() -> None:
    core = Core(Limits(line=100))
    core.expect(Shape.LINE)
    assert core.feed(b"+OK " + b"x" * 90) == []
    with pytest.raises(ServerBusy, match="100 octets"):
        core.feed(b"x" * 90)


@pytest.mark.parametrize(
    "line",
    [b"* OK IMAP4rev1 ready", b"220 smtp.example ESMTP", b"+OKAY", b"", b"+ abc", b"\xff\x00"],
)
def test_what_is_not_pop3_is_refused_with_what_was_said(line: bytes) -> None:
    core = Core(Limits())
    core.expect(Shape.LINE)
    with pytest.raises(ServerBusy, match="not one of POP3") as caught:
        core.feed(line + b"\r\n")
    assert line.decode("ascii", "ignore").strip("\x00") in caught.value.answer


def test_what_made_sense_comes_before_the_error() -> None:
    core = Core(Limits())
    core.expect(Shape.LINE)
    core.expect(Shape.LINE)
    core.check()
    assert core.feed(b"+OK fine\r\nnonsense\r\n") == [Reply(True, "fine")]
    with pytest.raises(ServerBusy, match="nonsense"):
        core.check()
    with pytest.raises(ServerBusy, match="nonsense"):
        core.feed(b"+OK\r\n")


def test_words_in_small_letters_are_understood() -> None:
    core = Core(Limits())
    core.expect(Shape.LINE)
    core.expect(Shape.LINE)
    assert core.feed(b"+ok ready\r\n-err\r\n") == [Reply(True, "ready"), Reply(False, "")]
