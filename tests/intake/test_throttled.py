"""A server that says "too much" half-way: we wait, and go on where we were; nothing comes twice."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from buzon.demo.server import ImapConnection, MailServer, Pop3Connection
from buzon.intake.models import CollectionAccount, Duty
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, check_books, scene

pytestmark = pytest.mark.django_db(transaction=True)

FETCH = "UID FETCH"


class HasEnough(MailServer):
    """Of the commands of one name, those for which `refuses` is true get `said` as their answer."""

    name = ""
    said = ""
    heard = 0
    refusals = 0

    def refuses(self, _number: int) -> bool:
        return False

    def answer_to(self, name: str) -> str:
        """ "" where the command is done."""
        if name != self.name:
            return ""
        self.heard += 1
        refused = self.refuses(self.heard)
        self.refusals += refused
        return self.said if refused else ""


class _Imap(ImapConnection):
    def dispatch(self, tag: str, name: str, arguments: Any) -> None:
        said = self.server.answer_to(name)  # type: ignore[attr-defined]
        if said:
            self.write(f"{tag} {said}\r\n".encode())
        else:
            super().dispatch(tag, name, arguments)


class _Pop3(Pop3Connection):
    def dispatch(self, command: str, rest: bytes) -> None:
        said = self.server.answer_to(command)  # type: ignore[attr-defined]
        if said:
            self.write(f"{said}\r\n".encode())
        else:
            super().dispatch(command, rest)


HasEnough.imap_connection = _Imap
HasEnough.pop3_connection = _Pop3


def has_enough(server: Any, *, name: str, said: str, refuses: Callable[[int], bool]) -> None:
    server.name, server.said, server.heard = name, said, 0
    server.refuses = refuses


def due_in(account: CollectionAccount) -> float:
    duty = Duty.objects.get(account=account, kind="collect")
    assert duty.due_at is not None
    return (duty.due_at - timezone.now()).total_seconds()


@pytest.mark.parametrize(
    ("protocol", "said", "state"),
    [
        ("imap", "NO [THROTTLED] Too much.", "throttled"),
        ("imap", "NO [LIMIT] Too much.", "throttled"),
        ("imap", "NO [OVERQUOTA] Account exceeded command or bandwidth limits.", "throttled"),
        ("imap", "NO [INUSE] Not now.", "unreachable"),
        ("imap", "NO [UNAVAILABLE] Not now.", "unreachable"),
        ("imap", "BAD Request is throttled. Suggested Backoff Time: 2 milliseconds", "throttled"),
        ("pop3", "-ERR Bandwidth limit exceeded", "throttled"),
    ],
)
@pytest.mark.parametrize("create", [True, False])
def test_a_first_download_goes_on_where_it_was(
    protocol: str, said: str, state: str, create: bool
) -> None:
    with scene(protocol, server=HasEnough) as at:
        at.customer(KNOWN)
        letters = 120 if create else 300
        at.deliver(*[KNOWN] * letters)
        account = at.account(create_customer=create)
        # IMAP: two listings and the first batch, or with create = no its headers and most bodies.
        name, well = ("RETR", 60) if protocol == "pop3" else (FETCH, 3 if create else 4)
        has_enough(at.server, name=name, said=said, refuses=lambda number: number > well)
        totals = collect(account)
        assert totals.error
        assert account.state == state
        assert 0 < totals.filed < letters
        before = account.folders.get().low
        filed = totals.filed + collect(account).filed  # what had come before the refusal
        assert filed < letters
        assert account.failures == 2
        assert account.folders.get().low <= before, "never back"

        at.deliver(STRANGER if create else KNOWN)
        has_enough(at.server, name="", said="", refuses=lambda _number: False)
        rest = collect(account)
        assert rest.error == ""
        assert filed + rest.filed == letters + 1
        assert account.state == "working"
        fetched = Counter(d.uid for d in at.store.deeds("fetched-body", "retrieved"))
        assert set(fetched.values()) == {1}, "nothing was fetched twice"
        check_books(account, letters + 1)


def test_a_server_that_has_enough_is_not_asked_for_each_message_alone() -> None:
    with scene(server=HasEnough) as at:
        at.deliver(*[KNOWN] * 50)
        account = at.account()
        said = "NO [THROTTLED] Too much."
        has_enough(at.server, name=FETCH, said=said, refuses=lambda number: number > 2)
        assert collect(account).error
        assert at.server.refusals == 1


@pytest.mark.parametrize(
    ("milliseconds", "least", "most"),
    [(1_000, 300, 380), (2_400_000, 2_400, 2_401), (999_999_999, 3_600, 3_601)],
)
def test_it_stays_away_for_as_long_as_the_server_asks_but_an_hour_at_most(
    milliseconds: int, least: int, most: int
) -> None:
    with scene(server=HasEnough) as at:
        at.deliver(KNOWN)
        account = at.account()
        said = f"BAD Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds"
        has_enough(at.server, name=FETCH, said=said, refuses=lambda _number: True)
        collect(account)
        assert account.state == "throttled"
        assert least - 2 < due_in(account) < most
