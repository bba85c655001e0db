"""The IMAP suite: every test against a real Dovecot and against our server, so neither drifts.

Longer than a file should be: it is one list of what an IMAP session must do, read as a whole.
"""

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from buzon.wire.endpoint import Credentials, Limits, Security
from buzon.wire.errors import (
    AuthRejected,
    ConnectFailed,
    FolderMissing,
    Gone,
    NotPermitted,
    TlsRefused,
    TooLarge,
)
from buzon.wire.imap.session import ImapSession
from buzon.wire.imap.values import Retrieved, Wanted
from tests.wire.imap.servers import Place, mail, opened

WHEN = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)


def wanted(session: ImapSession) -> list[Wanted]:
    return [Wanted(one.uid, one.size) for one in session.listing()]


def fetched(session: ImapSession) -> list[Retrieved]:
    return sorted(session.messages(wanted(session)), key=lambda one: one.uid)


class TestLoggingIn:
    def test_a_login_in_every_kind_of_encryption(self, place: Place) -> None:
        with opened(place) as session:
            assert session.has("imap4rev1")
            assert session.has("UIDPLUS")
            assert not session.has("STARTTLS")
            assert not session.is_gmail
            assert session.server_id["name"]
            assert session.bytes_in > 0

    def test_a_wrong_secret_is_refused(self, place: Place) -> None:
        wrong = dataclasses.replace(place.credentials(), secret="wrong")
        with pytest.raises(AuthRejected, match="check the user name") as refused:
            ImapSession.open(place.endpoint(), wrong)
        assert refused.value.answer
        assert "wrong" not in str(refused.value)

    @pytest.mark.parametrize("field", ["username", "secret"])
    def test_control_characters_are_refused(self, clear_place: Place, field: str) -> None:
        bad = dataclasses.replace(clear_place.credentials(), **{field: "a\r\nb NOOP"})
        with pytest.raises(NotPermitted, match="control character"):
            ImapSession.open(clear_place.endpoint(), bad)

    def test_a_login_that_is_not_ascii(self, clear_place: Place) -> None:
        other = Credentials(username="niño@tienda.example", secret="contraseña ñ")
        with pytest.raises(AuthRejected):
            ImapSession.open(clear_place.endpoint(), other)

    def test_oauth_where_it_is_not_offered(self, clear_place: Place) -> None:
        token = dataclasses.replace(clear_place.credentials(), mechanism="oauth2")
        with pytest.raises(NotPermitted, match="OAuth"):
            ImapSession.open(clear_place.endpoint(), token)

    def test_compression(self, place: Place) -> None:
        octets = b"Subject: repetition\r\n\r\n" + b"All the same.\r\n" * 20_000
        place.deliver(octets)
        with opened(place, compress=True) as session:
            session.examine("INBOX")
            assert [one.octets for one in fetched(session)] == [octets]
            assert session.bytes_in < len(octets) / 10


class TestCertificates:
    def test_a_self_signed_one_is_refused_with_its_fingerprint(self, tls_place: Place) -> None:
        with pytest.raises(TlsRefused, match=tls_place.pin()):
            ImapSession.open(tls_place.endpoint(ca_file=""), tls_place.credentials())

    def test_the_pinned_one_is_accepted(self, tls_place: Place) -> None:
        endpoint = tls_place.endpoint(ca_file="", pinned_sha256=tls_place.pin())
        with ImapSession.open(endpoint, tls_place.credentials()) as session:
            assert session.examine("INBOX").exists == 0

    def test_another_than_the_pinned_one_is_refused(self, tls_place: Place) -> None:
        endpoint = tls_place.endpoint(pinned_sha256=hashlib.sha256(b"another").hexdigest())
        with pytest.raises(TlsRefused, match="not the pinned one"):
            ImapSession.open(endpoint, tls_place.credentials())

    def test_tls_on_a_clear_port_is_refused(self, clear_place: Place) -> None:
        endpoint = dataclasses.replace(clear_place.endpoint(), security=Security.TLS)
        with pytest.raises((TlsRefused, ConnectFailed)):
            ImapSession.open(endpoint, clear_place.credentials())


