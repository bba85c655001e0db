"""R6: what was downloaded is marked or removed as the account says; nothing else ever is."""

from collections.abc import Callable
from typing import Any

import pytest

from buzon.demo.server import MailServer, Pop3Connection
from buzon.demo.server.stream import Hangup
from buzon.desk.models import Message
from buzon.intake import runs, settle
from buzon.intake.models import CollectionAccount, Duty, RawMessage
from buzon.lease import LeaseLost, claim
from tests.intake.collecting import collect, never
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, check_books, outcomes, rows, scene
from tests.intake.servers import DeliversDuring, HangsUp

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
TOUCHED = ("stored", "expunged", "moved", "marked-seen", "marked-deleted", "deleted", "copied")


def touched(at: Scene) -> set[tuple[str, int]]:
    return {(deed.what, deed.uid) for deed in at.store.deeds(*TOUCHED)}


def commands(at: Scene) -> set[str]:
    return {command.name for command in at.store.commands}


@BOTH
def test_R6_leave_touches_nothing(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN, STRANGER)
        account = at.account(after="leave")
        collect(account)
        assert touched(at) == set()
        assert all(not message.flags & {"\\Seen", "\\Deleted"} for message in at.box.messages)
        assert "SELECT" not in commands(at)
        assert not account.arrivals.filter(settled_at__isnull=False).exists()


def test_R6_read_marks_exactly_what_was_filed() -> None:
    with scene() as at:
        at.customer()
        at.deliver(KNOWN, STRANGER, KNOWN)
        account = at.account(after="read", create_customer=False)
        assert collect(account).settled == 2
        assert ["\\Seen" in message.flags for message in at.box.messages] == [True, False, True]
        collect(account)
        assert len(at.store.deeds("stored")) == 2


@BOTH
def test_R6_delete_removes_exactly_what_was_filed(protocol: str) -> None:
    with scene(protocol) as at:
        at.customer()
        at.deliver(KNOWN, STRANGER, KNOWN)
        account = at.account(after="delete", create_customer=False)
        totals = collect(account)
        assert (totals.settled, totals.error) == (2, "")
        assert [message.uid for message in at.box.messages] == [2]
        check_books(account, 1)


def test_R6_what_others_marked_as_deleted_stays() -> None:
    with scene() as at:
        at.customer()
        at.box.deliver(at.letter(STRANGER), flags=["\\Deleted"])
        at.deliver(KNOWN)
        collect(at.account(after="delete", create_customer=False))
        assert [message.uid for message in at.box.messages] == [1]
        assert not {"EXPUNGE", "CLOSE"} & commands(at)


def test_R6_without_uidplus_moves_to_the_bin() -> None:
    with scene(uidplus=False) as at:
        trash = at.box.login.add_folder("Papelera ñ", special_use="\\Trash")
        at.deliver(KNOWN)
        account = at.account(after="delete")
        assert collect(account).settled == 1
        assert (len(at.box.messages), len(trash.messages)) == (0, 1)
        check_books(account, 0)


@pytest.mark.parametrize("options", [{"move": False}, {"special_use": False}])
def test_R6_without_uidplus_and_bin_marks_and_never_expunges(options: dict[str, Any]) -> None:
    with scene(uidplus=False, **options) as at:
        at.box.login.add_folder("Trash", special_use="\\Trash")
        at.box.deliver(at.letter(STRANGER), flags=["\\Deleted"])
        at.deliver(KNOWN, KNOWN)
        account = at.account(after="delete")
        assert collect(account).settled == 3
        assert collect(account).settled == 0
        assert all("\\Deleted" in message.flags for message in at.box.messages)
        assert len(at.box.messages) == 3
        assert not {"EXPUNGE", "CLOSE", "UID EXPUNGE", "UID MOVE"} & commands(at)
        check_books(account, 3)


@pytest.mark.parametrize("options", [{"uidplus": False}, {"gmail": True}])
def test_R6_in_the_bin_itself_nothing_is_moved_to_the_bin(options: dict[str, Any]) -> None:
    with scene(**options) as at:
        at.box.login.add_folder("All Mail", special_use="\\All")
        trash = at.box.login.add_folder("Trash", special_use="\\Trash")
        account = at.account(after="delete", folders=["INBOX", "Trash"])
        at.deliver(KNOWN)
        for _ in range(4):
            assert collect(account).error == ""
        assert at.box.messages == []
        assert account.arrivals.count() == 2  # in one folder, and then in the other
        assert Message.objects.count() == 1
        assert all("\\Deleted" in message.flags for message in trash.messages)


def test_R6_gmail_moves_to_its_bin() -> None:
    with scene(gmail=True) as at:
        everything = at.box.login.add_folder("All Mail", special_use="\\All")
        trash = at.box.login.add_folder("Bin", special_use="\\Trash")
        at.deliver(KNOWN)
        assert collect(at.account(after="delete")).settled == 1
        assert (len(at.box.messages), len(trash.messages), len(everything.messages)) == (0, 1, 0)


class _Deaf(Pop3Connection):
    """Does what the first QUIT says, and hangs up instead of answering."""

    def okay(self, text: str = "") -> None:
        if self.over and self.server.is_deaf:  # type: ignore[attr-defined]
            raise Hangup
        super().okay(text)


class DeafServer(MailServer):
    pop3_connection = _Deaf
    is_deaf = True


