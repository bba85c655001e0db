"""The core by octets: every shape of a response, any split of the stream, and every cap."""

import itertools
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzon.wire.endpoint import Limits
from buzon.wire.errors import ConnectFailed
from buzon.wire.imap import fetch
from buzon.wire.imap.core import ImapCore
from buzon.wire.imap.events import (
    Atom,
    Continuation,
    Data,
    Event,
    Exists,
    Expunged,
    Fetched,
    Found,
    Nonsense,
    Skipped,
    Status,
)

DATE = b'INTERNALDATE "17-Jul-1996 02:44:25 -0700"'


def events_of(stream: bytes, *, limits: Limits | None = None, chunk: int = 0) -> list[Event]:
    core = ImapCore(limits or Limits())
    events = []
    step = chunk or len(stream) or 1
    for at in range(0, len(stream), step):
        core.feed(stream[at : at + step])
        while (event := core.next_event()) is not None:
            events.append(event)
    return events


def only(stream: bytes, *, limits: Limits | None = None) -> Event:
    (event,) = events_of(stream, limits=limits)
    return event


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"b1 OK done", Status(b"b1", "OK", "", b"", "done")),
        (b"b1 ok", Status(b"b1", "OK", "", b"", "")),
        (b"* PREAUTH hello", Status(b"*", "PREAUTH", "", b"", "hello")),
        (b"* BYE", Status(b"*", "BYE", "", b"", "")),
        (b"b2 NO [TRYCREATE] no", Status(b"b2", "NO", "TRYCREATE", b"", "no")),
        (b"* OK [UIDNEXT 7] next", Status(b"*", "OK", "UIDNEXT", b"7", "next")),
        (b"* OK [uidnext 7]", Status(b"*", "OK", "UIDNEXT", b"7", "")),
        (b"* OK [UNSEEN 7", Status(b"*", "OK", "", b"", "[UNSEEN 7")),
        (b"* OK not a literal {5}", Status(b"*", "OK", "", b"", "not a literal {5}")),
        (b"b3 NO nor here {5}", Status(b"b3", "NO", "", b"", "nor here {5}")),
        (b"+ idling", Continuation(b"idling")),
        (b"+", Continuation(b"")),
        (b"+ nor here {5}", Continuation(b"nor here {5}")),
        (b"* 23 EXISTS", Exists(23)),
        (b"* 23 exists ", Exists(23)),
        (b"* 3 EXPUNGE", Expunged(3)),
        (b"* SEARCH", Found(array("I"))),
        (b"* SEARCH 2 84 882 ", Found(array("I", [2, 84, 882]))),
        (b"* SEARCH 2 5 (MODSEQ 917162500)", Found(array("I", [2, 5]))),
        (b"* SEARCH 0 4294967295 4294967296 99999999999 x", Found(array("I", [4294967295]))),
        (b"* CAPABILITY IMAP4rev1 IDLE", Data("CAPABILITY", [b"IMAP4rev1", b"IDLE"])),
        (b"* list () NIL inbox", Data("LIST", [[], b"NIL", b"inbox"])),
        (b'* LIST (\\A) "/" "a \\"b\\" \\\\"', Data("LIST", [[b"\\A"], b"/", b'a "b" \\'])),
        (b"* LIST () NIL [Gmail]/All", Data("LIST", [[], b"NIL", b"[Gmail]/All"])),
        (b"* LIST () NIL foo[bar", Data("LIST", [[], b"NIL", b"foo[bar"])),
        (b"* FLAGS (\\Seen (x) ))", Data("FLAGS", [[b"\\Seen", [b"x"]]])),
        (b"* FLAGS (\\Seen", Data("FLAGS", [[b"\\Seen"]])),
        (b'* LIST () "', Nonsense(b'* LIST () "')),
        (b"* 5 RECENT", Nonsense(b"* 5 RECENT")),
        (b"* ", Nonsense(b"* ")),
        (b"220 smtp.example ready", Nonsense(b"220 smtp.example ready")),
        (b"* OKAY", Data("OKAY", [])),
    ],
)
def test_one_line(line: bytes, event: Event) -> None:
    assert only(line + b"\r\n") == event
    assert only(line + b"\n") == event


