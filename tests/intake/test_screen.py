"""What becomes of a message: the whole table, cell by cell."""

from dataclasses import replace
from typing import Any

import pytest

from buzon.intake.screen import Facts, Verdict, judge
from buzon.wire.reading import Kind

PERSON = Facts(kind=Kind.PERSON, known=False, create=False)
MACHINES = [Kind.AUTO_REPLY, Kind.BOUNCE, Kind.LIST, Kind.BULK]
WHO = {
    "unknown, create=no": {"known": False, "create": False},
    "unknown, create=yes": {"known": False, "create": True},
    "known": {"known": True, "create": False},
    "known, create=yes": {"known": True, "create": True},
}


def verdict(who: str, **facts: Any) -> Verdict:
    return judge(replace(PERSON, **WHO[who], **facts))


def cell(one: Verdict) -> tuple[str, bool, bool, bool]:
    """Outcome; whether a customer is made, it is linked, its agent notified."""
    return one.outcome, one.create, one.link, one.notify


SKIPPED = ("skipped", False, False, False)
IGNORED = ("ignored", False, False, False)
FILED_ALONE = ("filed", False, False, False)
FILED_LINKED = ("filed", False, True, False)
FILED_NOTIFIED = ("filed", False, True, True)
FILED_CREATED = ("filed", True, True, True)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("unknown, create=no", SKIPPED),
        ("unknown, create=yes", FILED_CREATED),
        ("known", FILED_NOTIFIED),
        ("known, create=yes", FILED_NOTIFIED),
    ],
)
def test_R8_R9_letter_of_a_person(who: str, expected: tuple[object, ...]) -> None:
    assert cell(verdict(who)) == expected


@pytest.mark.parametrize("who", WHO)
def test_bounce_of_a_letter_of_ours_is_filed_with_it_whoever_sent_it(who: str) -> None:
    one = verdict(who, kind=Kind.BOUNCE, answers_our_letter=True)
    assert cell(one) == ("filed", False, False, True)
    assert one.why == {"code": "bounce_of_our_letter"}


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("unknown, create=no", SKIPPED),
        ("unknown, create=yes", FILED_ALONE),
        ("known", FILED_LINKED),
        ("known, create=yes", FILED_LINKED),
    ],
)
def test_machine_mail_makes_no_customer_and_tells_nobody(
    kind: Kind, who: str, expected: tuple[object, ...]
) -> None:
    assert cell(verdict(who, kind=kind)) == expected


@pytest.mark.parametrize("kind", [Kind.LIST, Kind.BULK])
@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("unknown, create=no", SKIPPED),
        ("unknown, create=yes", FILED_CREATED),
        ("known", FILED_NOTIFIED),
    ],
)
def test_lists_as_persons(kind: Kind, who: str, expected: tuple[object, ...]) -> None:
    assert cell(verdict(who, kind=kind, lists_as_persons=True)) == expected


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.BOUNCE])
def test_lists_as_persons_is_about_lists_alone(kind: Kind) -> None:
    assert cell(verdict("unknown, create=yes", kind=kind, lists_as_persons=True)) == FILED_ALONE


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("unknown, create=no", SKIPPED),
        ("unknown, create=yes", FILED_ALONE),
        ("known", FILED_NOTIFIED),
    ],
)
def test_failed_dmarc_makes_no_customer_and_warns(who: str, expected: tuple[object, ...]) -> None:
    one = verdict(who, dmarc_failed=True)
    assert cell(one) == expected
    assert one.warnings == (("dmarc_failed",) if one.outcome == "filed" else ())


def test_failed_dmarc_of_machine_mail_tells_nobody() -> None:
    assert cell(verdict("known", kind=Kind.LIST, dmarc_failed=True)) == FILED_LINKED


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("unknown, create=no", SKIPPED),
        ("unknown, create=yes", ("oversized", True, True, True)),
        ("known", ("oversized", False, True, True)),
    ],
)
def test_oversized_with_its_customer_as_usual(who: str, expected: tuple[object, ...]) -> None:
    assert cell(verdict(who, oversized=True)) == expected


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    ("fact", "code"),
    [
        ({"ours": "address"}, "our_own_address"),
        ({"ours": "notification"}, "our_notification"),
        ({"blocked": True}, "blocked_sender"),
    ],
)
@pytest.mark.parametrize("oversized", [False, True])
def test_ours_and_blocked_are_ignored(
    who: str, fact: dict[str, Any], code: str, *, oversized: bool
) -> None:
    one = verdict(who, oversized=oversized, **fact)
    assert cell(one) == IGNORED
    assert one.why == {"code": code}


def test_blocked_bounce_of_our_letter_is_ignored_too() -> None:
    one = verdict("known", kind=Kind.BOUNCE, answers_our_letter=True, blocked=True)
    assert cell(one) == IGNORED


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("fact", [{}, {"ours": "address"}, {"blocked": True}])
def test_sent_folder_goes_by_recipient_and_tells_nobody(
    fact: dict[str, Any], *, create: bool
) -> None:
    known = replace(PERSON, known=True, create=create, sent_folder=True, **fact)
    assert cell(judge(known)) == FILED_LINKED
    assert cell(judge(replace(known, known=False))) == SKIPPED
    assert cell(judge(replace(known, oversized=True))) == ("oversized", False, True, False)


@pytest.mark.parametrize(
    "left",
    [
        {"known": False, "create": False},
        {"known": False, "create": True, "ours": "address"},
        {"known": True, "create": True, "blocked": True},
        {"known": True, "create": False, "oversized": True},
        {"known": False, "create": False, "sent_folder": True},
    ],
)
def test_what_a_person_asks_for_is_filed_and_tells_nobody(left: dict[str, Any]) -> None:
    one = judge(replace(PERSON, asked_by_person=True, **left))
    assert (one.outcome, one.notify) == ("filed", False)
    assert one.link == left["known"]


def test_R9_bounce_whose_header_does_not_tell_is_looked_at() -> None:
    unclear = replace(PERSON, kind=Kind.BOUNCE, answers_our_letter=None)
    assert judge(unclear).outcome == "look"
    assert judge(unclear).downloads
    assert judge(replace(unclear, oversized=True)).outcome == "skipped"
    assert judge(replace(unclear, answers_our_letter=False)).outcome == "skipped"


def test_R8_without_a_sender_there_is_no_customer_to_make() -> None:
    one = verdict("unknown, create=yes", has_sender=False)
    assert cell(one) == FILED_ALONE
    assert one.why == {"code": "no_sender_address"}
