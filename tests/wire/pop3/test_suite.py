"""POP3 against a real Dovecot and against our own server, in every kind of encryption."""

import random
from dataclasses import replace

import pytest

from buzon.wire.endpoint import Credentials, Limits, Security
from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    MessageError,
    NotPermitted,
    TlsRefused,
    TooLarge,
)
from buzon.wire.pop3 import NotDeleted, Pop3Session
from tests.wire.pop3.servers import Place, letter, octets_of, retrieved

HEADER = b"From: eva@cliente.example\r\nSubject: =?utf-8?q?a=C3=B1o?=\r\n\r\n"

ODD = [
    HEADER + b"plain\r\n",
    HEADER + b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n",
    HEADER + b"no end",
    HEADER + b"ends with a dot\r\n.",
    HEADER + b"ends with CR\r",
    HEADER + b"\r\n\r\n\r\n",
    HEADER + b"\xf1\xff\x80 eight bits \xc3\xb1\r\n",
    HEADER + b"NUL \x00\x00\r\n",
    HEADER + b"lone\rCR\r\r\n",
    HEADER + b"-ERR not an answer\r\n+OK nor this\r\n",
    HEADER,
    b"Subject: a header only\r\nTo: x\r\nCc: y\r\n",
    b".begins with a dot\r\nSubject: x\r\n\r\nbody\r\n",
    b"..begins with two dots\r\nSubject: x\r\n\r\nno end",
    b"\r\nno header at all\r\n\r\n",
    HEADER + b"x" * 70_000 + b"\r\n",
    HEADER + (b"." * 1000 + b"\r\n") * 300,
]


def test_an_empty_mailbox(place: Place) -> None:
    with place.open() as session:
        assert session.listing() == []
        assert session.has_uidl
        assert session.has_top
        assert list(session.headers([])) == []
        assert list(session.messages([])) == []
        session.quit()


def test_the_listing_names_every_message(place: Place) -> None:
    for number in range(5):
        place.deliver(letter(number))
    with place.open() as session:
        listing = session.listing()
        assert session.has("pipelining")
        session.quit()
    assert [each.number for each in listing] == [1, 2, 3, 4, 5]
    assert [each.size for each in listing] == [len(letter(number)) for number in range(5)]
    assert len({each.uidl for each in listing} - {None}) == 5
    with place.open() as session:
        assert session.listing() == listing, "a UIDL is for ever"


def test_headers_are_whole_and_nothing_more(place: Place) -> None:
    for number in range(3):
        place.deliver(HEADER + letter(number))
    place.deliver(b".dot: yes\r\nSubject: x\r\n\r\n.body\r\n")
    with place.open() as session:
        tops = list(session.headers([3, 1, 4]))
    assert [(top.number, top.error) for top in tops] == [(3, None), (1, None), (4, None)]
    assert [top.octets for top in tops[:2]] == [HEADER, HEADER]
    assert tops[2].octets == b".dot: yes\r\nSubject: x\r\n\r\n"


def test_every_octet_comes_as_it_lies_there(place: Place) -> None:
    for octets in ODD:
        place.deliver(octets)
    with place.open() as session:
        assert retrieved(session) == [place.given(octets) for octets in ODD]
    assert place.stored() == ODD


def test_random_octets_come_as_they_lie_there(place: Place) -> None:
    """What POP3 demands of a message: no LF without its CR."""
    chance = random.Random(2)
    parts = [b"\r\n", b".", b"..", b"\r\n.\r\n", b"\r", b"a", b" ", b"\xff", b"xyz" * 50]
    letters = [HEADER + b"".join(chance.choices(parts, k=chance.randrange(200))) for _ in range(60)]
    for octets in letters:
        place.deliver(octets)
    with place.open() as session:
        assert retrieved(session) == [place.given(octets) for octets in letters]


def test_a_message_of_20_mb_comes_in_a_file(place: Place) -> None:
    big = HEADER + (b".dotted line of some length, as people write them\r\n") * 400_000
    place.deliver(letter(1))
    place.deliver(big)
    place.deliver(letter(2))
    with place.open() as session:
        first, second, third = session.messages(session.listing())
        assert second.size == len(big) > 20_000_000
        assert not isinstance(second.octets, bytes)
        assert octets_of(second) == big
        assert (first.octets, third.octets) == (letter(1), letter(2))


def test_a_line_of_10_mb(place: Place) -> None:
    long = HEADER + b"x" * 10_000_000 + b"\r\n"
    place.deliver(long)
    with place.open(Limits(line=1000)) as session:
        assert retrieved(session) == [long]


def test_two_thousand_messages_pipelined(place: Place) -> None:
    letters = [letter(number) for number in range(2000)]
    for octets in letters:
        place.deliver(octets)
    with place.open(Limits(window=20_000)) as session:
        listing = session.listing()
        assert [top.octets for top in session.headers([each.number for each in listing])] == [
            octets[: octets.index(b"\r\n\r\n") + 4] for octets in letters
        ]
        assert retrieved(session) == letters
        session.delete([each.number for each in listing])
        session.quit()
    assert place.stored() == []


