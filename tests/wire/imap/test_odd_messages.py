"""Listings and messages as odd servers write them: out of order, broken, lying, without end."""

from array import array

import pytest

from buzon.wire.endpoint import Limits
from buzon.wire.errors import (
    Gone,
    MailError,
    Malformed,
    ServerBusy,
    Throttled,
    TooLarge,
)
from buzon.wire.imap.session import ImapSession
from buzon.wire.imap.values import Changes, Listed, Wanted
from tests.wire.imap.odd_server import odd_session


def body(sequence: int, uid: int, octets: bytes) -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (sequence, uid, len(octets), octets)


class TestListing:
    def test_star_may_name_a_message_before_the_range(self) -> None:
        reply = b"* 3 FETCH (UID 3 RFC822.SIZE 9)\r\nTAG OK\r\n"
        with odd_session({b"UID FETCH 4:*": reply}) as session:
            assert session.listing(4) == []

    def test_order_doubles_and_what_is_told_unasked(self) -> None:
        reply = (
            b"* 3 FETCH (RFC822.SIZE 9 UID 3 INTERNALDATE NIL)\r\n"
            b"* 4 EXISTS\r\n"
            b"* 1 FETCH (FLAGS (\\Seen))\r\n"
            b"* OK Still here\r\n"
            b"* 3 FETCH (UID 3 RFC822.SIZE 9)\r\n"
            b'* 1 FETCH (INTERNALDATE "99-Foo-0000 00:00:00 +0000" UID 1 RFC822.SIZE 7)\r\n'
            b"* 2 FETCH (UID 2)\r\n"
            b"TAG OK\r\n"
        )
        with odd_session({b"UID FETCH 1:*": reply}) as session:
            assert session.listing() == [Listed(1, 7, None), Listed(2, 0, None), Listed(3, 9, None)]
            assert session.exists == 4
            assert session.noop() == Changes(4, expunged=False)

    def test_a_refusal(self) -> None:
        with (
            odd_session({b"UID FETCH": b"TAG NO [LIMIT] less\r\n"}) as session,
            pytest.raises(Throttled),
        ):
            session.listing()

    @pytest.mark.parametrize(
        "answer",
        [
            b'* ESEARCH (TAG "TAG") UID ALL 1:900\r\n',
            b'* ESEARCH (TAG "TAG") UID ALL 1:4294967295\r\n',
            b'* ESEARCH (TAG "TAG") UID ALL x\r\n',
            b'* ESEARCH (TAG "TAG") UID ALL\r\n',
            b"",
        ],
    )
    def test_ranges_that_cannot_be_true_are_asked_for_one_by_one(self, answer: bytes) -> None:
        replies = {
            b"AUTHENTICATE": b"TAG OK [CAPABILITY IMAP4rev1 ESEARCH] hello\r\n",
            b"UID SEARCH RETURN": answer + b"TAG OK\r\n",
            b"UID SEARCH UID": b"* SEARCH 900 1 7\r\n* SEARCH 7\r\nTAG OK\r\n",
        }
        with odd_session(replies) as session:
            assert session.uids() == array("I", [1, 7, 900])


