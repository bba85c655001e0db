"""R6: what did not come whole, or is damaged here, is never removed from its server."""

import re

import pytest
from django.utils import timezone

from buzon.config.command.account_books import deletions
from buzon.demo.server import ImapConnection, MailServer, Pop3Connection
from buzon.desk.models import Message
from buzon.intake import vault
from buzon.intake.accounts import change_account
from buzon.intake.models import Arrival, CollectionAccount, RawMessage, RawPiece
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
BODY = re.compile(rb"BODY\[\] \{(\d+)\}\r\n")
HEADER = re.compile(rb"BODY\[HEADER\] \{(\d+)\}\r\n")


class Teller(MailServer):
    """Tells sizes by `listed(octets)`, gives `given(octets)`; without headers where `is_mute`."""

    is_mute = False

    @staticmethod
    def listed(octets: bytes) -> int:
        return len(octets)

    @staticmethod
    def given(octets: bytes) -> bytes:
        return octets


class _TellingImap(ImapConnection):
    server: Teller

    def write(self, data: bytes) -> None:
        if data.startswith(b"* ") and b" FETCH (" in data:
            data = self._told(data)
        super().write(data)

    def _told(self, data: bytes) -> bytes:
        uid = re.search(rb"UID (\d+)", data)
        assert uid
        octets = next(m.octets for m in self.server.box.messages if m.uid == int(uid[1]))  # type: ignore[attr-defined]
        data = SIZE.sub(b"RFC822.SIZE %d" % self.server.listed(octets), data)
        if self.server.is_mute and (header := HEADER.search(data)):
            rest = data[header.end() + int(header[1]) :]
            data = data[: header.start()] + b"BODY[HEADER] NIL" + rest
        if body := BODY.search(data):
            given, end = self.server.given(octets), body.end() + int(body[1])
            data = data[: body.start()] + b"BODY[] {%d}\r\n" % len(given) + given + data[end:]
        return data


class _TellingPop3(Pop3Connection):
    server: Teller

    def _size(self, message):  # type: ignore[no-untyped-def]
        return self.server.listed(message.octets)

    def _write_stuffed(self, octets: bytes) -> None:
        super()._write_stuffed(self.server.given(octets))


Teller.imap_connection = _TellingImap
Teller.pop3_connection = _TellingPop3


def again(account: CollectionAccount) -> None:
    """The minutes until the next try go by."""
    Arrival.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())
    assert collect(account).error == ""


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 0.999])
@pytest.mark.parametrize("is_listed", [True, False])
def test_R6_what_came_short_stays_on_the_server(
    protocol: str, share: float, is_listed: bool
) -> None:
    with scene(protocol, server=Teller) as at:
        at.server.box = at.box  # type: ignore[attr-defined]
        at.server.given = lambda octets: octets[: int(len(octets) * share)]  # type: ignore[attr-defined]
        if not is_listed:
            at.server.listed = lambda octets: 0  # type: ignore[attr-defined]
        account = at.account(after="delete")
        octets = at.letter(KNOWN, body="Hola. " * 2_000)
        at.box.deliver(octets)
        for _ in range(4):
            again(account)
        assert [message.octets for message in at.box.messages] == [octets]
        row = Arrival.objects.get()
        assert row.outcome == ("filed" if share or not is_listed else "failed")
        if row.outcome == "filed":
            (one,) = deletions(account)
            assert f"gave {row.size}; it is left there" in one["left_there"]["sentence"]
            assert one["from"] is None


LINES = {
    "each line end as one octet": lambda octets: len(octets.replace(b"\r\n", b"\n")),
    "the first three as one octet": lambda octets: len(octets.replace(b"\r\n", b"\n", 3)),
}


@BOTH
@pytest.mark.parametrize("listed", LINES.values(), ids=LINES.keys())
def test_R6_a_size_that_line_ends_explain_is_believed(protocol: str, listed: object) -> None:
    with scene(protocol, server=Teller) as at:
        at.server.box = at.box  # type: ignore[attr-defined]
        at.server.listed = listed  # type: ignore[attr-defined]
        account = at.account(after="delete")
        at.deliver(KNOWN, STRANGER)
        assert collect(account).settled == 2
        assert at.box.messages == []


