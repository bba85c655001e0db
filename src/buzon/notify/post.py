"""A letter of our own that is no notification: recorded as ours (its Message-ID), sent at once, and
once. What must not get lost is a notification with its copy; this can be asked for again.
"""

import uuid
from email.utils import parseaddr

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

from buzon.desk.models import Organization, SentLetter
from buzon.notify.relay import Refused, Relay, RelayFailed
from buzon.notify.texts import SEVEN_BIT

log = structlog.get_logger()


def post(organization: Organization, *, to: str, subject: str, body: str) -> bool:
    """Whether the server took it; it may take as long as the server's answers do, so it is for a
    thread of its own. For an installation where `copies.are_set_up()`.
    """
    letter = _letter(to=to, subject=subject, body=body)
    SentLetter.objects.create(
        organization=organization,
        message_id=letter.extra_headers["Message-ID"],
        purpose=SentLetter.Purpose.NOTIFICATION,
    )
    try:
        timeout = settings.BUZON_CONNECT_TIMEOUT_SECONDS
        with Relay(settings.BUZON_SMTP_URL, timeout=timeout) as relay:
            relay.send(letter, before=lambda: None)
    except (Refused, RelayFailed) as error:
        log.warning("letter of our own", outcome="not sent", error=error.sentence)
        return False
    log.info("letter of our own", outcome="sent")
    return True


def _letter(*, to: str, subject: str, body: str) -> EmailMessage:
    domain = parseaddr(settings.BUZON_MAIL_FROM)[1].rpartition("@")[2] or "localhost"
    letter = EmailMessage(
        subject=subject,
        body=body,
        from_email=settings.BUZON_MAIL_FROM,
        to=[to],
        headers={
            "Message-ID": f"<{uuid.uuid4().hex}.buzon@{domain}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834 section 5
            "X-Auto-Response-Suppress": "All",
        },
    )
    letter.encoding = SEVEN_BIT
    return letter
