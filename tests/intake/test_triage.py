"""R9: create = no. What is skipped never leaves the server; the server's own ledger says so."""

from typing import Any

import pytest

from buzon.desk.models import BlockedSender, Customer, Message, SentLetter
from buzon.intake.asked import fetch
from buzon.intake.models import Arrival
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, STRANGER, check_books, outcomes, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
BOUNCE = (
    "From: MAILER-DAEMON@mx.example\r\nTo: shop@shop.example\r\nSubject: Undelivered\r\n"
    "Message-ID: <{number}@mx.example>\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nNo.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    "Reporting-MTA: dns; mx.example\r\n\r\n"
    "Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {returned}\r\n\r\n--b--\r\n"
)


def bounce(number: int, returned: str) -> bytes:
    return BOUNCE.format(number=number, returned=returned, recipient=KNOWN).encode()


@BOTH
def test_R9_skipped_mail_is_not_downloaded_and_matched_bodies_follow(protocol: str) -> None:
    with scene(protocol) as at:
        at.customer()
        at.deliver(STRANGER, KNOWN, STRANGER, KNOWN, STRANGER)
        account = at.account(create_customer=False)
        totals = collect(account)
        assert totals.error == ""
        assert at.bodies() == [2, 4]
        assert (totals.listed, totals.filed, totals.skipped) == (5, 2, 3)
        assert len(at.box.messages) == 5
        check_books(account, 5)
        assert Customer.objects.count() == 1
        assert {r.reason["code"] for r in rows(account) if r.outcome == "skipped"} == {
            "unknown_sender"
        }


@BOTH
def test_R9_a_second_collection_asks_for_nothing_more(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, STRANGER)
        account = at.account(create_customer=False)
        collect(account)
        before = list(at.store.ledger)
        collect(account)
        asked = [deed.what for deed in at.store.ledger[len(before) :]]
        assert not {"fetched-header", "fetched-body", "top", "retrieved"} & set(asked)


@BOTH
def test_bounce_of_a_letter_we_sent_is_found_by_looking_inside(protocol: str) -> None:
    with scene(protocol) as at:
        SentLetter.objects.create(
            organization=at.organization, message_id="<ours@shop.example>", purpose="letter"
        )
        at.box.deliver(bounce(1, "<ours@shop.example>"))
        at.box.deliver(bounce(2, "<theirs@else.example>"))
        account = at.account(create_customer=False)
        collect(account)
        ours, theirs = sorted(rows(account), key=_place)
        assert (ours.outcome, ours.reason["code"]) == ("filed", "bounce_of_our_letter")
        assert (theirs.outcome, theirs.sha256) == ("skipped", "")


@BOTH
def test_R9_no_bounce_is_looked_at_where_nothing_was_ever_sent(protocol: str) -> None:
    with scene(protocol) as at:
        at.box.deliver(bounce(1, "<ours@shop.example>"))
        collect(at.account(create_customer=False))
        assert at.bodies() == []


def test_R9_pop3_without_top_retrieves_throws_away_and_says_so() -> None:
    with scene("pop3", top=False) as at:
        at.customer()
        at.deliver(STRANGER, KNOWN)
        account = at.account(create_customer=False)
        collect(account)
        skipped, filed = sorted(rows(account), key=lambda row: row.outcome, reverse=True)
        assert skipped.reason == {"code": "unknown_sender", "retrieved_to_decide": True}
        assert skipped.sha256 == ""
        assert "retrieved_to_decide" not in filed.reason
        assert len(at.box.messages) == 2
        collect(account)
        assert len(at.store.deeds("retrieved")) == 2


@BOTH
@pytest.mark.parametrize("create", [False, True])
def test_blocked_and_own_mail_is_ignored(protocol: str, *, create: bool) -> None:
    with scene(protocol) as at:
        for pattern in ("spam@bad.example", "@worse.example"):
            BlockedSender.objects.create(organization=at.organization, pattern=pattern)
        SentLetter.objects.create(
            organization=at.organization, message_id="<n@shop.example>", purpose="notification"
        )
        at.deliver("spam@bad.example", "x@worse.example", "shop@shop.example")
        at.box.deliver(
            b"From: no-reply@else.example\r\nMessage-ID: <n@shop.example>\r\n\r\nYou have mail\r\n"
        )
        account = at.account(create_customer=create)
        collect(account)
        assert outcomes(account) == {"ignored": 4}
        assert [row.reason["code"] for row in sorted(rows(account), key=_place)] == [
            "blocked_sender",
            "blocked_sender",
            "our_own_address",
            "our_notification",
        ]
        assert Message.objects.count() == 0
        if not create:
            assert at.bodies() == []


def _place(row: Arrival) -> Any:
    return row.uid or row.uidl


@BOTH
def test_web_form_of_our_own_address_counts_by_its_reply_to(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver("shop@shop.example", extra=f"Reply-To: {STRANGER}\r\n")
        account = at.account(reply_to_senders=["shop@shop.example"])
        collect(account)
        assert outcomes(account) == {"filed": 1}
        assert Customer.objects.get().addresses.get().folded == STRANGER


@BOTH
def test_a_person_fetches_what_was_skipped(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, STRANGER)
        account = at.account(create_customer=False)
        collect(account)
        wanted = rows(account)[0]
        assert fetch(at.organization, [wanted.pk]) == 1
        totals = collect(account)
        assert (totals.filed, totals.error) == (1, "")
        assert outcomes(account) == {"filed": 1, "skipped": 1}
        assert len(at.bodies()) == 1


@BOTH
@pytest.mark.parametrize("at_once", [False, True])
def test_skipped_letters_when_their_sender_becomes_a_customer(
    protocol: str, *, at_once: bool
) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, STRANGER, "other@else.example")
        account = at.account(create_customer=False, fetch_skipped_at_once=at_once)
        collect(account)
        at.customer(STRANGER)
        collect(account)
        assert outcomes(account) == ({"filed": 2, "skipped": 1} if at_once else {"skipped": 3})


@BOTH
def test_an_oversized_skipped_letter_is_not_downloaded_when_its_sender_becomes_known(
    protocol: str,
) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, body="x" * 20_000)
        account = at.account(
            create_customer=False, fetch_skipped_at_once=True, max_message_bytes=10_000
        )
        collect(account)
        assert outcomes(account) == {"skipped": 1}
        at.customer(STRANGER)
        collect(account)
        assert outcomes(account) == {"oversized": 1}
        assert at.bodies() == []
        assert Message.objects.get().customer is not None
