"""While history is collected, new mail comes first: by the order of the ledger's rows."""

import itertools

import pytest

from buzon.intake import collect_imap, stride
from buzon.intake.models import CollectionAccount
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, check_books, rows, scene
from tests.intake.servers import DeliversDuring

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a line on which every batch takes too long: ten letters are one, after the first."""
    monkeypatch.setattr(stride, "LONGEST", 0.0)
    monkeypatch.setattr(collect_imap, "LOOK_SECONDS", 0.0)


def before_it(account: CollectionAccount, sender: str = STRANGER) -> int:
    """How many rows the ledger had when that sender's letter came."""
    return [row.sender for row in rows(account)].index(sender)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("create", [True, False])
def test_it_waits_for_one_small_batch_at_most(create: bool) -> None:
    with scene(server=DeliversDuring) as at:
        at.customer(KNOWN)
        at.customer(STRANGER)
        at.deliver(*[KNOWN] * 400)
        account = at.account(create_customer=create)
        # The listing of the baseline, that of the history, the first and the second batch.
        commands = 4 if create else 5
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER), times=(commands,))
        assert collect(account).filed == 401
        # Whole letters of the second batch are asked for before the first has told its time.
        first = 100 if create else 250
        assert first <= before_it(account) <= first + 2 * stride.FEWEST
        check_books(account, 401)


@pytest.mark.usefixtures("slow")
def test_it_comes_before_the_rest_of_what_a_person_asked_for() -> None:
    with scene(server=DeliversDuring) as at:
        at.deliver(*[KNOWN] * 150)
        account = at.account(create_customer=False)
        assert collect(account).skipped == 150
        at.customer(KNOWN)
        at.customer(STRANGER)
        account.arrivals.update(outcome="waiting", asked_by_person=True, reason={})
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER), times=(2,))
        assert collect(account).filed == 151
        new = account.arrivals.get(sender=STRANGER)
        earlier = account.arrivals.filter(decided_at__lt=new.decided_at, outcome="filed")
        assert 50 <= earlier.count() <= 50 + 2 * stride.FEWEST


@pytest.mark.usefixtures("slow")
def test_new_mail_of_the_other_folders_comes_before_the_rest_of_this_one() -> None:
    with scene(server=DeliversDuring) as at:
        other = at.box.login.add_folder("Pedidos")
        at.deliver(*[KNOWN] * 200)
        at.deliver(KNOWN, folder=other)
        account = at.account(folders=["INBOX", "Pedidos"])
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER, folder=other), times=(6,))
        assert collect(account).filed == 202
        assert before_it(account) <= 100
        check_books(account, 202)


def test_new_mail_of_the_other_folders_does_not_wait_for_the_next_run() -> None:
    with scene(server=DeliversDuring) as at:
        other = at.box.login.add_folder("Pedidos")
        at.deliver(*[KNOWN] * 60, folder=other)
        account = at.account(folders=["INBOX", "Pedidos"])
        # Two listings, the first batch; then the last, within a second of the last look.
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER), times=(4,))
        assert collect(account).filed == 61
        check_books(account, 61)


@pytest.mark.usefixtures("slow")
def test_turns_of_two_histories_list_each_folder_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_imap, "TURN_SECONDS", 0.0)
    with scene() as at:
        other = at.box.login.add_folder("Pedidos")
        at.deliver(*[KNOWN] * 200)
        at.deliver(*[KNOWN] * 200, folder=other)
        account = at.account(folders=["INBOX", "Pedidos"])
        assert collect(account).filed == 400
        names = [row.folder_id for row in rows(account)]
        turns = sum(one != two for one, two in itertools.pairwise(names))
        assert turns > 10
        # The baselines and each history listed once, and 50 and then 10 letters at a time.
        assert sum(command.name == "UID FETCH" for command in at.store.commands) <= 4 + 36 + 2
        check_books(account, 400)


@pytest.mark.usefixtures("slow")
def test_a_server_that_does_not_tell_uidnext_loses_nothing_for_it() -> None:
    with scene(server=DeliversDuring, uidnext=False) as at:
        other = at.box.login.add_folder("Pedidos")
        at.deliver(*[KNOWN] * 100)
        account = at.account(folders=["INBOX", "Pedidos"])
        at.server.on("UID FETCH", lambda: at.deliver(STRANGER, folder=other), times=(6,))
        assert collect(account).filed == 101
        check_books(account, 101)


@pytest.mark.usefixtures("slow")
def test_a_folder_renumbered_while_another_is_looked_at_is_begun_anew() -> None:
    with scene(server=DeliversDuring) as at:
        other = at.box.login.add_folder("Pedidos")
        at.deliver(*[KNOWN] * 200)
        account = at.account(folders=["INBOX", "Pedidos"])
        at.server.on("STATUS", lambda: at.deliver(STRANGER, folder=other), times=(3,))
        # Both baselines, INBOX's turn, the look at the other, and back.
        at.server.on("EXAMINE", at.box.reset_uids, times=(5,))
        assert collect(account).error == ""
        assert account.arrivals.filter(outcome="filed").live().count() == 201
