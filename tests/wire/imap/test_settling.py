"""Changing what lies on the server: the suite against a real Dovecot and against our server."""

import pytest

from buzon.wire.errors import FolderMissing, NotPermitted
from tests.wire.imap.servers import Place, mail, opened


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
