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
    asked = [around.asked_about(folder, candidate.reading) for candidate in candidates]
    known = around.known({address for addresses in asked for address in addresses})
    notifications = around.notification_ids(c.reading for c in candidates)
    return [
        judge(
            around.facts(
                candidate.reading,
                folder=folder,
                known=any(address in known for address in addresses),
                oversized=candidate.size > around.account.max_message_bytes,
                asked_by_person=candidate.asked_by_person,
                is_notification=candidate.reading.message_id in notifications,
                bounced=around.letter_bounced(candidate.reading),
                whole=candidate.whole,
            )
        )
        for candidate, addresses in zip(candidates, asked, strict=True)
    ]
