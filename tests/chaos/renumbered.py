"""UIDVALIDITY that changes: between collections, in the middle of one, again and again, with a
folder made anew under the same UIDs, or a server that gives none; a third of the trials is of
POP3's names that change (`renamed`), a third of mailboxes that move (`moved`).
"""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.chaos import moved, renamed
from tests.chaos.mail import further, pieces
from tests.chaos.trial import (
    Scene,
    Trial,
    collect,
    examined,
    hash_of,
    recovers,
    run,
    scene,
)
from tests.servers.faults import Lie, Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context


def trial(context: "Context", number: int) -> list[str]:
    """They take turns."""
    return (_of_imap, renamed.trial, moved.trial)[number % 3](context, number // 3)


def _of_imap(context: "Context", number: int) -> list[str]:
    """One of the plans, in turn; every tenth has a folder made anew in secret."""
    after = ("leave", "delete")[number // 9 % 2]
    create = number // 18 % 3 > 0
    plan = number % 9
    made = Trial(
        part="renumbered", number=number, protocol="imap", after=after, create=create, plan=Plan()
    )
    if number % 10 == 9:
        return _in_secret(made, context)
    if plan < len(_LIES):
        lie = _LIES[plan]
        lying = Plan(lies=frozenset({lie}), lie_from=random.Random(number).randint(1, 8))
        return run(replace(made, plan=lying), context.place)
    with scene(made, context.place) as at:
        _PLANS[plan - len(_LIES)](at)
        at.server.heal()
        recovers(at)
        return examined(at)


def _in_secret(made: Trial, context: "Context") -> list[str]:
    """With the next letter it is noticed, or where the last known one has the size and the date of
    the one before, when it is to be removed; the account asks, and with the answer that `recovers`
    gives, what is there is collected.
    """
    with scene(replace(made, after="delete", create=True), context.place) as at:
        _made_anew_in_secret(at)
        at.server.heal()
        at.deliver(further(at.trial.seed, 80))
        collect(at.account)  # notices
        recovers(at)
        return examined(at)


def _between(at: Scene) -> None:
    """The same mail under another UIDVALIDITY, once."""
    collect(at.account)
    at.box.reset_uids()
    at.deliver(further(at.trial.seed, 50))


def _in_the_middle(at: Scene) -> None:
    """While a session is open: at a command drawn from the seed."""
    at.server.renumber_at = random.Random(at.trial.seed).randint(3, 14)
    collect(at.account)
    at.deliver(further(at.trial.seed, 51))


def _again_and_again(at: Scene) -> None:
    """The loop guard stops the account; `recovers` gives the person's answer."""
    for index in range(4):
        collect(at.account)
        at.box.reset_uids()
        at.deliver(further(at.trial.seed, 60 + index))


def _alternating(at: Scene) -> None:
    """Two UIDVALIDITYs in turn, as from two machines behind one name; the UIDs stay."""
    values = (at.box.uidvalidity, at.box.uidvalidity + 1)
    for index in range(5):
        collect(at.account)
        at.box.uidvalidity = values[(index + 1) % 2]
        at.deliver(further(at.trial.seed, 70 + index))


def _made_anew(at: Scene) -> None:
    """All is gone, and other mail has the very same UIDs, under another UIDVALIDITY."""
    collect(at.account)
    left = [message.uid for message in at.box.messages]
    at.server.others_are_acting = True
    at.server.alien_removed += [message.octets for message in at.box.messages]
    at.box.expunge(*left)
    at.server.others_are_acting = False
    at.box.uidnext = 1
    at.box.reset_uids()
    at.box.uidnext = 1
    for piece in pieces(hash_of("anew", at.trial.number), 5):
        at.deliver(piece)


def _made_anew_in_secret(at: Scene) -> None:
    """Other mail has the very same UIDs under the same UIDVALIDITY, which RFC 9051 forbids; what
    was collected and is to be removed now names other messages.
    """
    at.account.after = "leave"
    at.account.save(update_fields=["after"])
    collect(at.account)
    at.server.others_are_acting = True
    at.server.alien_removed += [message.octets for message in at.box.messages]
    at.box.expunge(*[message.uid for message in at.box.messages])
    at.server.others_are_acting = False
    at.box.uidnext = 1
    for piece in pieces(hash_of("secret", at.trial.number), at.trial.letters):
        at.deliver(piece)
    at.account.after = at.trial.after
    at.account.save(update_fields=["after"])


_LIES = (
    Lie.VALIDITY_ZERO, Lie.VALIDITY_MISSING, Lie.VALIDITY_ALTERNATING, Lie.UIDNEXT_MISSING,
)  # fmt: skip
_PLANS = (_between, _in_the_middle, _again_and_again, _alternating, _made_anew)
