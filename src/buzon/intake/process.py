"""THE RECIPE: what happens to a message once it is in custody, from top to bottom.

    read ─▶ screen ─▶ match ─▶ customer ─▶ conversation ─▶ assign ─▶ events ═COMMIT═

It needs no mail server, may run alone and may be run again: everything about a message is decided
in one transaction with its ledger row. This module alone translates a read message into the plain
values of the desk.
"""

import itertools
from datetime import timedelta
from typing import Any

from buzon.desk.assignment import waits_for_agent
from buzon.desk.events import Happened
from buzon.desk.filing import Letter, identity_of
from buzon.desk.letter import happened_at
from buzon.desk.matching import Match, of_recipient
from buzon.desk.models import Customer, Event, SentLetter
from buzon.desk.reasons import reason
from buzon.desk.search import Indexable
from buzon.intake.custody import decide
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.screen import Verdict, judge
from buzon.intake.sitting import Sitting, Work
from buzon.intake.surroundings import Surroundings
from buzon.wire.reading import Address, Reading

FRESH = timedelta(days=7)  # history older than this is filed as read and closed


def process_one(sitting: Sitting, work: Work) -> None:
    """The recipe for one message; nothing is stored before the whole batch has been decided."""
    bounced = sitting.letter_bounced(work.reading)
    matched = _match(sitting, work)
    verdict = _screen(sitting, work, matched, bounced)
    if verdict.outcome not in (Arrival.Outcome.FILED, Arrival.Outcome.OVERSIZED):
        decide(work.arrival, verdict.outcome, verdict.why)
        return
    customer, created, link = _customer(sitting, work, verdict, matched, bounced)
    message, merged = _file(sitting, work, verdict, bounced, customer, link)
    work.arrival.message_id = message
    is_another = merged and work.held is None
    why = reason("same_message") if is_another else _with_doubt(verdict.why, link)
    decide(work.arrival, verdict.outcome, why)
    silent = work.arrival.of_history and sitting.around.is_history_muted
    if customer is not None:
        if created:
            _tell_of_customer(sitting, customer, silent=silent)
        by_person = verdict.notify and bounced is None
        _assign(sitting, work, customer, created=created, by_person=by_person, silent=silent)
    if created or not merged:  # where it was nobody's before, it was told to nobody
        _tell(sitting, work, verdict, customer, message, bounced, silent=silent)


def indexable(account: CollectionAccount, work: Work) -> Indexable:
    """The words by which a message that was filed is found."""
    reading, arrival = work.reading, work.arrival
    assert arrival.message_id is not None  # it was filed
    people = (*reading.from_, *reading.reply_to, *reading.to, *reading.cc, *reading.bcc)
    files = [one.filename for one in reading.attachments] or _names_of_parts(arrival.structure)
    return Indexable(
        message_id=arrival.message_id,
        organization_id=account.organization_id,
        happened_at=happened_at(arrival.internal_date, reading.date),
        subject=reading.subject,
        text=reading.text,
        people=[f"{one.name} {one.address}" for one in people],
        files=files,
    )


def _match(sitting: Sitting, work: Work) -> Match:
    """By the sender (R5); what a sent folder holds, by the first recipient who is a customer."""
    asked = sitting.around.asked_about(work.folder, work.reading)
    found = (sitting.senders.match(one) for one in asked)
    known = (match for match in found if match.customer is not None)
    matched = next(known, Match(None, reason("no_customer")))
    return of_recipient(matched) if work.folder.role == Folder.Role.SENT else matched


def _screen(sitting: Sitting, work: Work, matched: Match, bounced: SentLetter | None) -> Verdict:
    return judge(
        sitting.around.facts(
            work.reading,
            folder=work.folder,
            known=matched.customer is not None,
            oversized=not work.whole,
            asked_by_person=work.arrival.asked_by_person,
            is_notification=sitting.sent.is_notification(work.reading.message_id),
            bounced=bounced,
            whole=True,
        )
    )


def _customer(
    sitting: Sitting, work: Work, verdict: Verdict, matched: Match, bounced: SentLetter | None
) -> tuple[Customer | None, bool, dict[str, Any]]:
    """Whose letter it is, whether the customer was made for it (R8), and why."""
    if bounced is not None and verdict.is_bounce_of_ours:
        return sitting.customer_of(bounced), False, verdict.why
    if matched.customer is not None and verdict.link:
        return matched.customer, False, matched.why
    if not verdict.create:
        return None, False, verdict.why
    customer = sitting.senders.create(_as_written(sitting.around, work.reading))
    return customer, True, reason("created_for_sender")


def _with_doubt(why: dict[str, Any], link: dict[str, Any]) -> dict[str, Any]:
    """The ledger tells, too, where several customers came into question."""
    return why | {"one_of": link["of"]} if link["code"] == "ambiguous_most_recent" else why


