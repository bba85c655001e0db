"""What a copy by e-mail says, in English and Spanish: who, about what, never the letter's body."""

from collections.abc import Mapping
from email import charset
from typing import Any

from buzon.desk.reasons import sentence
from buzon.notify.models import Notification

# Quoted-printable: every server takes it, also one without 8BITMIME (RFC 6152).
SEVEN_BIT = charset.Charset("utf-8")
SEVEN_BIT.body_encoding = charset.QP

# kind: (subject, body)
_ENGLISH = {
    "customer_assigned": (
        "A customer was assigned to you: {customer}",
        "{customer} is now your customer in Buzón.",
    ),
    "message_received": (
        "New message from {customer}",
        "{customer} has written to you: “{subject}”\nOpen Buzón to read it and to answer.",
    ),
    "letter_bounced": (
        "A letter to {customer} was not delivered",
        "A letter to {customer} came back: “{subject}”\nCheck the address in Buzón.",
    ),
    "history_collected": (
        "Earlier letters of your customers: {letters}",
        "The first download of {account} brought {letters} letters of {customers} of your "
        "customers.\nThey are in Buzón, with their conversations.",
    ),
    "account_failed": (
        "Mail is not being collected: {account}",
        "Buzón cannot collect {account}. {why}\nIt keeps trying; check the account's settings.",
    ),
    "account_stopped": (
        "A decision is needed: {account}",
        "Buzón has stopped collecting {account}. {why}\nNothing is collected until you resume it.",
    ),
}
_SPANISH = {
    "customer_assigned": (
        "Se le ha asignado un cliente: {customer}",
        "{customer} es ahora cliente suyo en Buzón.",
    ),
    "message_received": (
        "Nuevo mensaje de {customer}",
        "{customer} le ha escrito: «{subject}»\nAbra Buzón para leerlo y responder.",
    ),
    "letter_bounced": (
        "Una carta a {customer} no se ha entregado",
        "Una carta a {customer} ha sido devuelta: «{subject}»\nRevise la dirección en Buzón.",
    ),
    "history_collected": (
        "Cartas anteriores de sus clientes: {letters}",
        "La primera descarga de {account} ha traído {letters} cartas de {customers} de sus "
        "clientes.\nEstán en Buzón, con sus conversaciones.",
    ),
    "account_failed": (
        "No se está recogiendo el correo: {account}",
        "Buzón no puede recoger {account}. {why}\nSigue intentándolo; revise la cuenta.",
    ),
    "account_stopped": (
        "Hace falta una decisión: {account}",
        "Buzón ha dejado de recoger {account}. {why}\nNo recogerá nada hasta que la reanude.",
    ),
}
_FOOT = "\n\n-- \nBuzón. Please do not answer this message.\n"
_PIE = "\n\n-- \nBuzón. Por favor, no responda a este mensaje.\n"


def subject_and_body(notification: Notification, language: str) -> tuple[str, str]:
    """In Spanish for "es" and its variants, else in English."""
    spanish = language.lower().startswith("es")
    texts, foot = (_SPANISH, _PIE) if spanish else (_ENGLISH, _FOOT)
    subject, body = texts[notification.kind]
    words = _words(notification, spanish=spanish)
    return subject.format_map(words), body.format_map(words) + foot


def _words(notification: Notification, *, spanish: bool) -> dict[str, str]:
    data = notification.data
    nameless = "(sin asunto)" if spanish else "(no subject)"
    subject = notification.message.subject if notification.message else ""
    return {
        "customer": _customer(notification) or ("un cliente" if spanish else "a customer"),
        "subject": _line(subject) or nameless,
        "account": _line(data.get("account", "")) or ("la cuenta" if spanish else "the account"),
        "letters": _line(data.get("letters", "")),
        "customers": _line(data.get("customers", "")),
        "why": _why(data),
    }


def _customer(notification: Notification) -> str:
    customer = notification.customer
    if customer is None:
        return ""
    first = customer.addresses.order_by("pk").first()
    return _line(customer.name) or (_line(first.address) if first else "")


def _why(data: Mapping[str, Any]) -> str:
    """The reason in words, as one sentence. What a server said is in the server's language."""
    why = _line(sentence(data.get("why") or {}), longest=600)
    return why.rstrip(".") + "." if why else ""


def _line(text: object, *, longest: int = 150) -> str:
    """One line, cut: what strangers wrote goes into a header here."""
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(printable.split())[:longest]
