"""Copies by e-mail, against a real SMTP server. The due time is moved, never waited for."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from django.utils import timezone, translation
from pytest_django.fixtures import Settings

from buzon.desk.models import Agent, Organization, SentLetter
from buzon.desk.reasons import sentence
from buzon.lease import claim
from buzon.notify import copies
from buzon.notify.links import address_of
from buzon.notify.models import Copy, Notification
from tests.notify import people
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SmtpServer]:
    """A server in the clear that this installation copies through."""
    with SmtpServer() as server:
        settings.BUZON_SMTP_URL = f"smtp://127.0.0.1:{server.port}"
        settings.BUZON_MAIL_FROM = "Buzón <buzon@shop.example>"
        yield server


def told_copies(count: int = 1, **shop: str) -> Organization:
    """That many letters of a customer, told to an agent who wants copies."""
    organization = people.shop(**shop)
    ana = people.agent(organization, email_copies=Agent.Copies.ALL)
    for _ in range(count):
        people.arrived(people.customer(organization, agent=ana))
    people.tell(organization)
    return organization


def send() -> int:
    return copies.send_due(stop=lambda: False)


def make_due() -> None:
    Copy.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_copy_says_who_wrote_but_not_what_and_asks_for_no_answer(smtp: SmtpServer) -> None:
    told_copies()
    assert send() == 1
    (letter,) = smtp.letters
    notification = Notification.objects.get()
    assert notification.agent is not None
    assert letter["To"] == notification.agent.email
    assert "buzon@shop.example" in str(letter["From"])
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Auto-Response-Suppress"] == "All"
    assert letter["Subject"].startswith("New message from customer")
    body = letter.get_content()
    assert "Where is my order?" in body
    assert "nobody else's business" not in body
    raw = smtp.envelopes[0].content
    assert isinstance(raw, bytes)
    assert raw.isascii()
    copy = Copy.objects.get()
    assert (copy.due_at, copy.attempts, copy.error) == (None, 1, "")
    assert copy.sent_at is not None
    assert send() == 0


def test_it_leads_to_what_it_is_about_where_the_public_address_is_known(
    smtp: SmtpServer, settings: Settings
) -> None:
    told_copies(2)
    settings.BUZON_PUBLIC_URL = ""
    copies.send_due(stop=iter([False, True]).__next__)
    settings.BUZON_PUBLIC_URL = "https://buzon.example.com/"
    send()
    without, with_it = (letter.get_content() for letter in smtp.letters)
    assert "http" not in without
    link = address_of(Copy.objects.order_by("pk")[1].notification)
    assert link in with_it.splitlines()
    assert with_it.index(link) < with_it.index("-- ")


def test_its_message_id_is_known_as_ours(smtp: SmtpServer) -> None:
    organization = told_copies()
    send()
    known = SentLetter.objects.get()
    assert known.message_id == smtp.letters[0]["Message-ID"] == Copy.objects.get().message_id
    assert known.message_id.endswith("@shop.example>")
    assert (known.organization, known.purpose) == (organization, SentLetter.Purpose.NOTIFICATION)


def test_it_is_written_in_the_organizations_language(smtp: SmtpServer) -> None:
    told_copies(language="es")
    send()
    assert smtp.letters[0]["Subject"].startswith("Nuevo mensaje de customer")
    assert "Por favor, no responda" in smtp.letters[0].get_content()


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_that_is_copied_has_its_words(smtp: SmtpServer, language: str) -> None:
    shop = people.shop(language=language)
    people.administrator(shop)
    ana = people.agent(shop, email_copies=Agent.Copies.ALL)
    known = people.customer(shop, agent=ana)
    known.name = "Señora\r\nBcc: all@example.com"
    known.save()
    why = {"code": "group_without_agents", "group": "sales"}
    data = {"account": "info", "account_id": 1, "letters": 3, "customers": 2, "why": why}
    for kind in ("customer_assigned", "letter_bounced", "history_collected"):
        people.event(kind, shop, customer=known, agent=ana, data=data)
    for kind in ("account_failed", "account_stopped"):
        people.event(kind, shop, data=data)
    people.arrived(known)
    people.tell(shop)
    assert send() == 6
    for letter in smtp.letters:
        assert letter["Bcc"] is None
        assert "{" not in letter["Subject"] + letter.get_content()
    assert any("Señora Bcc: all@example.com" in letter["Subject"] for letter in smtp.letters)
    bodies = [letter.get_content() for letter in smtp.letters]
    assert sum("info" in body for body in bodies) == 3
    with translation.override(language):
        reason = sentence(why) + "."
    assert sum(reason in body for body in bodies) == 2


def test_a_refused_recipient_is_given_up_and_the_others_are_sent(smtp: SmtpServer) -> None:
    told_copies()
    told_copies()
    refused = Copy.objects.order_by("pk")[0]
    smtp.refused_recipients[refused.to] = "550 5.1.1 no such user"
    assert send() == 1
    refused.refresh_from_db()
    assert refused.given_up_at is not None
    assert refused.due_at is None
    assert refused.error == "The server refused the recipient: 550 5.1.1 no such user."
    assert len(smtp.letters) == 1


def test_a_recipient_who_is_refused_for_now_is_tried_again_later_and_at_last_given_up(
    smtp: SmtpServer,
) -> None:
    told_copies()
    smtp.refused_recipients[Copy.objects.get().to] = "450 4.2.1 try later"
    waits = []
    for attempt in range(1, copies.ATTEMPTS):
        assert send() == 0
        copy = Copy.objects.get()
        assert (copy.attempts, copy.given_up_at) == (attempt, None)
        assert copy.due_at is not None
        waits.append((copy.due_at - timezone.now()).total_seconds())
        make_due()
    assert send() == 0
    copy = Copy.objects.get()
    assert copy.given_up_at is not None
    assert (copy.attempts, copy.due_at) == (8, None)
    assert 40 < waits[0] < 80
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert max(waits) <= copies.LONGEST_DELAY.total_seconds() * 1.25
    make_due()
    assert send() == 0


def test_a_refused_letter_is_given_up(smtp: SmtpServer) -> None:
    told_copies()
    smtp.refuse_data = "554 5.7.1 we do not like it"
    assert send() == 0
    assert Copy.objects.get().error == (
        "The server refused the letter: 554 5.7.1 we do not like it."
    )
    assert Copy.objects.get().given_up_at is not None


def test_while_the_server_is_away_one_copy_tries_and_the_others_wait(smtp: SmtpServer) -> None:
    told_copies(3)
    smtp.go_away()
    assert send() == 0
    assert sorted(copy.attempts for copy in Copy.objects.all()) == [0, 0, 1]
    assert all(copy.due_at and copy.due_at > timezone.now() for copy in Copy.objects.all())
    assert send() == 0  # nothing is due
    smtp.come_back()
    make_due()
    assert send() == 3
    assert len(smtp.letters) == 3


def test_a_server_that_closes_the_session_is_away_for_now(smtp: SmtpServer) -> None:
    told_copies(2)
    smtp.refused_recipients = {Copy.objects.all()[0].to: "421 4.3.2 going down"}
    assert send() == 0
    assert not Copy.objects.filter(given_up_at__isnull=False).exists()
    smtp.refused_recipients = {}
    make_due()
    assert send() == 2


def test_a_crash_between_the_record_and_the_sending_sends_after_all(smtp: SmtpServer) -> None:
    told_copies()
    lease = claim(Copy.objects.get())
    assert lease is not None
    copies._recorded(lease)  # and here the process died
    assert SentLetter.objects.count() == 1
    assert send() == 0  # its lease still runs
    Copy.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert send() == 1
    assert SentLetter.objects.get().message_id == smtp.letters[0]["Message-ID"]
    assert Copy.objects.get().attempts == 2


def test_a_crash_after_the_sending_sends_twice_under_one_message_id(smtp: SmtpServer) -> None:
    """At least once is what e-mail can do; the reader's program sees that it is the same."""
    told_copies()
    send()
    Copy.objects.update(sent_at=None, due_at=timezone.now() - timedelta(seconds=1))
    send()
    assert len({letter["Message-ID"] for letter in smtp.letters}) == 1
    assert len(smtp.letters) == 2


