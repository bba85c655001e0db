"""Reasons are data: {"code": …, and what the sentence needs}. Here they become words.

Every automatic decision stores such a reason. Each code is listed in `docs/path.md`. The words
are those of the language that is active where they are asked for, not where the reason was made.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Who gives by hand without a login: whoever runs the installation.
OPERATOR = gettext_noop("the operator")

REASONS: dict[str, str] = {
    # desk: why a letter is linked to its customer (R5)
    "sender_of_store": gettext_noop("The sender's address is a customer's of this store"),
    "sender_of_no_store": gettext_noop("The sender's address is a customer's of no store"),
    "sender_of_any_store": gettext_noop("The sender's address is a customer's"),
    "recipient_of_store": gettext_noop("It was sent to the address of a customer of this store"),
    "recipient_of_no_store": gettext_noop("It was sent to the address of a customer of no store"),
    "recipient_of_any_store": gettext_noop("It was sent to the address of a customer"),
    "ambiguous_most_recent": gettext_noop(
        "The address belongs to {of} customers; this one was active most recently"
    ),
    "created_for_sender": gettext_noop("The customer was created for this sender"),
    "no_customer": gettext_noop("No customer has this address"),
    # desk: why a customer was given to an agent, or to nobody (R10)
    "free_next_in_turn": gettext_noop("Free and signed in, next in turn of {of}"),
    "rest_next_in_turn": gettext_noop(
        "Nobody of the group was Free and signed in; next in turn of {of}"
    ),
    "whole_group_next_in_turn": gettext_noop("Shared among the whole group, next in turn of {of}"),
    "group_without_agents": gettext_noop("The group {group} has no active agents"),
    "no_group": gettext_noop("There is no group to share new customers among"),
    "given_by_hand": gettext_noop("Given by {by}"),
    "given_at_import": gettext_noop("Given by the imported list"),
    "taken_by_hand": gettext_noop("Taken away by {by}"),
    # intake: what became of a message, and why
    "known_customer": gettext_noop("The sender is a customer"),
    "new_customer": gettext_noop("The sender became a customer"),
    "unknown_sender": gettext_noop(
        "The sender is not a customer, and none is created from this mail"
    ),
    "no_sender_address": gettext_noop("There is no sender's address to make a customer of"),
    "machine_mail_bounce": gettext_noop("A delivery report, not written by a person"),
    "machine_mail_auto_reply": gettext_noop("An automatic reply, not written by a person"),
    "machine_mail_list": gettext_noop("Mail of a mailing list"),
    "machine_mail_bulk": gettext_noop("Bulk mail"),
    "bounce_of_our_letter": gettext_noop("A letter of ours came back"),
    "bounce_to_look_at": gettext_noop(
        "A delivery report: only the whole of it tells whose letter came back"
    ),
    "dmarc_failed": gettext_noop("The sender's domain does not vouch for it (DMARC failed)"),
    "our_notification": gettext_noop("A notification of our own"),
    "our_own_address": gettext_noop("It comes from an address of our own"),
    "blocked_sender": gettext_noop("The sender is blocked"),
    "larger_than_limit": gettext_noop("Larger than the limit: only its header was collected"),
    "larger_than_limit_unseen": gettext_noop(
        "Larger than the limit, and this server gives no header without the whole message"
    ),
    "sent_to_customer": gettext_noop("Sent to a customer"),
    "sent_to_nobody_known": gettext_noop("Sent to nobody who is a customer"),
    "asked_by_person": gettext_noop("A person asked for it"),
    "same_message": gettext_noop("The same message had already arrived"),
    "gone_before_download": gettext_noop("It was removed from the server before it was downloaded"),
    "left_for_its_size": gettext_noop(
        "The server announced {listed} octets and gave {size}; it is left there"
    ),
    "left_for_its_octets": gettext_noop(
        "The server gives other octets than those that came; it is left there"
    ),
    "not_retrieved": gettext_noop("The server did not give it: {error}"),
    "not_understood": gettext_noop("It could not be processed: {error}"),
    "killed_its_reader": gettext_noop("Reading it took more time or memory than allowed"),
    # intake: what is the matter with a collection account
    "mail_error": "{error}",
    "behind": gettext_noop(
        "It has been due for minutes, but all workers are busy with other accounts"
    ),
    "slow": gettext_noop("{host} keeps us waiting for its answer; this collection goes on"),
    "day_limit": gettext_noop(
        "{host} is asked for at most {limit} MB a day, and nine tenths of them are used: new mail"
        " is collected as before; the rest of the history goes on by itself, in about {hours} h"
    ),
    "renumbered": gettext_noop(
        "The server renumbered the folder {folder}, and only {found} of {expected} messages were"
        " found again"
    ),
    "renumbered_often": gettext_noop(
        "The server renumbered the folder {folder} {times} times within a day"
    ),
}

# Values that are English words of ours, not names: they are translated too.
_WORDS = ("what", "why")


class Worded(Protocol):
    """An error that says how its sentence is made (wire's errors, KeyringError)."""

    template: str
    values: dict[str, Any]
    answer: str


def reason(code: str, **details: Any) -> dict[str, Any]:
    """Make a reason; the code must be one of those with a sentence."""
    if code not in REASONS:
        raise KeyError(f"no sentence for the reason {code!r}")
    return {"code": code, **details}


def reason_of_error(code: str, error: Worded, **details: Any) -> dict[str, Any]:
    """A reason that an error gives: its sentence in English as `error`, and how it is made."""
    made = {"template": error.template, "values": error.values, "answer": error.answer}
    return reason(code, error=str(error), **made, **details)


def told(why: Mapping[str, Any]) -> dict[str, Any] | None:
    """The reason as data, with its sentence beside the code; None for an empty reason."""
    return {**why, "sentence": sentence(why)} if why else None


def sentence(why: Mapping[str, Any]) -> str:
    """The reason in words of the active language, without a full stop; "" for an empty reason."""
    if not why:
        return ""
    words = _(REASONS[why["code"]]).format_map(_details(why))
    if why.get("retrieved_to_decide"):
        words += " " + _("(retrieved to decide: this server gives no header alone)")
    if why.get("one_of"):
        several = _(REASONS["ambiguous_most_recent"]).format_map({"of": why["one_of"]})
        words += f" ({several})"
    return words


def error_sentence(error: Worded) -> str:
    """What an error says, in the active language, with what a server answered in its own."""
    return _said(error.template, error.values, error.answer)


def _details(why: Mapping[str, Any]) -> dict[str, Any]:
    details = dict(why)
    if why.get("template"):  # a row of an earlier version has the English alone
        details["error"] = _said(why["template"], why.get("values", {}), why.get("answer", ""))
    if why.get("by") == OPERATOR:
        details["by"] = _(OPERATOR)
    return details


def _said(template: str, values: Mapping[str, Any], answer: str) -> str:
    words = {name: _word(value) if name in _WORDS else value for name, value in values.items()}
    said = _(template).format_map(words) if words else _(template)
    if not answer:
        return said
    stop = "" if answer.endswith((".", "!", "?")) else "."
    return said + " " + _("The server said: {answer}").format(answer=answer + stop)


def _word(value: Any) -> Any:
    return _(value) if isinstance(value, str) and value else value
