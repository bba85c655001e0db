"""What becomes of a message: the table of `docs/path.md`, as one pure function.

The same function decides from a header alone (triage, before anything is downloaded) and from the
whole message (process). Each verdict carries its reason as data.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from buzon.desk.reasons import reason
from buzon.wire.reading import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a message when it is judged.

    `answers_our_letter` is None where only the whole message could tell (a bounce's header does
    not name the letter). `known`: the sender (for a sent folder: a recipient) is a customer.
    """

    kind: Kind
    known: bool
    create: bool
    has_sender: bool = True
    sent_folder: bool = False
    ours: str = ""  # "notification" or "address": it came from ourselves
    blocked: bool = False
    answers_our_letter: bool | None = False
    dmarc_failed: bool = False
    oversized: bool = False
    lists_as_persons: bool = False
    asked_by_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`outcome` is an Arrival.Outcome, or "look" where the whole message has to be seen first."""

    outcome: str
    why: dict[str, Any]
    create: bool = False  # make the customer if there is none
    link: bool = False  # to the customer, if there is one
    notify: bool = False  # the customer's agent
    warnings: tuple[str, ...] = field(default=())

    @property
    def downloads(self) -> bool:
        return self.outcome in ("filed", "look")

    @property
    def is_bounce_of_ours(self) -> bool:
        """A delivery report for a letter that we sent: it is filed with that letter."""
        return bool(self.why["code"] == "bounce_of_our_letter")


def judge(facts: Facts) -> Verdict:
    """The table, row by row; the first row that applies decides."""
    verdict = _by_the_table(facts)
    if facts.asked_by_person:
        return _as_asked(verdict, known=facts.known)
    if facts.oversized and verdict.outcome == "look":
        return Verdict(outcome="skipped", why=reason("unknown_sender"))
    if facts.oversized and verdict.outcome == "filed":
        return replace(verdict, outcome="oversized", why=reason("larger_than_limit"))
    return verdict


def _by_the_table(facts: Facts) -> Verdict:
    if facts.ours == "notification":
        return Verdict(outcome="ignored", why=reason("our_notification"))
    if facts.sent_folder:
        return _sent(facts)
    if facts.ours:
        return Verdict(outcome="ignored", why=reason("our_own_address"))
    if facts.blocked:
        return Verdict(outcome="ignored", why=reason("blocked_sender"))
    if facts.kind is Kind.BOUNCE and facts.answers_our_letter:
        return Verdict(outcome="filed", why=reason("bounce_of_our_letter"), notify=True)
    if facts.dmarc_failed:
        return _of_doubtful_sender(facts)
    if _is_a_persons(facts):
        return _of_person(facts)
    return _of_machine(facts)


def _sent(facts: Facts) -> Verdict:
    if facts.known:
        return Verdict(outcome="filed", why=reason("sent_to_customer"), link=True)
    return Verdict(outcome="skipped", why=reason("sent_to_nobody_known"))


def _of_doubtful_sender(facts: Facts) -> Verdict:
    if not facts.known and not facts.create:
        return _skipped(facts)
    why = reason("dmarc_failed")
    return Verdict(
        outcome="filed",
        why=why,
        link=facts.known,
        notify=facts.known and _is_a_persons(facts),
        warnings=("dmarc_failed",),
    )


def _is_a_persons(facts: Facts) -> bool:
    if facts.kind in (Kind.LIST, Kind.BULK):
        return facts.lists_as_persons
    return facts.kind is Kind.PERSON


def _of_person(facts: Facts) -> Verdict:
    if facts.known:
        return Verdict(outcome="filed", why=reason("known_customer"), link=True, notify=True)
    if not facts.create:
        return _skipped(facts)
    if not facts.has_sender:
        return Verdict(outcome="filed", why=reason("no_sender_address"))
    return Verdict(outcome="filed", why=reason("new_customer"), create=True, link=True, notify=True)


def _of_machine(facts: Facts) -> Verdict:
    why = reason(f"machine_mail_{facts.kind.value}")
    if facts.known:
        return Verdict(outcome="filed", why=why, link=True)
    if facts.create:
        return Verdict(outcome="filed", why=why)
    return _skipped(facts)


def _skipped(facts: Facts) -> Verdict:
    if facts.kind is Kind.BOUNCE and facts.answers_our_letter is None:
        return Verdict(outcome="look", why=reason("bounce_to_look_at"))
    return Verdict(outcome="skipped", why=reason("unknown_sender"))


def _as_asked(verdict: Verdict, *, known: bool) -> Verdict:
    """A person asked for this very message: what it was left for counts no more, and they look."""
    if verdict.outcome == "filed":
        return replace(verdict, notify=False)
    return replace(verdict, outcome="filed", link=known, why=reason("asked_by_person"))
