"""Retrieving messages: the suite against a real Dovecot and against our server."""

import pytest

from buzon.wire.endpoint import Limits
from buzon.wire.errors import Gone, TooLarge
from buzon.wire.imap.values import Retrieved, Wanted
from tests.wire.imap.servers import WHEN, Place, await_that, fetched, mail, opened, wanted

ODD_MAIL = {
    "eight bits": b"Subject: \xf1\xff\x80\r\n\r\n\xe9\x01\r\n",
    "no body": b"Subject: x\r\n\r\n",
    "no header": b"\r\nbody\r\n",
    "no line end": b"Subject: x\r\n\r\nbody",
    "looks like a protocol": b"Subject: x\r\n\r\n)\r\n* 5 EXISTS\r\nb9 OK done {5}\r\n.\r\n..\r\n",
    "bare CR": b"Subject: x\r\n\r\na\rb\r\n",
    "empty": b"",
    "long line": b"Subject: x\r\n\r\n" + b"y" * 1_500_000 + b"\r\n",
}


class TestMessages:
    @pytest.mark.parametrize("name", ODD_MAIL)
    def test_octets_are_exact(self, clear_place: Place, name: str) -> None:
        octets = ODD_MAIL[name]
        clear_place.deliver(octets, date=WHEN)
        with opened(clear_place) as session:
            session.examine("INBOX")
            (message,) = fetched(session)
            assert message == Retrieved(1, octets, len(octets), WHEN)
            (header,) = session.headers([1])
            end = octets.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in octets else 0
            expected = b"\r\n" if octets.startswith(b"\r\n") else octets[:end]
            assert header.octets == expected
            assert (header.size, header.internal_date) == (len(octets), WHEN)
            assert clear_place.flags() == [set()]

    def test_a_bare_lf_comes_as_the_server_gives_it(self, clear_place: Place) -> None:
        clear_place.deliver(b"Subject: x\n\nbody\n")
        with opened(clear_place) as session:
            session.examine("INBOX")
            (message,) = fetched(session)
            assert message.octets in (b"Subject: x\n\nbody\n", b"Subject: x\r\n\r\nbody\r\n")
            assert message.size == len(message.octets)

    def test_nothing_is_marked_by_fetching(self, place: Place) -> None:
        place.deliver(mail(1))
        with opened(place) as session:
            session.select("INBOX")
            assert [one.octets for one in fetched(session)] == [mail(1)]
            assert session.header(1).octets.startswith(b"From: Ana")
        assert place.flags() == [set()]

    def test_three_thousand_in_any_order(self, clear_place: Place) -> None:
        expected = {}
        for number in range(1, 3001):
            expected[number] = mail(number, octets=number % 7 * 300)
            clear_place.deliver(expected[number])
        limits = Limits(window=400_000)
        with opened(clear_place, limits=limits) as session:
            session.examine("INBOX")
            listing = list(reversed(wanted(session)))
            assert len(listing) == 3000
            got = {one.uid: one.octets for one in session.messages(listing)}
            assert got == expected
            headers = {one.uid: one for one in session.headers([one.uid for one in listing])}
            assert len(headers) == 3000
            assert all(expected[uid].startswith(one.octets) for uid, one in headers.items())
            assert all(one.size == len(expected[uid]) for uid, one in headers.items())

    @pytest.mark.parametrize("what", ["messages", "headers"])
    def test_it_looks_for_new_mail_in_the_same_breath(self, place: Place, what: str) -> None:
        place.deliver(mail(1))
        with opened(place) as session:
            session.examine("INBOX")
            (one,) = wanted(session)
            place.deliver(mail(2))
            answers = session.messages([one]) if what == "messages" else session.headers([1])
            assert [answer.uid for answer in answers] == [1]
            if what == "messages":
                assert len(list(session.messages([one], look=True))) == 1
            else:
                assert len(list(session.headers([1], look=True))) == 1
            assert session.changes().exists == 2
            assert not session.changes()

    def test_a_big_one_comes_in_slices_to_a_file(self, place: Place) -> None:
        big = mail(1, octets=20_000_000)
        place.deliver(mail(0))
        place.deliver(big, date=WHEN)
        place.deliver(mail(2))
        with opened(place) as session:
            session.examine("INBOX")
            small, message, other = fetched(session)
            assert (small.octets, other.octets) == (mail(0), mail(2))
            assert not isinstance(message.octets, bytes)
            with message.octets as file:
                assert file.read() == big
            assert (message.size, message.internal_date) == (len(big), WHEN)

    @pytest.mark.parametrize("claimed", [1, 50_000, 99_999, 100_000, 100_001, 500_000])
    def test_a_size_that_is_not_true(self, clear_place: Place, claimed: int) -> None:
        octets = mail(1, octets=100_000)[:100_000]
        clear_place.deliver(octets)
        limits = Limits(spool_above=30_000, slice=10_000)
        with opened(clear_place, limits=limits) as session:
            session.examine("INBOX")
            (message,) = session.messages([Wanted(1, claimed)])
            assert not isinstance(message.octets, bytes)
            with message.octets as file:
                assert file.read() == octets
            assert message.size == 100_000

    @pytest.mark.parametrize("claimed", [10, 50_000, 200_000])
    def test_a_message_above_the_limit_is_not_fetched(
        self, clear_place: Place, claimed: int
    ) -> None:
        clear_place.deliver(mail(1, octets=150_000))
        clear_place.deliver(mail(2))
        limits = Limits(spool_above=30_000, slice=10_000, message=100_000)
        with opened(clear_place, limits=limits) as session:
            session.examine("INBOX")
            first, second = sorted(
                session.messages([Wanted(1, claimed), Wanted(2, 100)]), key=lambda one: one.uid
            )
            assert isinstance(first.error, TooLarge)
            assert first.octets == b""
            assert second.octets == mail(2)

    def test_one_that_is_gone_does_not_hold_up_the_others(self, place: Place) -> None:
        for number in range(1, 6):
            place.deliver(mail(number))
        with opened(place) as session:
            session.examine("INBOX")
            listing = wanted(session)
            place.remove(mail(3))
            await_that(lambda: session.noop() is not None and session.exists == 4)
            messages = {one.uid: one for one in session.messages(listing)}
            assert isinstance(messages[3].error, Gone)
            assert [messages[uid].octets for uid in (1, 2, 4, 5)] == [
                mail(1),
                mail(2),
                mail(4),
                mail(5),
            ]
            headers = {one.uid: one for one in session.headers([1, 3, 77])}
            assert [uid for uid, one in sorted(headers.items()) if one.error] == [3, 77]
            with pytest.raises(Gone):
                session.header(3)
            with pytest.raises(Gone):
                session.structure(3)

    def test_a_message_asked_for_twice_comes_once(self, clear_place: Place) -> None:
        clear_place.deliver(mail(1))
        with opened(clear_place) as session:
            session.examine("INBOX")
            (message,) = session.messages([Wanted(1, 9), Wanted(1, 9)])
            (header,) = session.headers([1, 1])
            assert (message.octets, header.uid) == (mail(1), 1)

    def test_a_big_one_that_is_gone(self, clear_place: Place) -> None:
        clear_place.deliver(mail(1))
        with opened(clear_place) as session:
            session.examine("INBOX")
            (message,) = session.messages([Wanted(9, 5_000_000)])
            assert isinstance(message.error, Gone)

    @pytest.mark.parametrize("overtaking", ["noop", "listing"])
    def test_stopping_early_leaves_the_session_usable(self, place: Place, overtaking: str) -> None:
        for number in range(1, 301):
            place.deliver(mail(number))
        with opened(place, limits=Limits(window=5_000)) as session:
            session.examine("INBOX")
            stream = session.messages(wanted(session))
            next(stream)
            getattr(session, overtaking)()
            with pytest.raises(RuntimeError, match="another command"):
                list(stream)
            assert mail(7).startswith(session.header(7).octets)

    def test_structure(self, place: Place) -> None:
        place.deliver(MULTIPART)
        with opened(place) as session:
            session.examine("INBOX")
            root = session.structure(1)
            assert root.content_type == "multipart/mixed"
            text, attachment, letter = root.parts
            assert (text.section, text.content_type) == ("1", "text/plain")
            assert text.parameters["charset"].lower() == "utf-8"
            assert (attachment.section, attachment.filename) == ("2", "año.pdf")
            assert (attachment.disposition, attachment.encoding) == ("attachment", "base64")
            assert attachment.size == 8
            assert (letter.section, letter.content_type) == ("3", "message/rfc822")
            assert [part.section for part in letter.parts] == ["3.1"]


MULTIPART = b"\r\n".join(
    [
        b"Subject: parts",
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="x"',
        b"",
        b"--x",
        b"Content-Type: text/plain; charset=utf-8",
        b"",
        b"Hola",
        b"--x",
        b"Content-Type: application/pdf",
        b"Content-Disposition: attachment; filename*=utf-8''a%C3%B1o.pdf",
        b"Content-Transfer-Encoding: base64",
        b"",
        b"aG9sYQ==",
        b"--x",
        b"Content-Type: message/rfc822",
        b"",
        b"Subject: inner",
        b"",
        b"inner",
        b"--x--",
        b"",
    ]
)