class TestFolders:
    NAMES = ("Enviados", "Añejo & más", "日本語", "con espacio")

    def test_names_in_every_script(self, place: Place) -> None:
        for name in self.NAMES:
            place.add_folder(name)
            place.deliver(mail(1), name)
        with opened(place) as session:
            found = {folder.name: folder for folder in session.folders()}
            assert set(self.NAMES) | {"INBOX"} <= set(found)
            assert all(found[name].selectable and found[name].delimiter for name in self.NAMES)
            for name in self.NAMES:
                assert session.examine(name).exists == 1

    def test_names_are_known_before_they_were_listed(self, clear_place: Place) -> None:
        clear_place.add_folder("Añejo & más")
        with opened(clear_place) as session:
            assert session.select("Añejo & más").exists == 0

    def test_special_use(self, clear_place: Place) -> None:
        clear_place.add_folder("Enviados", "\\Sent")
        with opened(clear_place) as session:
            special = {folder.name: folder.special_use for folder in session.folders()}
            assert special["Enviados"] == "\\Sent"
            assert special["INBOX"] is None

    @pytest.mark.parametrize("name", ["nowhere", "ni aquí", ""])
    def test_a_missing_folder(self, place: Place, name: str) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            for opening in (session.examine, session.select):
                with pytest.raises(FolderMissing):
                    opening(name)

    def test_a_folder_that_could_not_be_opened_leaves_none_open(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            with pytest.raises(FolderMissing):
                session.examine("nowhere")
            assert session.selected is None
            with pytest.raises(NotPermitted, match="No folder is open"):
                session.listing()

    @pytest.mark.parametrize("name", ["a\r\nb LOGOUT", "a\0b", "a\x7f"])
    def test_control_characters_are_refused_and_nothing_is_sent(
        self, clear_place: Place, name: str
    ) -> None:
        with opened(clear_place) as session:
            session.select("INBOX")
            before = session._connection.transport.bytes_out
            for sending in (session.examine, session.select, lambda n: session.move([1], n)):
                with pytest.raises(NotPermitted, match="control character"):
                    sending(name)
            assert session._connection.transport.bytes_out == before
            assert session.selected is not None

    def test_what_opening_says(self, place: Place) -> None:
        place.deliver(mail(1))
        place.deliver(mail(2))
        with opened(place) as session:
            read_write = session.select("inbox")
            read_only = session.examine("INBOX")
            assert session.selected == read_only
            assert (read_write.read_only, read_only.read_only) == (False, True)
            for one in (read_write, read_only):
                assert (one.exists, one.uidnext) == (2, 3)
                assert one.uidvalidity == read_write.uidvalidity > 0
                assert one.highest_modseq is not None
            assert {"\\Seen", "\\Deleted"} <= read_write.permanent_flags
            session.unselect()
            assert session.selected is None
            session.unselect()


class TestListing:
    def test_uid_size_and_date(self, place: Place) -> None:
        place.deliver(mail(1), date=WHEN)
        place.deliver(mail(2, octets=3000), date=WHEN)
        with opened(place) as session:
            session.examine("INBOX")
            listing = session.listing()
            assert [(one.uid, one.size) for one in listing] == [
                (1, len(mail(1))),
                (2, len(place.octets()[1])),
            ]
            assert {one.internal_date for one in listing} == {WHEN}

    def test_an_empty_folder(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            assert session.listing() == []
            assert session.uids().tolist() == []
            assert list(session.messages([])) == []
            assert list(session.headers([])) == []

    def test_ranges(self, clear_place: Place) -> None:
        for number in range(1, 11):
            clear_place.deliver(mail(number))
        with opened(clear_place) as session:
            session.examine("INBOX")
            for first, last, expected in (
                (1, None, list(range(1, 11))),
                (4, 6, [4, 5, 6]),
                (10, None, [10]),
                (9, 99, [9, 10]),
                (11, None, []),
                (11, 20, []),
            ):
                assert [one.uid for one in session.listing(first, last)] == expected
                assert session.uids(first, last).tolist() == expected

    @pytest.mark.parametrize(("first", "last"), [(0, None), (1, 0), (-1, 5), (1, 2**32)])
    def test_what_is_no_range(self, clear_place: Place, first: int, last: int | None) -> None:
        clear_place.deliver(mail(1))
        with opened(clear_place) as session:
            session.examine("INBOX")
            with pytest.raises(ValueError, match="no range"):
                session.listing(first, last)

    def test_gaps(self, clear_place: Place) -> None:
        for number in range(1, 8):
            clear_place.deliver(mail(number))
        with opened(clear_place) as session:
            session.examine("INBOX")
            clear_place.remove(mail(2))
            clear_place.remove(mail(5))
            await_that(lambda: session.noop() is not None and session.exists == 5)
            assert session.uids().tolist() == [1, 3, 4, 6, 7]
            assert [one.uid for one in session.listing()] == [1, 3, 4, 6, 7]


def await_that(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    """Dovecot looks into its folder once a second."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.05)


ODD_MAIL = {
    "eight bits": b"Subject: \xf1\xff\x80\r\n\r\n\xe9\x00".replace(b"\x00", b"\x01") + b"\r\n",
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


class TestSettling:
    def test_marking_seen_and_deleted(self, place: Place) -> None:
        for number in range(1, 5):
            place.deliver(mail(number))
        with opened(place) as session:
            session.select("INBOX")
            session.mark_seen([1, 2])
            session.mark_deleted([2, 3])
            session.mark_seen([])
        assert place.flags() == [{"\\Seen"}, {"\\Seen", "\\Deleted"}, {"\\Deleted"}, set()]
        assert len(place.octets()) == 4

    def test_expunge_removes_only_the_named(self, place: Place) -> None:
        for number in range(1, 6):
            place.deliver(mail(number))
        with opened(place) as session:
            session.select("INBOX")
            session.mark_deleted([2, 3, 4])
            session.expunge([2, 4, 5])
            session.expunge([])
            assert session.exists == 3
        assert place.octets() == [mail(1), mail(3), mail(5)]

    def test_a_folder_opened_read_only_is_not_changed(self, place: Place) -> None:
        place.deliver(mail(1))
        with opened(place) as session:
            session.examine("INBOX")
            for change in (
                lambda: session.mark_seen([1]),
                lambda: session.mark_deleted([1]),
                lambda: session.expunge([1]),
                lambda: session.move([1], "INBOX"),
            ):
                with pytest.raises(NotPermitted, match="read-only"):
                    change()
        assert place.flags() == [set()]

    def test_leaving_removes_nothing_that_is_marked(self, place: Place) -> None:
        place.deliver(mail(1))
        with opened(place) as session:
            session.select("INBOX")
            session.mark_deleted([1])
            session.unselect()
        with opened(place) as session:
            session.select("INBOX")
        assert place.octets() == [mail(1)]

    def test_move(self, place: Place) -> None:
        place.add_folder("Papelera")
        for number in range(1, 4):
            place.deliver(mail(number))
        with opened(place) as session:
            session.select("INBOX")
            session.move([1, 3], "Papelera")
            with pytest.raises(FolderMissing):
                session.move([2], "nowhere")
        assert place.octets() == [mail(2)]
        assert sorted(place.octets("Papelera")) == [mail(1), mail(3)]

    def test_many_uids_take_several_commands(self, clear_place: Place) -> None:
        for number in range(1, 4001):
            clear_place.deliver(mail(number))
        odd = list(range(1, 4001, 2))
        with opened(clear_place) as session:
            session.select("INBOX")
            session.mark_deleted(odd)
            session.expunge(odd)
            assert session.uids().tolist() == list(range(2, 4001, 2))

    def test_changes_of_flags_since_a_modseq(self, place: Place) -> None:
        for number in range(1, 4):
            place.deliver(mail(number))
        with opened(place) as session:
            session.select("INBOX")
            # A message must be known to the server's index before its change has a number.
            session.mark_seen([1])
            before = session.select("INBOX").highest_modseq
            assert before is not None
            assert session.changed_since(before) == []
            session.mark_seen([2])
            (changed,) = session.changed_since(before)
            assert (changed.uid, changed.modseq > before) == (2, True)
            assert "\\Seen" in changed.flags


class TestWatching:
    def test_idle_sees_a_delivery(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            timer = threading.Timer(0.3, place.deliver, [mail(1)])
            timer.start()
            begun = time.monotonic()
            changes = session.idle(15)
            timer.join()
            assert changes.exists == 1
            assert time.monotonic() - begun < 10
            assert [one.octets for one in fetched(session)] == [mail(1)]

    def test_idle_ends_when_nothing_happens(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            begun = time.monotonic()
            assert not session.idle(0.3)
            assert 0.25 < time.monotonic() - begun < 5
            assert not session.idle(0)
            assert not session.noop()

    def test_idle_sees_a_removal(self, clear_place: Place) -> None:
        clear_place.deliver(mail(1))
        with opened(clear_place) as session:
            session.examine("INBOX")
            timer = threading.Timer(0.3, clear_place.remove, [mail(1)])
            timer.start()
            changes = session.idle(15)
            timer.join()
            assert changes.expunged
            assert session.exists == 0

    def test_noop_tells_what_came(self, place: Place) -> None:
        with opened(place) as session:
            session.examine("INBOX")
            place.deliver(mail(1))
            await_that(lambda: session.noop().exists == 1)
            assert not session.noop()
            assert session.exists == 1

    def test_idle_tells_at_once_what_another_command_heard(self, clear_place: Place) -> None:
        with opened(clear_place) as session:
            session.examine("INBOX")
            clear_place.deliver(mail(1))
            await_that(lambda: bool(session.listing()))
            begun = time.monotonic()
            assert session.idle(10).exists == 1
            assert time.monotonic() - begun < 5


class TestLeaving:
    def test_closing_is_always_safe(self, clear_place: Place) -> None:
        session = opened(clear_place)
        session.logout()
        session.logout()
        session.close()
        with pytest.raises(ConnectFailed):
            session.noop()

    def test_leaving_in_the_middle_of_a_stream(self, clear_place: Place) -> None:
        for number in range(1, 101):
            clear_place.deliver(mail(number))
        with opened(clear_place) as session:
            session.examine("INBOX")
            next(session.messages(wanted(session)))
