"""Notifications as people see them: which sign, in which words, and where each leads."""

from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from buzon.notify.models import Notification
from buzon.notify.texts import headline
from buzon.web.access import Person

_SIGNS = {
    Notification.Kind.CUSTOMER_ASSIGNED: "customers",
    Notification.Kind.MESSAGE_RECEIVED: "letter",
    Notification.Kind.LETTER_BOUNCED: "warning",
    Notification.Kind.HISTORY_COLLECTED: "inbox",
    Notification.Kind.CUSTOMER_LEFT_UNASSIGNED: "customers",
    Notification.Kind.ACCOUNT_FAILED: "warning",
    Notification.Kind.ACCOUNT_RECOVERED: "check",
    Notification.Kind.ACCOUNT_STOPPED: "warning",
}


class Shown(NamedTuple):
    """One notification, in the active language: `sign` is an icon of `ui.html`."""

    row: Notification
    sign: str
    kind: str
    headline: str
    link: str


def shown(row: Notification) -> Shown:
    """Its link marks it as read and leads on."""
    return Shown(
        row=row,
        sign=_SIGNS[Notification.Kind(row.kind)],
        kind=row.get_kind_display(),
        headline=headline(row),
        link=reverse("notification_open", args=[row.pk]),
    )


def way_to(person: Person, row: Notification) -> str:
    """The page of what it is about; "" where that is no longer there, or no longer theirs."""
    if row.kind == Notification.Kind.HISTORY_COLLECTED:
        return reverse("letters")
    if row.message_id is not None and person.messages().filter(pk=row.message_id).exists():
        return reverse("letter", args=[row.message_id])
    if row.customer_id is not None:
        theirs = person.customers().filter(pk=row.customer_id).exists()
        return reverse("customer", args=[row.customer_id]) if theirs else ""
    account = row.data.get("account_id")
    if account is None or not person.is_administrator:
        return ""
    there = person.collection_accounts().filter(pk=account).exists()
    return reverse("collection_account", args=[account]) if there else ""


def gone() -> str:
    """The sentence where a notification leads nowhere any more."""
    return _("What this notification is about is no longer there, or no longer yours.")
