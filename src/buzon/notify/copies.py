"""The copy of a notification by e-mail, where its reader wants one.

    due ──record its Message-ID═COMMIT═──▶ sent to the server ──▶ sent_at
     ▲                                        │
     └────── back-off, 8 attempts ◀───────────┴──▶ given up, with the error

Its Message-ID is in `desk.SentLetter` before the server hears of it, so that our own collector
knows the letter if it ever comes back. Between the server's yes and our row a crash can fall: then
the letter goes out a second time, with the same Message-ID. At least once, never lost.
"""

import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from buzon.desk.models import SentLetter
from buzon.lease import Lease, LeaseLost, claim_due, lease_seconds
from buzon.notify import texts
from buzon.notify.links import address_of
from buzon.notify.models import Copy, Notification
from buzon.notify.relay import Refused, Relay, RelayFailed

ATTEMPTS = 8
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=4)
# RFC 2606 and RFC 6761: set aside for examples and tests, so nobody has mail there.
NOBODYS_DOMAINS = (
    "example",
    "example.com",
    "example.net",
    "example.org",
    "invalid",
    "localhost",
    "test",
)
_ENDS_OF_NOBODYS = tuple(f".{domain}" for domain in NOBODYS_DOMAINS)

log = structlog.get_logger()


def are_set_up() -> bool:
    """Whether this installation can send copies at all."""
    return bool(settings.BUZON_SMTP_URL and settings.BUZON_MAIL_FROM)


def may_be_written_to(address: str) -> bool:
    """Whether a copy has somewhere to go: those of the demonstration shop have not, and the first
    administrator's address may be made up.
    """
    _local, at, domain = address.lower().rstrip(".").rpartition("@")
    return are_set_up() and bool(at) and not f".{domain}".endswith(_ENDS_OF_NOBODYS)


def copy_of(notification: Notification) -> Copy | None:
    """The row of the copy, not yet saved; None where none is wanted."""
    if not notification.channels["email"]:
        return None
    reader = notification.agent or notification.user
    assert reader is not None  # told_to_one
    return Copy(
        organization_id=notification.organization_id,
        notification=notification,
        to=reader.email,
        message_id=_new_message_id(),
    )


def due() -> "models.QuerySet[Copy]":
    """The copies that may be sent, once their time has come."""
    return Copy.objects.filter(
        sent_at=None, given_up_at=None, due_at__isnull=False, organization__suspended_at=None
    )


def any_waits() -> bool:
    """Whether there is something to send now."""
    free = Q(lease_owner="") | Q(lease_until__lte=Now())
    return are_set_up() and due().filter(free, due_at__lte=Now()).exists()


def send_due(*, stop: Callable[[], bool]) -> int:
    """Send the copies that are due, one after the other, until `stop`; how many were sent."""
    if not are_set_up():
        return 0
    sent = 0
    with Relay(settings.BUZON_SMTP_URL, timeout=_timeout()) as relay:
        while not stop() and (leases := claim_due(due(), limit=1)):
            try:
                sent += _send(leases[0], relay)
            except RelayFailed as failure:
                _wait(leases[0], failure)
                break
            except LeaseLost:
                log.warning("copy", copy=leases[0].pk, outcome="lease lost")
            except DatabaseError:
                raise
            except Exception:
                log.exception("copy", copy=leases[0].pk, outcome="failed")
                _after_fault(leases[0])
    return sent


def _send(lease: Lease, relay: Relay) -> bool:
    copy = _recorded(lease)
    if not _reader_is_active(copy.notification):
        return _give_up(lease, copy, "The reader's login or agent is no longer active.")
    try:
        relay.send(_letter(copy), before=lambda: _still_ours(lease))
    except Refused as refusal:
        return _after_refusal(lease, copy, refusal)
    lease.release(due_at=None, sent_at=timezone.now(), error="")
    log.info("copy", copy=copy.pk, outcome="sent", attempts=copy.attempts)
    return True


