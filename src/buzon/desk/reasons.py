"""Reasons are data: {"code": …, and what the sentence needs}. Here they become words.

Every automatic decision stores such a reason. Each code is listed in `docs/path.md`.
"""

from collections.abc import Mapping
from typing import Any

OPERATOR = "the operator"  # who gives by hand without a login: whoever runs the installation

REASONS: dict[str, str] = {
    # desk: why a letter is linked to its customer (R5)
    "sender_of_store": "The sender's address is a customer's of this store",
    "sender_of_no_store": "The sender's address is a customer's of no store",
    "sender_of_any_store": "The sender's address is a customer's",
    "ambiguous_most_recent": (
        "The address belongs to {of} customers; this one was active most recently"
    ),
    "created_for_sender": "The customer was created for this sender",
    "no_customer": "No customer has this address",
    # desk: why a customer was given to an agent, or to nobody (R10)
    "free_next_in_turn": "Free and signed in, next in turn of {of}",
    "rest_next_in_turn": "Nobody of the group was Free and signed in; next in turn of {of}",
    "whole_group_next_in_turn": "Shared among the whole group, next in turn of {of}",
    "group_without_agents": "The group {group} has no active agents",
    "no_group": "There is no group to share new customers among",
    "given_by_hand": "Given by {by}",
    "given_at_import": "Given by the imported list",
    "taken_by_hand": "Taken away by {by}",
    # intake: what became of a message, and why
    "known_customer": "The sender is a customer",
    "new_customer": "The sender became a customer",
    "unknown_sender": "The sender is not a customer, and this account creates none",
    "no_sender_address": "There is no sender's address to make a customer of",
    "machine_mail_bounce": "A delivery report, not written by a person",
    "machine_mail_auto_reply": "An automatic reply, not written by a person",
    "machine_mail_list": "Mail of a mailing list",
    "machine_mail_bulk": "Bulk mail",
    "bounce_of_our_letter": "A letter of ours came back",
    "bounce_to_look_at": "A delivery report: only the whole of it tells whose letter came back",
    "dmarc_failed": "The sender's domain does not vouch for it (DMARC failed)",
    "our_notification": "A notification of our own",
    "our_own_address": "It comes from an address of our own",
    "blocked_sender": "The sender is blocked",
    "larger_than_limit": "Larger than the limit: only its header was collected",
    "larger_than_limit_unseen": (
        "Larger than the limit, and this server gives no header without the whole message"
    ),
    "sent_to_customer": "Sent to a customer",
    "sent_to_nobody_known": "Sent to nobody who is a customer",
    "asked_by_person": "A person asked for it",
    "same_message": "The same message had already arrived",
    "gone_before_download": "It was removed from the server before it was downloaded",
    "not_retrieved": "The server did not give it: {error}",
    "not_understood": "It could not be processed: {error}",
    "killed_its_reader": "Reading it took more time or memory than allowed",
    # intake: what is the matter with a collection account
    "mail_error": "{error}",
    "renumbered": (
        "The server renumbered the folder {folder}, and only {found} of {expected} messages were"
        " found again"
    ),
    "renumbered_often": "The server renumbered the folder {folder} {times} times within a day",
}


def reason(code: str, **details: Any) -> dict[str, Any]:
    """Make a reason; the code must be one of those with a sentence."""
    if code not in REASONS:
        raise KeyError(f"no sentence for the reason {code!r}")
    return {"code": code, **details}


def told(why: Mapping[str, Any]) -> dict[str, Any] | None:
    """The reason as data, with its sentence beside the code; None for an empty reason."""
    return {**why, "sentence": sentence(why)} if why else None


def sentence(why: Mapping[str, Any]) -> str:
    """The reason in words, without a full stop; "" for an empty reason."""
    if not why:
        return ""
    words = REASONS[why["code"]].format_map(why)
    if why.get("retrieved_to_decide"):
        words += " (retrieved to decide: this server gives no header alone)"
    if why.get("one_of"):
        words += f" ({REASONS['ambiguous_most_recent'].format_map({'of': why['one_of']})})"
    return words
