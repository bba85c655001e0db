"""The same message twice, messages too large, too odd or deadly, several folders, organizations."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from buzon.demo.server import ImapConnection, MailServer
from buzon.desk.models import Customer, Event, Message, Organization, Store
from buzon.desk.reasons import sentence
from buzon.intake import vault
from buzon.intake.asked import fetch
from buzon.intake.models import Arrival, RawMessage
from tests.intake.collecting import collect
from tests.intake.scene import KNOWN, LOGIN, STRANGER, Scene, check_books, outcomes, rows, scene
from tests.intake.servers import DeliversDuring

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("protocol", ["imap", "pop3"])
MAIL = Path(__file__).parents[1] / "mail"


@contextmanager
def two_boxes(octets: bytes) -> Iterator[tuple[Scene, str]]:
    """A second login on the same server; the same octets lie in both."""
    with scene() as at:
        second = at.store.add_login("second@shop.example", "secret")
        for folder in (at.box, second.folder()):
            folder.deliver(octets)
        yield at, "second@shop.example"


def letter(*, message_id: str = "<one@mail.example>", body: str = "Hola") -> bytes:
    field = f"Message-ID: {message_id}\r\n" if message_id else ""
    return (
        f"From: {KNOWN}\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\n{field}\r\n{body}\r\n"
    ).encode()


def test_two_accounts_of_one_store_one_message_two_arrivals() -> None:
    with two_boxes(letter()) as (at, second):
        store = Store.objects.create(organization=at.organization, name="Main")
        first, other = at.account(store=store), at.account(store=store, username=second)
        assert collect(first).filed == 1
        assert collect(other).filed == 1
        message = Message.objects.get()
        assert {row.account_id for row in message.arrivals.all()} == {first.pk, other.pk}
        assert [row.reason["code"] for row in rows(other)] == ["same_message"]
        assert Event.objects.filter(kind="message_received").count() == 1
        assert RawMessage.objects.count() == 1
        assert Customer.objects.count() == 1


def test_R11_a_message_that_was_nobodys_until_its_second_arrival_is_told() -> None:
    failed = b"Authentication-Results: mx.shop.example; dmarc=fail header.from=customer.example\r\n"
    with two_boxes(failed + letter()) as (at, second):
        collect(at.account(trusted_authserv_id="mx.shop.example"))
        assert Message.objects.get().customer is None
        collect(at.account(username=second))
        customer = Customer.objects.get()
        assert Message.objects.get().customer == customer
        about_them = Event.objects.filter(customer=customer).order_by("id")
        assert list(about_them.values_list("kind", flat=True)) == [
            "customer_created",
            "customer_left_unassigned",
            "message_received",
        ]


def test_two_stores_a_message_for_each() -> None:
    with two_boxes(letter()) as (at, second):
        stores = [Store.objects.create(organization=at.organization, name=n) for n in "AB"]
        collect(at.account(store=stores[0]))
        collect(at.account(store=stores[1], username=second))
        assert Message.objects.count() == 2
        assert Customer.objects.count() == 2


def test_without_a_message_id_nothing_is_merged() -> None:
    with two_boxes(letter(message_id="")) as (at, second):
        collect(at.account())
        collect(at.account(username=second))
        assert Message.objects.count() == 2


def test_a_shared_message_id_with_different_bodies_is_two_messages() -> None:
    with scene() as at:
        at.box.deliver(letter(body="One"))
        at.box.deliver(letter(body="Two"))
        at.box.deliver(letter(body="One"))
        account = at.account()
        assert collect(account).filed == 3
        assert Message.objects.count() == 2
        check_books(account, 3)


@BOTH
def test_oversized_is_filed_by_its_header_and_completed_when_a_person_asks(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver(STRANGER, body="x" * 20_000)
        at.deliver(KNOWN)
        account = at.account(max_message_bytes=10_000)
        totals = collect(account)
        assert (totals.oversized, totals.filed, totals.error) == (1, 1, "")
        large = account.arrivals.get(outcome="oversized")
        assert (large.sha256, large.size > 20_000) == ("", True)
        assert vault.get(account.organization_id, large.header_sha256).startswith(b"From: zoe")
        message = large.message
        assert message is not None
        assert (message.sha256, message.subject) == ("", "Letter 1")
        assert message.customer is not None
        assert Event.objects.filter(kind="message_received", message=message).count() == 1
        if protocol == "imap":
            assert large.structure["content_type"] == "text/plain"
            assert at.bodies() == [2]

        fetch(at.organization, [large.pk])
        assert collect(account).filed == 1
        large.refresh_from_db()
        message.refresh_from_db()
        assert (large.outcome, large.message) == ("filed", message)
        assert large.reason["code"] != "same_message"
        assert message.sha256 == large.sha256 != ""
        assert Message.objects.count() == 2
        assert Event.objects.filter(kind="message_received").count() == 2
        check_books(account, 2)


@BOTH
def test_every_odd_letter_of_the_collection_is_filed_byte_for_byte(protocol: str) -> None:
    letters = [path.read_bytes() for path in sorted(MAIL.glob("*.eml"))]
    assert len(letters) > 50
    with scene(protocol) as at:
        for octets in letters:
            at.box.deliver(octets)
        account = at.account()
        totals = collect(account)
        assert (totals.error, totals.failed, totals.listed) == ("", 0, len(letters))
        check_books(account, len(letters))
        held = {
            vault.get(account.organization_id, row.sha256)
            for row in rows(account)
            if row.outcome == "filed"
        }
        assert held <= {*letters, *(octets + b"\r\n" for octets in letters)}
        assert len(held) > 50


class _NilImap(ImapConnection):
    """Has no octets for the message with UID 2."""

    def write(self, data: bytes) -> None:
        if b"(UID 2 " in data and b" BODY[] {" in data and getattr(self.server, "nil", True):
            data = data[: data.index(b"BODY[]")] + b"BODY[] NIL)\r\n"
        super().write(data)


class NilServer(MailServer):
    imap_connection = _NilImap


def test_a_body_that_the_server_does_not_give_holds_up_nothing() -> None:
    with scene(server=NilServer) as at:
        at.deliver(KNOWN, KNOWN, STRANGER)
        account = at.account(after="delete")
        totals = collect(account)
        assert (totals.filed, totals.failed, totals.listed) == (2, 1, 3)
        row = account.arrivals.get(uid=2)
        assert (row.outcome, row.reason["code"], row.attempts) == ("failed", "not_retrieved", 1)
        assert [message.uid for message in at.box.messages] == [2]
        assert collect(account).failed == 0  # not before its time

        account.arrivals.filter(uid=2).update(retry_at=timezone.now())
        at.server.nil = False  # type: ignore[attr-defined]
        assert collect(account).filed == 1
        assert at.box.messages == []
        check_books(account, 0)


def test_a_body_that_is_never_given_waits_for_a_person_after_three_times() -> None:
    with scene(server=NilServer) as at:
        at.deliver(KNOWN, KNOWN)
        account = at.account()
        for _ in range(3):
            collect(account)
            account.arrivals.filter(retry_at__isnull=False).update(retry_at=timezone.now())
        row = account.arrivals.get(uid=2)
        assert (row.outcome, row.attempts, row.retry_at) == ("failed", 3, None)


@pytest.mark.parametrize("create", [True, False])
def test_a_message_that_goes_while_it_is_fetched_is_no_failure(*, create: bool) -> None:
    with scene(server=DeliversDuring) as at:
        at.customer()
        at.deliver(KNOWN, KNOWN)
        at.server.on("UID FETCH", lambda: at.box.expunge(1), times=(3,))  # type: ignore[attr-defined]
        account = at.account(create_customer=create)
        totals = collect(account)
        assert (totals.filed, totals.failed, totals.error) == (1, 0, "")
        check_books(account, 1)


def test_a_message_that_kills_its_reader_fails_alone_after_three_times(
    settings: Settings,
) -> None:
    """The reader gets less memory than the message takes: it dies of it, for real."""
    settings.BUZON_READER_MEGABYTES = 120
    with scene() as at:
        at.deliver(KNOWN)
        at.box.deliver(at.letter(body="x" * (45 << 20)))
        at.deliver(STRANGER)
        account = at.account()
        folder = account.folders.get()
        # As it is when a process was killed while it read these: tried once, and no outcome.
        octets = [message.octets for message in at.box.messages]
        vault.put(account.organization_id, [(vault.digest(o), o) for o in octets])
        Arrival.objects.bulk_create(
            Arrival(
                organization=at.organization,
                account=account,
                folder=folder,
                uidvalidity=at.box.uidvalidity,
                uid=place,
                size=len(o),
                sha256=vault.digest(o),
                attempts=1,
            )
            for place, o in enumerate(octets, start=1)
        )
        folder.uidvalidity, folder.baseline_at = at.box.uidvalidity, timezone.now()
        folder.high, folder.baseline_uidnext = 3, 4
        folder.save()
        collect(account)
        deadly = account.arrivals.get(uid=2)
        assert outcomes(account) == {"filed": 2, "failed": 1}
        assert deadly.reason["code"] == "killed_its_reader"
        assert deadly.retry_at is not None
        account.arrivals.filter(uid=2).update(retry_at=timezone.now())
        collect(account)
        deadly.refresh_from_db()
        assert (deadly.outcome, deadly.attempts, deadly.retry_at) == ("failed", 3, None)
        assert vault.get(account.organization_id, deadly.sha256) == octets[1]


def test_octets_that_are_missing_from_custody_hold_up_nothing() -> None:
    with scene() as at:
        at.deliver(KNOWN, STRANGER)
        account = at.account()
        collect(account)
        first = rows(account)[0]
        RawMessage.objects.filter(sha256=first.sha256).delete()
        account.arrivals.update(outcome="waiting", attempts=0)
        collect(account)
        first.refresh_from_db()
        assert (first.outcome, first.reason["code"]) == ("failed", "not_understood")
        assert outcomes(account) == {"failed": 1, "filed": 1}


def test_several_folders_one_of_a_name_that_is_not_ascii_and_a_sent_one() -> None:
    with scene() as at:
        known = at.customer()
        odd = at.box.login.add_folder("Pedidos año 2026 & más")
        sent = at.box.login.add_folder("Enviados ñ", special_use="\\Sent")
        at.deliver(KNOWN)
        at.deliver(STRANGER, folder=odd)
        sent.deliver(at.letter(LOGIN, to=f"x@else.example, Ana <{KNOWN.upper()}>"))
        sent.deliver(at.letter(LOGIN, to="nobody@else.example"))
        account = at.account(folders=["INBOX", odd.name], sent_folders=[sent.name])
        totals = collect(account)
        assert (totals.error, totals.filed, totals.skipped, totals.listed) == ("", 3, 1, 4)
        out = Message.objects.get(direction="outgoing")
        assert (out.customer, out.link) == (known, {"code": "recipient_of_any_store"})
        assert not Event.objects.filter(message=out).exists()
        assert not Customer.objects.filter(addresses__folded="nobody@else.example").exists()
        check_books(account, 4)


def test_a_folder_that_is_missing_holds_up_no_other() -> None:
    with scene() as at:
        at.deliver(KNOWN)
        account = at.account(folders=["Aaa", "INBOX"], after="delete")
        totals = collect(account)
        assert "Aaa" in totals.error or "folder" in totals.error.lower()
        assert (totals.filed, totals.settled) == (1, 1)
        assert account.state == "rejected"


@BOTH
def test_the_same_mailbox_in_two_organizations(protocol: str) -> None:
    with scene(protocol) as at:
        other = Organization.objects.create(name="Other")
        at.customer(KNOWN)
        at.deliver(KNOWN, STRANGER)
        mine = at.account(create_customer=False)
        theirs = at.account(organization=other)
        collect(mine)
        collect(theirs)
        assert outcomes(mine) == {"filed": 1, "skipped": 1}
        assert outcomes(theirs) == {"filed": 2}
        for organization, letters in ((at.organization, 1), (other, 2)):
            held = Message.objects.filter(organization=organization)
            assert held.count() == letters
            assert all(m.customer and m.customer.organization == organization for m in held)
            assert RawMessage.objects.filter(organization=organization).count() == letters


def test_the_vault_is_each_organization_s_own() -> None:
    with scene() as at:
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        sha256 = rows(account)[0].sha256
        other = Organization.objects.create(name="Other")
        with pytest.raises(vault.NotHeld):
            vault.get(other.pk, sha256)
        RawMessage.objects.update(octets=b"\x28\xb5\x2f\xfd" + os.urandom(8))
        with pytest.raises(vault.Damaged):
            vault.get(account.organization_id, sha256)


def test_R8_a_created_customer_has_only_its_address_and_the_store() -> None:
    with scene() as at:
        store = Store.objects.create(organization=at.organization, name="Main")
        at.box.deliver(b"From: Zoe Zurita <Zoe@Stranger.Example>\r\n\r\nHola\r\n")
        collect(at.account(store=store))
        made = Customer.objects.get()
        assert (made.name, made.store, made.created_by) == ("", store, "mail")
        assert made.addresses.get().address == "Zoe@Stranger.Example"


def test_R5_a_store_s_account_matches_its_own_customers_and_those_of_no_store() -> None:
    with scene() as at:
        mine, other = (Store.objects.create(organization=at.organization, name=n) for n in "AB")
        at.customer(KNOWN, other)
        at.customer(STRANGER)
        at.deliver(KNOWN, STRANGER)
        account = at.account(store=mine, create_customer=False)
        collect(account)
        assert outcomes(account) == {"skipped": 1, "filed": 1}
        assert Message.objects.get().from_address == STRANGER


def test_R5_that_several_customers_came_into_question_is_shown() -> None:
    with scene() as at:
        for name in "AB":
            at.customer(KNOWN, Store.objects.create(organization=at.organization, name=name))
        at.deliver(KNOWN)
        account = at.account()
        collect(account)
        assert Message.objects.get().link == {"code": "ambiguous_most_recent", "of": 2}
        why = rows(account)[0].reason
        assert why == {"code": "known_customer", "one_of": 2}
        assert "belongs to 2 customers" in sentence(why)


def test_R7_R11_two_events_for_a_new_customer_and_one_for_a_known() -> None:
    with scene() as at:
        at.customer()
        at.deliver(KNOWN, STRANGER, STRANGER)
        collect(at.account(notify_agent=False))
        kinds = sorted(Event.objects.values_list("kind", flat=True))
        assert kinds.count("message_received") == 3
        received = Event.objects.filter(kind="message_received")
        assert not any(event.data["notify"] for event in received)


@BOTH
def test_failed_dmarc_is_filed_with_a_warning_and_makes_no_customer(protocol: str) -> None:
    with scene(protocol) as at:
        at.customer()
        verdict = "Authentication-Results: {by}; dmarc={said} header.from=x.example\r\n"
        failed = verdict.format(by="mx.shop.example", said="fail")
        at.deliver(KNOWN, STRANGER, extra=failed)
        at.deliver("good@else.example", extra=verdict.format(by="mx.shop.example", said="pass"))
        at.deliver("forged@else.example", extra=verdict.format(by="evil.example", said="fail"))
        account = at.account(trusted_authserv_id="mx.shop.example")
        collect(account)
        doubtful = Message.objects.filter(from_address__in=[KNOWN, STRANGER])
        assert all("dmarc_failed" in message.warnings for message in doubtful)
        linked = dict(Message.objects.values_list("from_address", "customer__addresses__folded"))
        assert linked == {
            KNOWN: KNOWN,
            STRANGER: None,
            "good@else.example": "good@else.example",
            "forged@else.example": "forged@else.example",
        }


@BOTH
def test_R8_two_letters_of_one_new_sender_in_one_batch_make_one_customer(protocol: str) -> None:
    with scene(protocol) as at:
        at.deliver("a.b@gmail.com", "ab+x@gmail.com", "AB@gmail.com")
        collect(at.account(fold_dots=True, fold_plus=True))
        assert Customer.objects.count() == 1
        assert all(m.customer == Customer.objects.get() for m in Message.objects.all())
