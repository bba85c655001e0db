"""Folders, and what lies in them: the suite against a real Dovecot and against our server."""

import pytest

from buzon.wire.errors import FolderMissing, NotPermitted
from tests.wire.imap.servers import WHEN, Place, await_that, mail, opened


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

    def test_the_next_uid_of_a_folder_that_is_not_open(self, place: Place) -> None:
        for name in self.NAMES:
            place.add_folder(name)
            place.deliver(mail(1), name)
        with opened(place) as session:
            selected = session.examine("INBOX")
            assert [session.next_uid(name) for name in ("INBOX", *self.NAMES)] == [1, 2, 2, 2, 2]
            assert session.next_uid("nowhere") is None
            assert session.selected == selected


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