def test_a_status_shows_all_of_itself_to_a_person() -> None:
    status = only(b"b1 NO [BADCHARSET (UTF-8)] sorry\r\n")
    assert isinstance(status, Status)
    assert status.said == "NO [BADCHARSET (UTF-8)] sorry"


def test_empty_lines_are_passed_over() -> None:
    assert events_of(b"\r\n  \r\n* 1 EXISTS\r\n") == [Exists(1)]


def test_atoms_are_told_from_strings() -> None:
    event = only(b'* LIST () NIL "NIL"\r\n')
    assert isinstance(event, Data)
    assert [type(value) for value in event.values] == [list, Atom, bytes]


FETCHES: list[tuple[bytes, Fetched]] = [
    (
        b"* 12 FETCH (UID 7 " + DATE + b" BODY[] {5}\r\na\r\n)x)",
        Fetched(12, {"UID": 7, "INTERNALDATE": DATE[14:-1], "BODY[]": b"a\r\n)x"}),
    ),
    (
        b"* 12 FETCH (BODY[HEADER] {2}\r\n\r\n UID 7 RFC822.SIZE 9 " + DATE + b")",
        Fetched(
            12,
            {"UID": 7, "RFC822.SIZE": 9, "INTERNALDATE": DATE[14:-1], "BODY[HEADER]": b"\r\n"},
        ),
    ),
    (b"* 1 FETCH (UID 7 BODY[]<0> {0}\r\n)", Fetched(1, {"UID": 7, "BODY[]<0>": b""})),
    (b"* 1 FETCH (UID 7 BODY[]<99> ~{1}\r\n\0)", Fetched(1, {"UID": 7, "BODY[]<99>": b"\0"})),
    (b"* 1 FETCH (UID 7 BODY[] {3+}\r\nabc)", Fetched(1, {"UID": 7, "BODY[]": b"abc"})),
    (b'* 1 FETCH (UID 7 BODY[] "a \\"q\\"")', Fetched(1, {"UID": 7, "BODY[]": b'a "q"'})),
    (b"* 1 FETCH (UID 7 BODY[] NIL)", Fetched(1, {"UID": 7, "BODY[]": None})),
    (b'* 1 FETCH (UID 7 BODY[] "NIL")', Fetched(1, {"UID": 7, "BODY[]": b"NIL"})),
    (b"* 1 fetch (body[] {1}\r\nx uid 7)", Fetched(1, {"UID": 7, "BODY[]": b"x"})),
    (
        b"* 1 FETCH (FLAGS (\\Seen $X) UID 7 MODSEQ (12) BODY[] {1}\r\nx)",
        Fetched(1, {"FLAGS": [b"\\Seen", b"$X"], "UID": 7, "MODSEQ": [b"12"], "BODY[]": b"x"}),
    ),
    (
        b"* 1 FETCH (UID 7 BODY[HEADER.FIELDS (DATE FROM)]<0> {1}\r\nx)",
        Fetched(1, {"UID": 7, "BODY[HEADER.FIELDS (DATE FROM)]<0>": b"x"}),
    ),
    (
        b"* 1 FETCH (UID 7 BODY[1] {1}\r\nx BODY[2] {2}\r\nyz)",
        Fetched(1, {"UID": 7, "BODY[1]": b"x", "BODY[2]": b"yz"}),
    ),
    (b"* 2 FETCH (UID 3 RFC822.SIZE 4)", Fetched(2, {"UID": 3, "RFC822.SIZE": 4})),
    (b"* 2 FETCH (FLAGS ())", Fetched(2, {"FLAGS": []})),
    (b"* 2 FETCH ()", Fetched(2, {})),
    (b"* 2 FETCH (UID 3 FLAGS)", Fetched(2, {"UID": 3}, broken=True)),
    (b'* 2 FETCH (UID 3 "x" y)', Fetched(2, {"UID": 3}, broken=True)),
    (b'* 2 FETCH (ENVELOPE ("open) UID 3 X)', Fetched(2, {"UID": 3}, broken=True)),
    (b"* 2 FETCH (UID " + b"(" * 200, Fetched(2, {}, broken=True)),
    (b"* 2 FETCH x", Fetched(2, {}, broken=True)),
    (b"* 2 FETCH (UID 9999999999999999999999)", Fetched(2, {"UID": b"9" * 22})),
]