def test_a_fault_of_ours_with_one_letter_does_not_keep_the_others(smtp: SmtpServer) -> None:
    told_copies(2)
    first = Copy.objects.order_by("pk")[0]
    Notification.objects.filter(copy=first).update(kind="unheard_of")  # has no words
    assert send() == 1
    first.refresh_from_db()
    assert (first.attempts, first.sent_at, first.given_up_at) == (1, None, None)
    assert "its log says why" in first.error


def test_who_is_no_longer_active_is_not_written_to(smtp: SmtpServer) -> None:
    told_copies()
    Agent.objects.update(active=False)
    assert send() == 0
    assert Copy.objects.get().given_up_at is not None
    assert smtp.letters == []


def test_a_suspended_organization_sends_nothing(smtp: SmtpServer) -> None:
    told_copies()
    Organization.objects.update(suspended_at=timezone.now())
    assert send() == 0
    Organization.objects.update(suspended_at=None)
    assert send() == 1


def test_it_stops_between_two_letters(smtp: SmtpServer) -> None:
    told_copies(3)
    assert copies.send_due(stop=lambda: len(smtp.letters) == 2) == 2


# Encryption and logins.


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_with(
    authority: trustme.CA, *, implicit_tls: bool, name: str = "127.0.0.1"
) -> SmtpServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return SmtpServer(tls=context, implicit_tls=implicit_tls, login=("us:er", "p@ss/word%"))


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp+starttls", False), ("smtps", True)])
def test_encrypted_with_a_login(
    authority: trustme.CA, settings: Settings, tmp_path: Path, scheme: str, implicit: bool
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings.BUZON_CA_FILE = str(tmp_path / "ca.pem")
    settings.BUZON_MAIL_FROM = "buzon@shop.example"
    with server_with(authority, implicit_tls=implicit) as server:
        login = "us%3Aer:p%40ss%2Fword%25"
        settings.BUZON_SMTP_URL = f"{scheme}://{login}@127.0.0.1:{server.port}"
        told_copies(2)
        assert send() == 2
        assert server.logins == 1  # one session for both


@pytest.mark.parametrize(("scheme", "implicit"), [("smtp+starttls", False), ("smtps", True)])
def test_an_untrusted_certificate_gets_neither_login_nor_letter(
    authority: trustme.CA, settings: Settings, scheme: str, implicit: bool
) -> None:
    settings.BUZON_MAIL_FROM = "buzon@shop.example"
    with server_with(authority, implicit_tls=implicit) as server:
        settings.BUZON_SMTP_URL = f"{scheme}://us%3Aer:p%40ss@127.0.0.1:{server.port}"
        told_copies()
        assert send() == 0
        assert (server.logins, server.letters) == (0, [])
    assert "untrusted certificate" in Copy.objects.get().error


def test_no_starttls_where_it_was_asked_for_sends_nothing(
    smtp: SmtpServer, settings: Settings
) -> None:
    settings.BUZON_SMTP_URL = f"smtp+starttls://a:b@127.0.0.1:{smtp.port}"
    told_copies()
    assert send() == 0
    assert smtp.letters == []
    assert "STARTTLS" in Copy.objects.get().error


def test_a_rejected_login_is_named_without_the_password(
    authority: trustme.CA, settings: Settings, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings.BUZON_CA_FILE = str(tmp_path / "ca.pem")
    settings.BUZON_MAIL_FROM = "buzon@shop.example"
    with server_with(authority, implicit_tls=True) as server:
        settings.BUZON_SMTP_URL = f"smtps://someone:wrong-one@127.0.0.1:{server.port}"
        told_copies()
        assert send() == 0
    error = Copy.objects.get().error
    assert "refused the login" in error
    assert "wrong-one" not in error


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("ana@shop.es", True),
        ("ana@example.es", True),
        ("ana@mail.shop.internal", True),
        ("ana@demo.example", False),
        ("ana@Demo.EXAMPLE.", False),
        ("ana@mail.example.com", False),
        ("ana@example.org", False),
        ("admin@localhost", False),
        ("ana@shop.test", False),
        ("ana@shop.invalid", False),
        ("nobody", False),
    ],
)
def test_nothing_is_sent_where_nobody_can_have_mail(
    smtp: SmtpServer, address: str, may: bool
) -> None:
    assert copies.may_be_written_to(address) is may
    organization = people.shop()
    ana = people.agent(organization, email=address, email_copies=Agent.Copies.ALL)
    people.arrived(people.customer(organization, agent=ana))
    people.tell(organization)
    assert send() == len(smtp.letters) == int(may)
