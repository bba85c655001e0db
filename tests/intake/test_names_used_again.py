"""A POP3 server that uses a UIDL again (RFC 1939 §7 allows it): the message of that name today is
not the one that is held here.
"""

import pytest

from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.accounts import change_account
from buzon.intake.models import Arrival, CollectionAccount, RawMessage
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, check_books, rows, scene
from tests.intake.servers import DeliversDuring
from tests.intake.test_grace import days_go_by
from tests.servers.faults import Lie, Plan
from tests.servers.faults.server import FaultServer

pytestmark = pytest.mark.django_db(transaction=True)
NO_TOP = Plan(lies=frozenset({Lie.TOP_ABSENT}))
PLANS = pytest.mark.parametrize("plan", [Plan(), NO_TOP], ids=["TOP", "no TOP"])


def named_by_place(at: Scene) -> None:
    """The first message is "1", whichever that is."""
    at.store.logins[LOGIN].pop3_uidl = lambda message: str(
        [one.uid for one in at.box.messages].index(message.uid) + 1
    )


def on(plan: Plan) -> "type[FaultServer]":
    def server(store: object, **options: object) -> FaultServer:
        return FaultServer(store, plan=plan, **options)  # type: ignore[arg-type]

    return server  # type: ignore[return-value]


def held(octets: bytes) -> bool:
    return RawMessage.objects.filter(sha256=vault.digest(octets)).exists()


def replaced(at: Scene, account: CollectionAccount, *, old: bytes, new: bytes) -> None:
    """Collected and left there; then another program puts another message in its place."""
    at.box.deliver(old)
    collect(account)
    at.box.expunge(*[message.uid for message in at.box.messages])
    at.box.deliver(new)


@PLANS
@pytest.mark.parametrize("body", ["Hola.", "Hola. " * 50], ids=["same size", "another size"])
def test_R6_what_was_never_seen_is_not_deleted_for_its_name(plan: Plan, body: str) -> None:
    with scene("pop3", server=on(plan)) as at:
        named_by_place(at)
        account = at.account(after="leave")
        other = at.letter(KNOWN, body=body)
        replaced(at, account, old=at.letter(KNOWN), new=other)
        change_account(account, after="delete")
        assert collect(account).error == ""
        assert held(other)
        assert Message.objects.count() == 2
        assert collect(account).error == ""
        check_books(account, 0)


@PLANS
def test_another_size_under_a_known_name_is_new_mail(plan: Plan) -> None:
    with scene("pop3", server=on(plan)) as at:
        named_by_place(at)
        account = at.account(after="leave")
        other = at.letter(STRANGER, body="Hola. " * 50)
        replaced(at, account, old=at.letter(KNOWN), new=other)
        assert collect(account).filed == 1
        assert held(other)
        assert [(row.generation, row.gone_at is None) for row in rows(account)] == [
            (1, False),
            (2, True),
        ]
        check_books(account, 1)


def test_another_size_of_the_same_message_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that counts otherwise since it was renewed."""
    with scene("pop3") as at:
        account = at.account(after="leave")
        at.deliver(KNOWN, STRANGER)
        collect(account)
        connection = at.server.pop3_connection
        monkeypatch.setattr(connection, "_size", staticmethod(lambda message: 7))
        assert collect(account).error == ""
        assert [row.listed_size for row in rows(account)] == [7, 7]
        monkeypatch.undo()
        change_account(account, after="delete")
        assert collect(account).settled == 2
        assert (at.box.messages, Message.objects.count()) == ([], 2)


@PLANS
def test_R6_the_same_header_with_another_body_is_another_message(plan: Plan) -> None:
    """A form on a web site, whose mail has neither Message-ID nor Received field."""
    form = b"From: form@shop.example\r\nTo: shop@shop.example\r\nSubject: Question\r\n\r\n"
    with scene("pop3", server=on(plan)) as at:
        named_by_place(at)
        account = at.account(after="leave")
        other = form + b"Abc?\r\n"
        replaced(at, account, old=form + b"Xyz?\r\n", new=other)
        change_account(account, after="delete")
        collect(account)
        assert held(other)
        assert Message.objects.count() == 2


def test_R9_a_skipped_one_under_the_name_of_a_filed_one_stays() -> None:
    with scene("pop3") as at:
        at.customer()
        named_by_place(at)
        account = at.account(after="delete", create_customer=False, delete_after_days=7)
        other = at.letter(STRANGER)
        replaced(at, account, old=at.letter(KNOWN), new=other)
        days_go_by(account, 8)
        collect(account)
        assert [message.octets for message in at.box.messages] == [other]
        assert Arrival.objects.get(gone_at=None).outcome == "skipped"


def test_names_that_shift_file_nothing_twice() -> None:
    """The first goes, and every other message has the name that another one had."""
    with scene("pop3") as at:
        named_by_place(at)
        account = at.account(after="delete", delete_after_days=7)
        at.deliver(KNOWN, KNOWN, KNOWN, KNOWN)
        collect(account)
        at.box.expunge(at.box.messages[0].uid)
        for _ in range(2):
            collect(account)
        days_go_by(account, 8)
        for _ in range(3):
            assert collect(account).error == ""
        assert Message.objects.count() == 4
        days_go_by(account, 8)  # what was retrieved once more has days of its own
        collect(account)
        assert at.box.messages == []


def test_R6_what_the_server_does_not_give_stays() -> None:
    """Its header is asked for once more, and refused: nobody knows what it is."""
    with scene("pop3", server=DeliversDuring) as at:
        account = at.account(after="leave")
        at.deliver(KNOWN)
        collect(account)
        change_account(account, after="delete")
        at.server.on("TOP", lambda: at.box.expunge(1))  # type: ignore[attr-defined]
        collect(account)
        assert "DELE" not in {command.name for command in at.store.commands}