def _recorded(lease: Lease) -> Copy:
    """The copy, its Message-ID known to the desk and this attempt counted, before it is sent."""
    with transaction.atomic():
        lease.fence()
        Copy.objects.filter(pk=lease.pk).update(attempts=F("attempts") + 1)
        copies = Copy.objects.select_related(
            "organization",
            "notification__organization",
            "notification__agent__user",
            "notification__user",
            "notification__message",
        )
        copy = copies.get(pk=lease.pk)
        SentLetter.objects.get_or_create(
            organization=copy.organization,
            message_id=copy.message_id,
            defaults={"purpose": SentLetter.Purpose.NOTIFICATION},
        )
    return copy


def _still_ours(lease: Lease) -> None:
    # MAIL, RCPT, DATA and its end: four answers to wait for.
    lease.check_before_server_change(deadline=4 * _timeout())


def _letter(copy: Copy) -> EmailMessage:
    language = texts.language_of(copy.notification)
    link = address_of(copy.notification)
    subject, body = texts.subject_and_body(copy.notification, language, link=link)
    letter = EmailMessage(
        subject=subject,
        body=body,
        from_email=settings.BUZON_MAIL_FROM,
        to=[copy.to],
        headers={
            "Message-ID": copy.message_id,
            "Auto-Submitted": "auto-generated",  # RFC 3834 section 5
            "X-Auto-Response-Suppress": "All",
        },
    )
    letter.encoding = texts.SEVEN_BIT
    return letter


def _after_refusal(lease: Lease, copy: Copy, refusal: Refused) -> bool:
    if refusal.permanent or copy.attempts >= ATTEMPTS:
        return _give_up(lease, copy, refusal.sentence)
    lease.release(due_at=timezone.now() + _delay(copy.attempts), error=refusal.sentence)
    log.warning("copy", copy=copy.pk, outcome="postponed", attempts=copy.attempts)
    return False


def _after_fault(lease: Lease) -> None:
    """A fault of ours: the other copies go on, and this one is tried again a few times."""
    fault = Refused("Buzón could not write this letter; its log says why.", permanent=False)
    _after_refusal(lease, Copy.objects.get(pk=lease.pk), fault)


def _wait(lease: Lease, failure: RelayFailed) -> None:
    """The server is away: this copy has used an attempt, the others only wait with it."""
    copy = Copy.objects.get(pk=lease.pk)
    if copy.attempts >= ATTEMPTS:
        _give_up(lease, copy, failure.sentence)
    else:
        delay = _delay(copy.attempts)
        lease.release(due_at=timezone.now() + delay, error=failure.sentence)
        log.warning("copy", copy=copy.pk, outcome="server away", attempts=copy.attempts)
    due().filter(due_at__lte=Now(), lease_owner="").update(due_at=Now() + FIRST_DELAY)


def _give_up(lease: Lease, copy: Copy, error: str) -> bool:
    lease.release(due_at=None, given_up_at=timezone.now(), error=error)
    log.warning("copy", copy=copy.pk, outcome="given up", attempts=copy.attempts)
    return False


def _reader_is_active(notification: Notification) -> bool:
    agent, user = notification.agent, notification.user
    return bool((agent and agent.active) or (user and user.is_active))


def _delay(attempts: int) -> timedelta:
    """Three times longer each time, and never at the same moment as everyone else."""
    planned: timedelta = min(FIRST_DELAY * 3 ** (attempts - 1), LONGEST_DELAY)
    return planned * random.uniform(0.75, 1.25)  # noqa: S311 (spread, not a secret)


def _timeout() -> float:
    """For each answer of the server: opening a session takes up to eight, within one lease."""
    longest: Any = min(settings.BUZON_CONNECT_TIMEOUT_SECONDS, lease_seconds() / 10)
    return float(longest)


def _new_message_id() -> str:
    domain = parseaddr(settings.BUZON_MAIL_FROM)[1].rpartition("@")[2]
    return f"<{uuid.uuid4().hex}.buzon@{domain or 'localhost'}>"