def test_delete_and_quit_deletes_those_alone(place: Place) -> None:
    for number in range(4):
        place.deliver(letter(number))
    with place.open() as session:
        session.delete([2, 4])
        assert [each.number for each in session.listing()] == [1, 3]
        assert len(place.stored()) == 4, "deletions are for QUIT"
        session.quit()
    assert place.stored() == [letter(0), letter(2)]


def test_delete_and_close_deletes_nothing(place: Place) -> None:
    for number in range(3):
        place.deliver(letter(number))
    with place.open() as session:
        session.delete([1, 2, 3])
        session.close()
        session.close()
    with place.open() as session:
        assert len(session.listing()) == 3
    assert len(place.stored()) == 3


def test_reset_takes_deletions_back(place: Place) -> None:
    place.deliver(letter(0))
    with place.open() as session:
        session.delete([1])
        session.reset()
        session.noop()
        session.quit()
    assert place.stored() == [letter(0)]


def test_deleting_what_is_not_there_names_it_and_marks_the_others(place: Place) -> None:
    for number in range(3):
        place.deliver(letter(number))
    with place.open() as session:
        with pytest.raises(NotDeleted, match="2 of 4 messages") as caught:
            session.delete([1, 7, 3, 9])
        assert caught.value.numbers == {7, 9}
        session.quit()
    assert place.stored() == [letter(1)]


def test_what_another_client_deleted_is_not_listed(place: Place) -> None:
    for number in range(3):
        place.deliver(letter(number))
    with place.open() as session:
        before = session.listing()
        session.quit()
    place.remove(letter(1))
    with place.open() as session:
        after = session.listing()
        assert [each.uidl for each in after] == [before[0].uidl, before[2].uidl]
        assert retrieved(session) == [letter(0), letter(2)]


def test_what_another_client_deletes_meanwhile_is_its_own_error(place: Place) -> None:
    for number in range(3):
        place.deliver(letter(number))
    with place.open() as session:
        listing = session.listing()
        place.remove(letter(1))
        first, second, third = session.messages(listing)
        assert isinstance(second.error, MessageError)
        assert (second.octets, second.size) == (b"", 0)
        assert (first.octets, third.octets) == (letter(0), letter(2))
        session.quit()


def test_a_message_over_the_limit_is_left_there(place: Place) -> None:
    place.deliver(letter(1))
    place.deliver(HEADER + b"x" * 5000 + b"\r\n")
    place.deliver(letter(2))
    with place.open(Limits(message=1000)) as session:
        listing = session.listing()
        first, second, third = session.messages(listing)
        assert isinstance(second.error, TooLarge)
        assert (first.octets, third.octets) == (letter(1), letter(2))
        # The same when LIST had lied.
        lied = [replace(each, size=0) for each in listing]
        first, second, third = session.messages(lied)
        assert isinstance(second.error, TooLarge)
        assert (first.octets, third.octets) == (letter(1), letter(2))
        session.quit()


def test_an_abandoned_iteration_does_not_confuse_the_next_command(place: Place) -> None:
    for number in range(50):
        place.deliver(letter(number))
    with place.open() as session:
        listing = session.listing()
        half = session.messages(listing)
        assert next(half).octets == letter(0)
        session.delete([1])
        assert len(session.listing()) == 49
        with pytest.raises(RuntimeError, match="abandoned"):
            next(half)
        session.quit()
    assert len(place.stored()) == 49


def test_a_wrong_secret_is_refused(place: Place) -> None:
    wrong = Credentials(username=place.credentials.username, secret="wrong")
    with pytest.raises(AuthRejected):
        Pop3Session.open(place.endpoint(), wrong)


def test_a_line_end_in_the_login_never_leaves_us(place: Place) -> None:
    """Not even a connection is made: on port 9 nobody listens."""
    for name, secret in (("ana\r\nDELE 1", "x"), ("ana", "x\nQUIT"), ("a\0b", "x")):
        with pytest.raises(NotPermitted, match="control character"):
            Pop3Session.open(place.endpoint(port=9), Credentials(username=name, secret=secret))


def test_bytes_are_counted(place: Place) -> None:
    place.deliver(HEADER + b"x" * 100_000 + b"\r\n")
    with place.open() as session:
        before = session.bytes_in
        retrieved(session)
        assert 100_000 < session.bytes_in - before < 102_000


def test_after_quit_the_session_is_over(place: Place) -> None:
    with place.open() as session:
        session.quit()
        with pytest.raises(ConnectFailed):
            session.noop()


def test_certificates(place: Place) -> None:
    """Refused when nobody we trust signed it, unless it is the very one that was pinned."""
    if place.security is Security.NONE:
        with place.open() as session:
            assert session.certificate_sha256 == ""
        return
    with pytest.raises(TlsRefused, match=place.certificate_sha256):
        Pop3Session.open(place.endpoint(ca_file=""), place.credentials)
    pinned = place.endpoint(pinned_sha256="0" * 64)
    with pytest.raises(TlsRefused):
        Pop3Session.open(pinned, place.credentials)
    pinned = place.endpoint(ca_file="", pinned_sha256=place.certificate_sha256)
    with Pop3Session.open(pinned, place.credentials) as session:
        assert session.listing() == []
        assert session.certificate_sha256 == place.certificate_sha256
        session.quit()
