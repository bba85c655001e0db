"""What a notification says, on a page and in a copy by e-mail: who, about what, and never the
letter's body.
"""

from collections.abc import Mapping
from email import charset
from typing import Any, NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from buzon.desk.reasons import sentence
from buzon.notify.models import Notification

# Quoted-printable: every server takes it, also one without 8BITMIME (RFC 6152).
SEVEN_BIT = charset.Charset("utf-8")
SEVEN_BIT.body_encoding = charset.QP


class _Text(NamedTuple):
    """In a list, in a letter's body, and in its subject: "" where that is as in the list."""

    headline: str
    body: str
    subject: str = ""


_TEXTS = {
    Notification.Kind.CUSTOMER_ASSIGNED: _Text(
        headline=gettext_noop("A customer was assigned to you: {customer}"),
        body=gettext_noop("{customer} is now your customer in Buzón."),
    ),
    Notification.Kind.MESSAGE_RECEIVED: _Text(
        headline=gettext_noop("New message from {customer}: {subject}"),
        subject=gettext_noop("New message from {customer}"),
        body=gettext_noop(
            "{customer} has written to you: “{subject}”\nOpen Buzón to read it and to answer."
        ),
    ),
    Notification.Kind.LETTER_BOUNCED: _Text(
        headline=gettext_noop("A letter to {customer} was not delivered: {subject}"),
        subject=gettext_noop("A letter to {customer} was not delivered"),
        body=gettext_noop(
            "A letter to {customer} came back: “{subject}”\nCheck the address in Buzón."
        ),
    ),
    Notification.Kind.HISTORY_COLLECTED: _Text(
        headline=gettext_noop(
            "{account} brought {letters} of your customers from before; new customers of yours: "
            "{customers}"
        ),
        subject=gettext_noop("Earlier letters of your customers: {number}"),
        body=gettext_noop(
            "The first download of {account} brought {letters} of your customers. New customers of "
            "yours: {customers}.\nThey are in Buzón, with their conversations."
        ),
    ),
    Notification.Kind.CUSTOMER_LEFT_UNASSIGNED: _Text(
        headline=gettext_noop("{customer} has no agent. {why}"),
        subject=gettext_noop("A customer has no agent: {customer}"),
        body=gettext_noop("{customer} has no agent. {why}\nChoose one in Buzón."),
    ),
    Notification.Kind.ACCOUNT_FAILED: _Text(
        headline=gettext_noop("Mail is not being collected: {account}. {why}"),
        subject=gettext_noop("Mail is not being collected: {account}"),
        body=gettext_noop(
            "Buzón cannot collect {account}. {why}\nIt keeps trying; check the settings."
        ),
    ),
    Notification.Kind.ACCOUNT_RECOVERED: _Text(
        headline=gettext_noop("Mail is being collected again: {account}"),
        body=gettext_noop("Buzón collects {account} again. There is nothing to do."),
    ),
    Notification.Kind.ACCOUNT_STOPPED: _Text(
        headline=gettext_noop("A decision is needed: {account}. {why}"),
        subject=gettext_noop("A decision is needed: {account}"),
        body=gettext_noop(
            "Buzón has stopped collecting {account}. {why}\n"
            "Nothing is collected until you resume it."
        ),
    ),
}


def headline(notification: Notification) -> str:
    """One line in the active language: who, about what.

    Of many, prefetch `customer__addresses` and select `message`: it asks for nothing else.
    """
    told = _(_TEXTS[Notification.Kind(notification.kind)].headline)
    return told.format_map(_words(notification)).strip()


def subject_and_body(
    notification: Notification, language: str, *, link: str = ""
) -> tuple[str, str]:
    """Of the copy by e-mail, in that language; in English where we have not got it. `link`: where
    the reader sees what it is about, if this installation knows its own address.
    """
    with translation.override(language):
        text = _TEXTS[Notification.Kind(notification.kind)]
        words = _words(notification)
        foot = _("Buzón. Please do not answer this message.")
        told = _(text.body).format_map(words) + (f"\n\n{link}" if link else "")
        body = f"{told}\n\n-- \n{foot}\n"
        return _(text.subject or text.headline).format_map(words), body


def language_of(notification: Notification) -> str:
    """Its reader's own language, else the organization's."""
    login = notification.user or (notification.agent and notification.agent.user)
    return (login and login.language) or notification.organization.language


def _words(notification: Notification) -> dict[str, str]:
    data = notification.data
    subject = notification.message.subject if notification.message else ""
    return {
        "customer": _customer(notification) or _("a customer"),
        "subject": _line(subject) or _("(no subject)"),
        "account": _line(data.get("account", "")) or _("the collection account"),
        "letters": _letters(data.get("letters")),
        "number": _line(data.get("letters", "")),
        "customers": _line(data.get("customers", "")),
        "why": _why(data),
    }


def _letters(number: object) -> str:
    if not isinstance(number, int):
        return ""
    return ngettext("{number} letter", "{number} letters", number).format(number=number)


def _customer(notification: Notification) -> str:
    customer = notification.customer
    if customer is None:
        return ""
    # All of them, and not the first by a query of its own: they may have been prefetched.
    first = min(customer.addresses.all(), key=lambda one: one.pk, default=None)
    return _line(customer.name) or (_line(first.address) if first else "")


def _why(data: Mapping[str, Any]) -> str:
    """The reason in words, as one sentence. What a server said is in the server's language."""
    why = _line(sentence(data.get("why") or {}), longest=600)
    return why.rstrip(".") + "." if why else ""


def _line(text: object, *, longest: int = 150) -> str:
    """One line, cut: what strangers wrote goes into a header here."""
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(printable.split())[:longest]