def test_R6_pop3_quit_whose_answer_is_lost_is_known_by_the_next_session() -> None:
    with scene("pop3", server=DeafServer) as at:
        at.deliver(KNOWN, STRANGER)
        account = at.account(after="delete")
        totals = collect(account)
        assert totals.error
        assert at.box.messages == []
        assert all(row.settling_at and not row.settled_at for row in rows(account))
        at.server.is_deaf = False  # type: ignore[attr-defined]
        assert collect(account).error == ""
        assert all(row.settled_at and row.gone_at for row in rows(account))
        check_books(account, 0)


def test_R6_pop3_quit_that_never_arrives_deletes_nothing_and_is_done_later() -> None:
    with scene("pop3", server=HangsUp) as at:
        at.deliver(KNOWN)
        at.server.at("QUIT", 1)  # type: ignore[attr-defined]
        account = at.account(after="delete")
        assert collect(account).error
        assert len(at.box.messages) == 1
        assert collect(account).settled == 1
        assert at.box.messages == []


@BOTH
@pytest.mark.parametrize("changes", [{"after": "leave"}, {"active": False}])
def test_R6_switched_off_between_collecting_and_settling(
    protocol: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account(after="delete")
        before_settling(monkeypatch, protocol, lambda: CollectionAccount.objects.update(**changes))
        totals = collect(account)
        assert (totals.filed, totals.settled) == (1, 0)
        assert touched(at) == set()
        assert len(at.box.messages) == 1


@BOTH
def test_R6_a_lease_lost_before_settling_leaves_the_server_alone(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account(after="delete")
        before_settling(
            monkeypatch, protocol, lambda: Duty.objects.update(lease_epoch=99, lease_owner="other")
        )
        with pytest.raises(LeaseLost):
            collect(account)
        assert touched(at) == set()


@BOTH
def test_R6_a_lease_lost_just_before_the_command_leaves_the_server_alone(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the note in the rows and the command; a mail server knows of no lease."""
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account(after="delete")
        asking = settle.asking

        def then_lose(*arguments: Any) -> None:
            asking(*arguments)
            Duty.objects.update(lease_epoch=99, lease_owner="other")

        monkeypatch.setattr(settle, "asking", then_lose)
        with pytest.raises(LeaseLost):
            collect(account)
        assert touched(at) == set()


def before_settling(
    patch: pytest.MonkeyPatch, protocol: str, happens: Callable[[], object]
) -> None:
    """Something happens when everything is filed and nothing settled yet."""
    module, verb = {
        "imap": ("settle_imap", "settle_folder"),
        "pop3": ("settle_pop3", "settle_and_quit"),
    }[protocol]
    modules = {"imap": runs.collect_imap, "pop3": runs.collect_pop3}
    settling = getattr(modules[protocol], module)
    verb_itself = getattr(settling, verb)

    def after_that(*arguments: Any) -> None:
        happens()
        verb_itself(*arguments)

    patch.setattr(settling, verb, after_that)


@BOTH
def test_R6_failed_ignored_oversized_and_skipped_mail_is_never_removed(protocol: str) -> None:
    with scene(protocol) as at:
        at.customer()
        at.deliver(LOGIN, STRANGER)
        at.deliver(KNOWN, body="x" * 20_000)
        at.deliver(KNOWN)
        account = at.account(after="delete", create_customer=False, max_message_bytes=10_000)
        collect(account)
        assert outcomes(account) == {"ignored": 1, "skipped": 1, "oversized": 1, "filed": 1}
        account.arrivals.filter(outcome="oversized").update(outcome="failed", sha256="f" * 64)
        collect(account)
        assert [message.uid for message in at.box.messages] == [1, 2, 3]


@BOTH
def test_R6_what_is_no_longer_in_custody_is_not_removed(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(protocol) as at:
        at.deliver(KNOWN)
        account = at.account(after="delete")
        before_settling(monkeypatch, protocol, RawMessage.objects.all().delete)
        collect(account)
        assert len(at.box.messages) == 1


def test_R6_a_sent_folder_is_never_settled() -> None:
    with scene() as at:
        at.customer()
        sent = at.box.login.add_folder("Enviados ñ", special_use="\\Sent")
        sent.deliver(at.letter(LOGIN, to=KNOWN))
        account = at.account(after="delete", sent_folders=["Enviados ñ"])
        totals = collect(account)
        assert (totals.filed, totals.settled) == (1, 0)
        assert len(sent.messages) == 1


@BOTH
def test_two_collectors_on_one_account(protocol: str) -> None:
    """While one is at it the other gets no lease; a second login would find nothing to do."""
    with scene(protocol, server=DeliversDuring) as at:
        at.deliver(KNOWN, STRANGER)
        account = at.account(after="delete")
        duty = Duty.objects.get(account=account, kind="collect")
        seen: list[object] = []
        at.server.on(  # type: ignore[attr-defined]
            "QUIT" if protocol == "pop3" else "UID EXPUNGE", lambda: seen.append("settling")
        )
        lease = claim(duty)
        assert lease is not None
        assert claim(duty) is None
        assert runs.collect_once(lease, stop=never).settled == 2
        assert seen == ["settling"]
        assert collect(account).settled == 0


def test_R6_imap_expunge_whose_answer_is_lost_is_settled_by_the_next_look() -> None:
    with scene(server=HangsUp) as at:
        at.deliver(KNOWN)
        at.server.on("UID EXPUNGE", lambda: _expunge_and_hang_up(at))  # type: ignore[attr-defined]
        account = at.account(after="delete")
        assert collect(account).error
        row = rows(account)[0]
        assert row.settling_at
        assert not row.settled_at
        totals = collect(account)
        assert (totals.error, totals.filed) == ("", 0)
        assert rows(account)[0].settled_at
        check_books(account, 0)


def _expunge_and_hang_up(at: Scene) -> None:
    at.box.expunge(1)
    raise Hangup