def _as_written(around: Surroundings, reading: Reading) -> str:
    """The sender's address as the letter has it, where that is the one which counts."""
    sender = around.sender_of(reading)
    written = (a.address for a in (*reading.from_, *reading.reply_to))
    return next((one for one in written if around.folds_to(one, sender)), sender)


def _letter(
    account: CollectionAccount, work: Work, verdict: Verdict, bounced: SentLetter | None
) -> Letter:
    """The plain values that the desk stores."""
    reading, arrival = work.reading, work.arrival
    author = next((a for a in reading.from_ if a.address), Address("", ""))
    sent = work.folder.role == Folder.Role.SENT
    old = arrival.of_history and _is_old(work)
    returned = (bounced.message_id,) if bounced is not None else ()
    return Letter(
        organization_id=account.organization_id,
        store_id=account.store_id,
        direction="outgoing" if sent else "incoming",
        kind=reading.kind.value,
        sha256=arrival.sha256,
        message_id=reading.message_id,
        identity=_identity(account, work),
        from_name=author.name,
        from_address=author.address,
        subject=reading.subject,
        preview=" ".join(reading.text[:2_000].split()),
        date=reading.date,
        internal_date=arrival.internal_date,
        size=arrival.size,
        attachment_count=len(reading.attachments) or len(_names_of_parts(arrival.structure)),
        in_reply_to=reading.in_reply_to,
        references=(*reading.references, *returned),
        warnings=[*verdict.warnings, *reading.warnings],
        read=old or sent,
        closed=old,
    )


def _identity(account: CollectionAccount, work: Work) -> str | None:
    reading = work.reading
    return identity_of(
        organization_id=account.organization_id,
        store_id=account.store_id,
        message_id=reading.message_id,
        from_field=reading.from_field,
        date_field=reading.date_field,
        body_digest=reading.body_digest if work.whole else "",
    )


def _is_old(work: Work) -> bool:
    written = work.arrival.internal_date or work.reading.date
    baseline = work.folder.baseline_at
    return written is not None and baseline is not None and written < baseline - FRESH


def _names_of_parts(structure: dict[str, Any]) -> list[str]:
    """The file names that the parts of an oversized message have."""
    own = [str(structure["filename"])] if structure.get("filename") else []
    below = (_names_of_parts(part) for part in structure.get("parts", ()))
    return [*own, *itertools.chain.from_iterable(below)]


def _file(
    sitting: Sitting,
    work: Work,
    verdict: Verdict,
    bounced: SentLetter | None,
    customer: Customer | None,
    link: dict[str, Any],
) -> tuple[int, bool]:
    """The message's key, and whether it was held already."""
    letter = _letter(sitting.account, work, verdict, bounced)
    if work.held is not None:
        return sitting.filing.complete(work.held, letter), True
    message, merged = sitting.filing.file(letter, customer=customer, link=link)
    if letter.direction == "outgoing":
        sitting.sent.remember(letter.message_id, message, customer)
    return message, merged


def _tell_of_customer(sitting: Sitting, customer: Customer, *, silent: bool) -> None:
    sitting.events.append(
        Happened(
            organization_id=sitting.account.organization_id,
            kind=Event.Kind.CUSTOMER_CREATED,
            customer_id=customer.pk,
            silent=silent,
        )
    )


def _assign(
    sitting: Sitting,
    work: Work,
    customer: Customer,
    *,
    created: bool,
    by_person: bool,
    silent: bool,
) -> None:
    """A new customer is handed out (R10); one whose agent has left, when a person writes."""
    account = sitting.account
    left = by_person and waits_for_agent(customer, hand_out_existing=account.hand_out_existing)
    if created or (left and account.group is not None):
        whole_group = work.arrival.of_history and account.history_to_whole_group
        sitting.handing.give(customer, silent=silent, whole_group=whole_group)


def _tell(
    sitting: Sitting,
    work: Work,
    verdict: Verdict,
    customer: Customer | None,
    message: int,
    bounced: SentLetter | None,
    *,
    silent: bool,
) -> None:
    """The event of this letter (R7, R11); history that is summed up has none of its own."""
    if silent or work.folder.role == Folder.Role.SENT:
        return
    ours = bounced is not None and verdict.is_bounce_of_ours
    account = sitting.account
    told = Happened(
        organization_id=account.organization_id,
        kind=Event.Kind.LETTER_BOUNCED if ours else Event.Kind.MESSAGE_RECEIVED,
        customer_id=customer.pk if customer is not None else None,
        message_id=message,
        agent_id=customer.agent_id if customer is not None else None,  # whose it is at this moment
        data={"account": account.name, "notify": verdict.notify and account.notify_agent},
    )
    sitting.events.append(told)
