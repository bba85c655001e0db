"""R6: before every command that changes the server, the holder looks once more: is the lease its
own, for longer than the command may take, and is R6 still on?
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from buzon.desk.models import Organization
from buzon.intake import settle
from buzon.intake.models import CollectionAccount, Duty
from buzon.lease import LeaseLost
from buzon.wire.transport import Transport
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, Scene, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True, slots=True)
class Command:
    """One that changes the server; `follows`: the one before it, "" for the first."""

    name: str
    protocol: str
    after: str = "delete"
    follows: str = ""
    options: dict[str, Any] = field(default_factory=dict)


COMMANDS = (
    Command("UID STORE", "imap", after="read"),
    Command("UID STORE", "imap"),
    Command("UID EXPUNGE", "imap", follows="UID STORE"),
    Command("UID MOVE", "imap", options={"uidplus": False}),
    Command("DELE", "pop3"),
    Command("QUIT", "pop3", follows="DELE"),
)
EACH = pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.name} {one.after}")


@EACH
@pytest.mark.parametrize(
    "changes", [{"after": "leave"}, {"active": False}, {"delete_after_days": 30}], ids=str
)
def test_R6_switched_off_just_before_the_command(
    command: Command, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(command.protocol, **command.options) as at:
        account = shop(at, command)
        with monkeypatch.context() as patch:
            just_before(patch, command, lambda: CollectionAccount.objects.update(**changes))
            assert collect(account).settled == 0
        assert is_untouched(at, command)
        assert not any("\\Deleted" in message.flags for message in at.box.messages)
        assert all(row.settling_at is None for row in rows(account))
        CollectionAccount.objects.update(after=command.after, active=True, delete_after_days=0)
        account.refresh_from_db()
        totals = collect(account)
        assert (totals.filed, totals.settled) == (0, 2)


@EACH
def test_R6_suspended_just_before_the_command(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(command.protocol, **command.options) as at:
        account = shop(at, command)
        organizations = Organization.objects.filter(pk=account.organization_id)
        just_before(monkeypatch, command, lambda: organizations.update(suspended_at=timezone.now()))
        assert collect(account).settled == 0
        assert is_untouched(at, command)
        assert not any("\\Deleted" in message.flags for message in at.box.messages)


@EACH
def test_R6_lease_taken_over_just_before_the_command(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(command.protocol, **command.options) as at:
        account = shop(at, command)
        just_before(
            monkeypatch,
            command,
            lambda: Duty.objects.update(lease_epoch=99, lease_owner="elsewhere"),
        )
        with pytest.raises(LeaseLost):
            collect(account)
        assert is_untouched(at, command)


@EACH
def test_R6_less_of_the_lease_left_than_the_command_may_take(
    command: Command, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    with scene(command.protocol, **command.options) as at:
        account = shop(at, command)
        as_long_as_a_command = settings.BUZON_READ_TIMEOUT_SECONDS
        just_before(
            monkeypatch,
            command,
            lambda: setattr(settings, "BUZON_LEASE_SECONDS", as_long_as_a_command),
        )
        with pytest.raises(LeaseLost):
            collect(account)
        assert is_untouched(at, command)


def shop(at: Scene, command: Command) -> CollectionAccount:
    """Two letters, an account that wants to be rid of them, and a bin."""
    if command.protocol == "imap":
        at.box.login.add_folder("Trash", special_use="\\Trash")
    at.deliver(KNOWN, STRANGER)
    return at.account(after=command.after)


def just_before(patch: pytest.MonkeyPatch, command: Command, happens: Callable[[], object]) -> None:
    """It happens between the step before the command and the look before the command."""
    if not command.follows:
        asking = settle.asking

        def asked(*arguments: Any) -> None:
            asking(*arguments)
            happens()

        patch.setattr(settle, "asking", asked)
        return
    send = Transport.send

    def sent(transport: Transport, data: bytes) -> None:
        send(transport, data)
        if command.follows.encode() in bytes(data):
            happens()

    patch.setattr(Transport, "send", sent)


def is_untouched(at: Scene, command: Command) -> bool:
    """Whether both letters are where they were, and the command was not heard."""
    at.server.drop_connections()  # what was sent has been heard once they are gone
    heard = {one.name for one in at.store.commands}
    return len(at.box.messages) == 2 and command.name not in heard
