"""What a server says beside the messages: structures and sizes. Whatever it is, or where it hangs
up instead, one message holds up no other.
"""

import dataclasses
from typing import Any

import pytest

from buzon.demo.server import ImapConnection, MailServer, imap_fetch
from buzon.demo.server.pop3 import Pop3Connection
from buzon.demo.server.stream import Hangup
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, Scene, outcomes, scene

pytestmark = pytest.mark.django_db(transaction=True)
CREATE = pytest.mark.parametrize("create", [True, False])
LARGE = 100_000
PART = (
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: application/pdf\r\n"
    "Content-Disposition: attachment; filename*={name}\r\n\r\n{octets}\r\n--b--\r\n"
)


def _between_two(at: Scene, name: str = "utf-8''a.pdf") -> Any:
    """A letter that is too large, with an attachment of this name, between two small ones."""
    at.customer()
    account = at.account(max_message_bytes=LARGE)
    at.deliver(KNOWN)
    head = f"From: {KNOWN}\r\nSubject: large\r\nMessage-ID: <large@x.example>\r\n"
    part = PART.format(name=name, octets=("x" * 70 + "\r\n") * 2_000)
    at.box.deliver((head + part).encode())
    at.deliver(KNOWN)
    return account


@CREATE
@pytest.mark.parametrize(
    "name",
    [
        "idna''abc", "undefined''abc", "punycode''%ff", "\x00''abc",
        "utf-8''a%00b.pdf", "utf-7''%2B2AA-", "unicode_escape''%5Cud800",
    ],
)  # fmt: skip
def test_a_file_name_of_a_large_letter(name: str, create: bool) -> None:
    with scene() as at:
        account = _between_two(at, name)
        account.create_customer = create
        account.save()
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 2, "oversized": 1}


class _Refuses(ImapConnection):
    """Tells no structure: `answer` stands in its place, "" for hanging up."""

    answer = ""
    asked = False

    def write(self, data: bytes) -> None:
        if b"BODYSTRUCTURE" in data and b"FETCH" in data:
            if not self.answer:
                raise Hangup
            self.asked = True
        elif self.asked:
            self.asked = False
            super().write(b"%b %b\r\n" % (data.split(b" ")[0], self.answer.encode()))
        else:
            super().write(data)


class Refuses(MailServer):
    """See above."""

    imap_connection = _Refuses


@CREATE
@pytest.mark.parametrize(
    "answer", ["", "NO no", "NO [UNAVAILABLE] no", "NO [SERVERBUG] no", "BAD no"]
)
def test_a_structure_that_the_server_does_not_tell(
    answer: str, create: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Refuses, "answer", answer)
    with scene(server=Refuses) as at:
        account = _between_two(at)
        account.create_customer = create
        account.save()
        collect(account)
        assert collect(account).error == ""
        assert outcomes(account) == {"filed": 2, "oversized": 1}


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("size", [9_999_999_999_999_999_999, 8 * 10**18, 10**18 - 1])
def test_a_size_beyond_belief(protocol: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    item = imap_fetch._ATTRIBUTES["RFC822.SIZE"]
    lie = dataclasses.replace(item, render=lambda _: b"RFC822.SIZE %d" % size)
    monkeypatch.setitem(imap_fetch._ATTRIBUTES, "RFC822.SIZE", lie)
    monkeypatch.setattr(Pop3Connection, "_size", lambda *_: min(size, 10**18 - 1))
    with scene(protocol) as at:
        account = at.account()
        at.deliver(*[KNOWN] * 12)
        assert collect(account).error == ""
        assert sum(outcomes(account).values()) == 12