class TestMessages:
    def test_what_is_told_between_bodies(self) -> None:
        reply = (
            b"* 4 EXISTS\r\n"
            + body(2, 2, b"two")
            + b"* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n* 1 EXPUNGE\r\n"
            + b"* 9 FETCH (UID 77 BODY[] {5}\r\nalien)\r\n"
            + body(1, 2, b"two again")
            + b'* 1 FETCH (BODY[] "one" UID 1)\r\n'
            + b"* 3 FETCH (FLAGS () UID 3 BODY[] NIL)\r\nTAG OK\r\n"
        )
        with odd_session({b"UID FETCH": reply}) as session:
            got = list(session.messages([Wanted(n, 9) for n in (1, 2, 3)]))
            assert [(one.uid, one.octets) for one in got] == [(2, b"two"), (1, b"one"), (3, b"")]
            assert isinstance(got[2].error, Gone)
            assert session.noop() == Changes(3, expunged=True)

    def test_one_that_the_server_cannot_give_is_found_out_alone(self) -> None:
        replies = {
            b"UID FETCH 1:3": body(1, 1, b"one") + b"TAG NO [SERVERBUG] cannot\r\n",
            b"UID FETCH 2 ": b"TAG NO [SERVERBUG] cannot\r\n",
            b"UID FETCH 3 ": body(3, 3, b"three") + b"TAG OK\r\n",
        }
        with odd_session(replies) as session:
            one, two, three = session.messages([Wanted(n, 9) for n in (1, 2, 3)])
            assert (one.octets, three.octets) == (b"one", b"three")
            assert isinstance(two.error, Malformed)
            assert "SERVERBUG" in two.error.answer

    @pytest.mark.parametrize("what", ["messages", "headers"])
    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (b"TAG NO [EXPUNGEISSUED] gone\r\n", Gone),
            (b"TAG NO [THROTTLED] slow\r\n", Throttled),
            (b"TAG NO [UNAVAILABLE] later\r\n", ServerBusy),
            (b"TAG NO try later\r\n", ServerBusy),
            (b"TAG BAD what\r\n", Malformed),
            (b'* 1 FETCH (UID 1 "x)\r\nTAG OK\r\n', Malformed),
            (b"TAG OK\r\n", Gone),
        ],
    )
    def test_why_one_did_not_come(self, what: str, reply: bytes, kind: type[MailError]) -> None:
        def fetch(session: ImapSession) -> MailError | None:
            if what == "headers":
                return next(session.headers([1])).error
            return next(session.messages([Wanted(1, 9)])).error

        with odd_session({b"UID FETCH 1 ": reply}) as session:
            try:
                error = fetch(session)
            except MailError as raised:
                error = raised
            assert type(error) is kind

    def test_a_size_misstated_beyond_all_measure(self) -> None:
        limits = Limits(spool_above=100, slice=100, message=1000)
        replies = {
            b"UID FETCH 1:2": body(1, 1, b"x" * 2000) + body(2, 2, b"two") + b"TAG OK\r\n",
        }
        with odd_session(replies, limits=limits) as session:
            two, one = session.messages([Wanted(1, 9), Wanted(2, 9)])
            assert two.octets == b"two"
            assert isinstance(one.error, TooLarge)

    def test_a_header_beyond_all_measure(self) -> None:
        reply = b"* 1 FETCH (UID 1 BODY[HEADER] {2000}\r\n" + b"x" * 2000 + b")\r\nTAG OK\r\n"
        with odd_session({b"UID FETCH": reply}, limits=Limits(spool_above=100, slice=100)) as s:
            (header,) = s.headers([1])
            assert isinstance(header.error, TooLarge)

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (b"* 1 FETCH (UID 1 BODY[]<0> {200}\r\n" + b"x" * 200 + b")\r\nTAG OK\r\n", Malformed),
            (b"* 1 FETCH (UID 1 BODY[]<7> {1}\r\nx)\r\nTAG OK\r\n", Malformed),
            (b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\nTAG OK\r\n", Malformed),
            (b'* 1 FETCH (UID 1 BODY[]<0> "open)\r\nTAG OK\r\n', Malformed),
            (b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\nTAG OK\r\n", Gone),
            (b"* 1 FETCH (FLAGS ())\r\nTAG OK\r\n", Gone),
            (b"TAG NO [SERVERBUG] x\r\n", Malformed),
        ],
    )
    def test_slices_that_make_no_sense(self, answer: bytes, kind: type[MailError]) -> None:
        limits = Limits(spool_above=100, slice=100, window=100)
        with odd_session({b"UID FETCH": answer}, limits=limits) as session:
            (message,) = session.messages([Wanted(1, 250)])
            assert type(message.error) is kind
            assert session.noop() is not None

    def test_more_slices_after_the_end(self) -> None:
        replies = {
            b"UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<0.": slice_of(0, 100),
            b"UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<100.": slice_of(100, 50),
            b"UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<200.": slice_of(200, 10),
        }
        limits = Limits(spool_above=100, slice=100)
        with odd_session(replies, limits=limits) as session:
            (message,) = session.messages([Wanted(1, 250)])
            assert isinstance(message.error, Malformed)

    def test_a_message_that_never_ends_is_cut_at_the_limit(self) -> None:
        replies = {
            b"UID FETCH 1 (UID INTERNALDATE BODY.PEEK[]<%d." % at: slice_of(at, 100)
            for at in range(0, 2000, 100)
        }
        limits = Limits(spool_above=100, slice=100, message=1000)
        with odd_session(replies, limits=limits) as session:
            (message,) = session.messages([Wanted(1, 250)])
            assert isinstance(message.error, TooLarge)
            assert session.noop() is not None

    def test_structure_that_makes_no_sense(self) -> None:
        for value in (b"NIL", b"()", b'"x"', b'("open'):
            reply = b"* 1 FETCH (UID 1 BODYSTRUCTURE " + value + b")\r\nTAG OK\r\n"
            with odd_session({b"UID FETCH": reply}) as session, pytest.raises(Malformed):
                session.structure(1)


def slice_of(offset: int, size: int) -> bytes:
    octets = b"x" * size
    return b"* 1 FETCH (UID 1 BODY[]<%d> {%d}\r\n%b)\r\nTAG OK\r\n" % (offset, size, octets)
