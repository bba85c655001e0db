"""A message at which the server hangs up when it is only looked at holds up no other, and is not
removed without that look.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from buzon.intake import stumbles
from buzon.intake.models import Arrival, CollectionAccount, Folder
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, Scene, check_books, message_count, outcomes, rows, scene
from tests.intake.servers import POISON, HangsUp, StumblesOver
from tests.intake.test_throttled import HasEnough, has_enough

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
ODD = "X-P: was well\r\n"


@contextmanager
def collected(
    protocol: str, *, letters: int = 3, **options: Any
) -> Iterator[tuple[Scene, CollectionAccount]]:
    """As many letters, all filed, of which the second is one over which the server stumbles from
    now on.
    """
    with scene(protocol, server=StumblesOver, **options) as at:
        at.customer()
        account = at.account()
        for number in range(letters):
            at.deliver(KNOWN, extra=ODD if number == 1 else "")
        assert collect(account).filed == letters
        stumbling(at).poison = b"X-P: was well"
        yield at, account


def stumbling(at: Scene) -> Any:
    return at.server


def to_delete(account: CollectionAccount) -> None:
    CollectionAccount.objects.filter(pk=account.pk).update(after="delete")
    account.refresh_from_db()


def a_day_later() -> None:
    """What the folders remember is as old."""
    for folder in Folder.objects.all():
        for entry in folder.stumbles.values():
            entry["at"] = (timezone.now() - stumbles.LEFT_OUT).isoformat()
        folder.save(update_fields=["stumbles"])


@BOTH
def test_the_others_are_removed_after_a_second_look(protocol: str) -> None:
    with collected(protocol) as (at, account):
        to_delete(account)
        at.deliver(KNOWN)
        errors = [collect(account).error for _ in range(4)]
        assert all(errors[:2]), "among the others, and alone"
        assert errors[2:] == ["", ""]
        assert len(at.box.messages) == 1, "what was not looked at stays"
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert len(at.box.messages) == 1


@BOTH
def test_it_is_asked_again_after_a_day(protocol: str) -> None:
    with collected(protocol) as (at, account):
        to_delete(account)
        for _ in range(3):
            collect(account)
        a_day_later()
        assert collect(account).error, "it was asked for, alone"
        assert collect(account).error == ""
        assert len(at.box.messages) == 1
        stumbling(at).poison = POISON
        a_day_later()
        assert collect(account).error == ""
        assert not at.box.messages
        assert account.folders.get().stumbles == {}


@pytest.mark.parametrize(("protocol", "command"), [("imap", "UID FETCH"), ("pop3", "TOP")])
def test_one_cut_leaves_nothing_out(protocol: str, command: str) -> None:
    with scene(protocol, server=HangsUp) as at:
        at.customer()
        account = at.account()
        at.deliver(*[KNOWN] * 5)
        assert collect(account).filed == 5
        to_delete(account)
        server: Any = at.server
        server.at(command, 1)
        assert collect(account).error
        assert len(account.folders.get().stumbles) == 5
        assert collect(account).error == ""
        assert not at.box.messages
        assert account.folders.get().stumbles == {}


@pytest.mark.parametrize(
    ("protocol", "name", "said"),
    [
        ("imap", "UID FETCH", "NO [UNAVAILABLE] Not now."),
        ("imap", "UID FETCH", "NO [THROTTLED] Too much."),
        ("pop3", "TOP", "-ERR Bandwidth limit exceeded"),
    ],
)
def test_a_server_that_says_not_now_accuses_none(protocol: str, name: str, said: str) -> None:
    with scene(protocol, server=HasEnough) as at:
        at.customer()
        account = at.account()
        at.deliver(*[KNOWN] * 3)
        assert collect(account).filed == 3
        to_delete(account)
        has_enough(at.server, name=name, said=said, refuses=lambda _number: True)
        for _ in range(3):
            assert collect(account).error
            assert account.folders.get().stumbles == {}
        assert len(at.box.messages) == 3
        has_enough(at.server, name="", said="", refuses=lambda _number: False)
        assert collect(account).error == ""
        assert not at.box.messages


@BOTH
def test_the_whole_is_another_thing_than_the_header(protocol: str) -> None:
    """Damaged here, and the server hangs up at its body: the others go all the same."""
    with scene(protocol, server=StumblesOver) as at:
        at.customer()
        account = at.account()
        at.deliver(KNOWN)
        at.deliver(KNOWN, body="was well")
        at.deliver(KNOWN)
        assert collect(account).filed == 3
        damaged = rows(account)[1]
        Arrival.objects.filter(pk=damaged.pk).update(sha256="0" * 64)
        stumbling(at).poison = b"was well"
        to_delete(account)
        errors = [collect(account).error for _ in range(4)]
        assert errors[-1] == ""
        assert len(at.box.messages) == 1


@BOTH
def test_names_that_change(protocol: str) -> None:
    with collected(protocol) as (at, account):
        at.box.reset_uids()
        at.deliver(KNOWN)
        errors = [collect(account).error for _ in range(3)]
        assert errors[-1] == ""
        assert outcomes(account) == {"filed": 4}
        stumbling(at).poison = POISON
        a_day_later()
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 4}
        assert message_count(account) == 4, "nothing is filed twice"
        check_books(account, 4)


@BOTH
def test_names_that_change_for_good(protocol: str) -> None:
    """The server never gives it again: it is removed by nobody, and new mail comes."""
    with collected(protocol) as (at, account):
        at.box.reset_uids()
        to_delete(account)
        for _ in range(6):
            totals = collect(account)
        at.deliver(KNOWN)
        Folder.objects.filter(untold_since__isnull=False).update(
            untold_since=timezone.now() - timedelta(days=2)
        )
        for _ in range(4):
            totals = collect(account)
        assert totals.error == ""
        assert len(at.box.messages) == 1
        assert outcomes(account)["filed"] == 4


@pytest.mark.parametrize("place", [0, 1, 2])
def test_without_uidls(place: int) -> None:
    with scene("pop3", server=StumblesOver, uidl=False) as at:
        at.customer()
        account = at.account()
        for number in range(3):
            at.deliver(KNOWN, body=POISON.decode() if number == place else "Hola.")
        errors = [collect(account).error for _ in range(3)]
        assert errors[-1] == ""
        assert outcomes(account) == {"filed": 2}
        at.deliver(KNOWN)
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 3}
        to_delete(account)
        for _ in range(3):
            assert len(at.box.messages) >= 1
            totals = collect(account)
        assert (totals.error, len(at.box.messages)) == ("", 1)


def test_uids_that_are_back() -> None:
    """What went for a moment and is back is known by size and date where no header is given."""
    with collected("imap") as (at, account):
        Arrival.objects.update(gone_at=timezone.now())
        Folder.objects.update(reconciled_at=timezone.now() - timedelta(days=2))
        for _ in range(3):
            totals = collect(account)
        assert (totals.error, outcomes(account)) == ("", {"filed": 3})
        assert message_count(account) == 3
        check_books(account, len(at.box.messages))


@BOTH
def test_a_listing_that_does_not_fit(protocol: str) -> None:
    with collected(protocol, letters=1) as (at, account):
        stumbling(at).poison = b"Subject: Letter"
        Arrival.objects.update(listed_size=1)
        Folder.objects.update(reconciled_at=timezone.now() - timedelta(days=2))
        errors = [collect(account).error for _ in range(3)]
        assert (errors[-1], outcomes(account)) == ("", {"filed": 1})


@pytest.mark.parametrize("create", [True, False])
def test_a_first_message_that_tells_nothing_of_top_holds_up_no_other(*, create: bool) -> None:
    """Where CAPA does not say whether there is TOP, it is tried; a server that hangs up then is
    asked for whole messages, and this one is quarantined.
    """
    with scene("pop3", server=StumblesOver, capa=False) as at:
        at.customer()
        account = at.account(create_customer=create)
        at.deliver(KNOWN, extra=f"X-P: {POISON.decode()}\r\n")
        at.deliver(KNOWN, KNOWN)
        errors = [collect(account).error for _ in range(5)]
        assert all(errors[:4]), "asked for its header twice; whole among the others, and alone"
        assert errors[4] == ""
        assert outcomes(account) == {"filed": 2, "failed": 1}