def test_R6_a_message_with_bare_line_ends_that_count_as_two() -> None:
    with scene(server=Teller) as at:
        at.server.box = at.box  # type: ignore[attr-defined]
        at.server.listed = len  # type: ignore[attr-defined]
        at.server.given = lambda octets: octets.replace(b"\r\n", b"\n")  # type: ignore[attr-defined]
        account = at.account(after="delete")
        at.deliver(KNOWN)
        assert collect(account).settled == 1


@BOTH
@pytest.mark.parametrize("harm", ["damaged", "missing", "of a piece"])
def test_R6_what_is_damaged_here_is_fetched_again_before_it_goes(protocol: str, harm: str) -> None:
    with scene(protocol) as at:
        account = at.account(after="leave")
        octets = at.letter(KNOWN, body="Hola, buenas.\r\n" * (400_000 if "piece" in harm else 1))
        at.box.deliver(octets)
        collect(account)
        if harm == "of a piece":
            RawPiece.objects.filter(place=2).update(octets=b"rot")
        elif harm == "damaged":
            RawMessage.objects.update(octets=b"rot")
        else:
            RawMessage.objects.all().delete()
        change_account(account, after="delete")
        assert collect(account).settled == 0
        assert len(at.box.messages) == 1
        (row,) = rows(account)
        assert vault.get(account.organization_id, row.sha256) == octets
        assert collect(account).settled == 1
        assert (at.box.messages, Message.objects.count()) == ([], 1)


@BOTH
def test_R6_what_is_damaged_here_and_changed_there_is_left(protocol: str) -> None:
    with scene(protocol, server=Teller) as at:
        at.server.box = at.box  # type: ignore[attr-defined]
        account = at.account(after="leave")
        at.deliver(KNOWN)
        collect(account)
        RawMessage.objects.update(octets=b"rot")
        at.server.given = lambda octets: octets.replace(b"Hola", b"Chao")  # type: ignore[attr-defined]
        change_account(account, after="delete")
        for _ in range(3):
            assert collect(account).settled == 0
        assert len(at.box.messages) == 1
        (one,) = deletions(account)
        assert one["left_there"]["code"] == "left_for_its_octets"


def test_R6_a_header_that_is_not_given_is_no_consent() -> None:
    with scene(server=Teller) as at:
        at.server.box = at.box  # type: ignore[attr-defined]
        account = at.account(after="leave")
        at.deliver(KNOWN)
        collect(account)
        at.box.expunge(1)
        at.box.uidnext = 1
        other = at.letter(STRANGER)
        at.box.deliver(other)
        at.server.is_mute = True  # type: ignore[attr-defined]
        change_account(account, after="delete")
        assert collect(account).settled == 0
        assert [message.octets for message in at.box.messages] == [other]


def test_R6_another_message_of_the_same_header_and_another_size_stays() -> None:
    with scene() as at:
        account = at.account(after="leave")
        letter = at.letter(KNOWN)
        at.box.deliver(letter)
        collect(account)
        at.box.expunge(1)
        at.box.uidnext = 1
        at.box.deliver(letter + b"More of it.\r\n")
        change_account(account, after="delete")
        for _ in range(2):
            assert collect(account).settled == 0
        assert len(at.box.messages) == 1
        assert rows(account)[0].left_because == "octets"


def test_what_the_same_octets_say_again_repairs_them() -> None:
    """Another arrival of the same message: what is stored under its digest is not what it says."""
    with scene() as at:
        account = at.account(after="leave")
        letter = at.letter(KNOWN)
        at.box.deliver(letter)
        collect(account)
        RawMessage.objects.update(octets=b"rot")
        at.box.deliver(letter)
        collect(account)
        assert vault.get(account.organization_id, vault.digest(letter)) == letter