@pytest.mark.parametrize(("octets", "event"), FETCHES)
def test_fetch(octets: bytes, event: Fetched) -> None:
    assert only(octets + b"\r\n") == event


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_any_fixed_chunk_gives_the_same_events(chunk: int) -> None:
    stream = b"".join(octets + b"\r\n* 3 EXISTS\r\n" for octets, _ in FETCHES)
    assert events_of(stream, chunk=chunk) == events_of(stream)


small_items = st.lists(
    st.sampled_from(
        [b"UID 7", b"RFC822.SIZE 12", DATE, b"FLAGS (\\Seen)", b"MODSEQ (9)", b"X-GM-MSGID 5"]
    ),
    unique=True,
)
body_names = st.sampled_from([b"BODY[]", b"BODY[HEADER]", b"BODY[]<0>", b"BODY[1.2]", b"RFC822"])
bodies = st.builds(
    lambda name, octets, form: name + b" " + form % len(octets) + b"\r\n" + octets,
    body_names,
    st.binary(max_size=40) | st.sampled_from([b")\r\n* 9 EXISTS\r\n", b"{5}\r\n", b"\r\n"]),
    st.sampled_from([b"{%d}", b"{%d+}", b"~{%d}"]),
)
fetches = st.builds(
    lambda before, body, after: b"* 1 FETCH (" + b" ".join([*before, body, *after]) + b")\r\n",
    small_items,
    bodies,
    small_items,
)
lines = st.sampled_from(
    [
        b"* 5 EXISTS\r\n",
        b"* 2 EXPUNGE\r\n",
        b"* SEARCH 1 2 3\r\n",
        b"* OK still here {3}\r\n",
        b'* LIST (\\Noselect) "/" {4}\r\na"b\\\r\n',
        b'* ID ("name" "x" "y" NIL)\r\n',
        b"b7 OK [READ-ONLY] done\r\n",
        b"+ go on\r\n",
        b"\r\n",
        b"rubbish\n",
    ]
)
streams = st.lists(fetches | lines, max_size=8).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(stream=streams, cuts=st.lists(st.integers(min_value=0, max_value=600)))
def test_any_split_of_the_stream_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    core = ImapCore(Limits())
    events = []
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for begin, end in itertools.pairwise(places):
        core.feed(stream[begin:end])
        while (event := core.next_event()) is not None:
            events.append(event)
    assert events == events_of(stream)
    assert core.take_unread() == b""


@settings(max_examples=150, deadline=None)
@given(before=small_items, body=bodies, after=small_items)
def test_the_fast_way_reads_what_the_slow_way_reads(
    before: list[bytes], body: bytes, after: list[bytes]
) -> None:
    line, _, rest = body.partition(b"\r\n")
    size = int(line.rpartition(b"{")[2].rstrip(b"+}"))
    head = b"* 1 FETCH (" + b" ".join([*before, line])
    tail = b"".join(b" " + item for item in after) + b")"
    parts: list[bytes | Skipped] = [head, rest[:size], tail]
    fast, slow = fetch.fast(parts), fetch.slow(parts, most=1000)
    assert slow is not None
    assert not slow.broken
    if fast is not None:
        assert fast == slow
    simple = (b"UID", b"RFC822.SIZE", b"INTERNALDATE")
    if body.startswith((b"BODY[] ", b"BODY[HEADER] ")) and all(
        item.split()[0] in simple for item in [*before, *after]
    ):
        assert fast is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60) | fetches | lines, max_size=6))
