"""Judging many headers at once, before anything else of the messages is downloaded (R9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.screen import Verdict, judge
from buzon.intake.surroundings import Surroundings
from buzon.wire.reading import Reading


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message of which the header (or the `whole`) is here: its reading, its size in octets."""

    reading: Reading
    size: int
    asked_by_person: bool = False
    whole: bool = False


def is_decided_by_header(account: CollectionAccount, row: Arrival) -> bool:
    """Whether this row's header has to be judged before its octets may be fetched (R9)."""
    if row.asked_by_person:
        return False
    too_large = row.size > account.max_message_bytes
    return too_large or (not account.create_customer and not row.header_digest)


def judge_headers(
    around: Surroundings, folder: Folder, candidates: Sequence[Candidate]
) -> list[Verdict]:
    """A verdict for each candidate, in the same order."""
    known = around.known(_addresses(around, folder, candidates))
    notifications = around.notification_ids(c.reading for c in candidates)
    return [
        judge(
            around.facts(
                candidate.reading,
                folder=folder,
                known=any(a in known for a in _asked_about(around, folder, candidate)),
                oversized=candidate.size > around.account.max_message_bytes,
                asked_by_person=candidate.asked_by_person,
                is_notification=candidate.reading.message_id in notifications,
                bounced=around.letter_bounced(candidate.reading),
                whole=candidate.whole,
            )
        )
        for candidate in candidates
    ]


def _addresses(around: Surroundings, folder: Folder, candidates: Sequence[Candidate]) -> set[str]:
    return {a for c in candidates for a in _asked_about(around, folder, c)}


def _asked_about(around: Surroundings, folder: Folder, candidate: Candidate) -> list[str]:
    """Whose being a customer decides: the sender, or in a sent folder the recipients."""
    if folder.role == Folder.Role.SENT:
        return around.recipients_of(candidate.reading)
    sender = around.sender_of(candidate.reading)
    return [sender] if sender else []