def test_whatever_comes_is_events_or_a_refusal(pieces: list[bytes]) -> None:
    core = ImapCore(Limits(line=100, list_items=10))
    try:
        for piece in pieces:
            core.feed(piece)
            while core.next_event() is not None:
                pass
    except ConnectFailed:
        return


def test_octets_behind_the_last_event_are_taken_out() -> None:
    core = ImapCore(Limits())
    core.feed(b"b1 OK begin TLS\r\n* 1 EX")
    assert core.next_event() == Status(b"b1", "OK", "", b"", "begin TLS")
    assert core.take_unread() == b"* 1 EX"
    assert core.next_event() is None
    core.feed(b"* 2 EX")
    assert core.next_event() is None
    core.feed(b"ISTS\r\n")
    assert core.next_event() == Exists(2)


def test_octets_that_began_a_line_are_taken_out_too() -> None:
    core = ImapCore(Limits())
    core.feed(b"* 1 EX")
    assert core.next_event() is None
    core.feed(b"IST")
    assert core.take_unread() == b"* 1 EXIST"


SMALL = Limits(line=100, message=10_000, spool_above=50, slice=60, list_items=20)


def test_a_literal_larger_than_we_hold_is_counted_and_passed_over() -> None:
    stream = b"* 1 FETCH (UID 7 BODY[] {500}\r\n" + b"x" * 500 + b")\r\n* 1 EXISTS\r\n"
    expected = [Fetched(1, {"UID": 7, "BODY[]": Skipped(500)}), Exists(1)]
    assert events_of(stream, limits=SMALL) == expected
    assert events_of(stream, limits=SMALL, chunk=1) == expected


def test_literals_of_one_response_share_the_cap() -> None:
    literal = b"BODY[%d] {60}\r\n" + b"x" * 60
    stream = b"* 1 FETCH (" + literal % 1 + b" " + literal % 2 + b")\r\n"
    event = only(stream, limits=SMALL)
    assert event == Fetched(1, {"BODY[1]": b"x" * 60, "BODY[2]": Skipped(60)})


@pytest.mark.parametrize(
    "stream",
    [
        b"* 1 FETCH (BODY[] {4294967296}\r\n",
        b"* 1 FETCH (BODY[] {99999999999999999999}\r\n",
        b"* OK " + b"x" * 100 + b"\r\n",
        b"x" * 101,
        b"* LIST " + b"{1}\r\na " * 30,
        b"* LIST " + (b"x" * 90 + b"{0}\r\n") * 5,
    ],
)
def test_what_is_longer_than_the_limits_ends_the_connection(stream: bytes) -> None:
    with pytest.raises(ConnectFailed):
        events_of(stream, limits=SMALL)
    with pytest.raises(ConnectFailed):
        events_of(stream, limits=SMALL, chunk=1)


def test_too_many_words_are_nonsense_and_break_only_their_message() -> None:
    words = b" a" * 30
    assert isinstance(only(b"* FLAGS" + words + b"\r\n", limits=SMALL), Nonsense)
    event = only(b"* 1 FETCH (UID 7 FLAGS (" + words + b"))\r\n", limits=SMALL)
    assert event == Fetched(1, {"UID": 7}, broken=True)


def test_an_answer_that_names_every_message_may_be_longer_than_a_line() -> None:
    numbers = list(range(1, 200_001))
    stream = b"* SEARCH " + b" ".join(b"%d" % n for n in numbers) + b"\r\n"
    event = only(stream)
    assert isinstance(event, Found)
    assert event.numbers.tolist() == numbers
    assert events_of(stream, limits=SMALL, chunk=1000) == [event]
