"""An IMAP mailbox that moves: all UIDs are others, in another order, and the internal dates are
kept or lost. What was before the window stays outside, what is new is collected, with every start.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from buzon.demo.server import StoredMessage
from tests.chaos.mail import Piece, further
from tests.chaos.renamed import stamped
from tests.chaos.trial import Scene, Trial, collect, examined, recovers, scene
from tests.servers.faults import Cut, Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

Order = Callable[[list[StoredMessage], int], list[StoredMessage]]
_STARTS = ("all", "now", "date")
_CUTS: tuple[Cut | None, ...] = (None, "fin", None, "rst")
_LONG_AGO, _IN_THE_WINDOW, _WINDOW = timedelta(days=400), timedelta(days=5), timedelta(days=30)
_ORDERS: tuple[Order, ...] = (
    lambda there, seed: there[::-1],
    lambda there, seed: random.Random(f"order {seed}").sample(there, len(there)),
    lambda there, seed: there,
)


def trial(context: "Context", number: int) -> list[str]:
    """Every order with every start, dates kept and lost; every other one is cut somewhere."""
    corners = list(itertools.product(_ORDERS, _STARTS, (True, False), ("leave", "delete")))
    order, start, keeps_dates, after = corners[number % len(corners)]
    made = Trial(
        part="moved", number=number, protocol="imap", after=after, create=number % 4 > 0,
        plan=Plan(), letters=0,
    )  # fmt: skip
    with scene(made, context.place) as at:
        _begin(at, start)
        _moves(at, order, keeps_dates=keeps_dates)
        _comes(at)
        _cut(at, _CUTS[number // len(corners) % len(_CUTS)])
        collect(at.account)
        at.server.heal()
        _comes(at)
        recovers(at)
        return examined(at)


def _begin(at: Scene, start: str) -> None:
    """Mail of before and within the window, the first look, and mail that is new."""
    at.account.start = start
    at.account.start_date = (datetime.now(UTC) - _WINDOW).date() if start == "date" else None
    at.account.save(update_fields=["start", "start_date"])
    for index in range(6):
        ago = _IN_THE_WINDOW if index % 3 else _LONG_AGO
        piece = _deliver(at, further(at.trial.seed, index), datetime.now(UTC) - ago)
        if start == "now" or (start == "date" and ago == _LONG_AGO):
            at.outside.append(piece)
    collect(at.account)
    for _ in range(2):
        _comes(at)
    if at.trial.number % 5:  # else the mailbox moves before these two are seen
        collect(at.account)


def _comes(at: Scene) -> None:
    """New mail, of this moment; servers tell whole seconds."""
    piece = further(at.trial.seed, 100 + len(at.delivered))
    _deliver(at, piece, datetime.now(UTC) + timedelta(seconds=2))


def _deliver(at: Scene, piece: Piece, when: datetime) -> Piece:
    made = stamped(piece, when)
    at.delivered.append(made)
    at.box.deliver(made.octets, internal_date=when.replace(microsecond=0))
    return made


def _moves(at: Scene, order: Order, *, keeps_dates: bool) -> None:
    """The same octets under another UIDVALIDITY."""
    there = order(at.box.messages, at.trial.seed)
    at.server.others_are_acting = True
    at.box.expunge(*[message.uid for message in there])
    at.server.others_are_acting = False
    at.box.reset_uids()
    copied = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    for place, message in enumerate(there):
        date = message.internal_date if keeps_dates else copied + timedelta(seconds=place)
        at.box.deliver(message.octets, internal_date=date)


def _cut(at: Scene, how: Cut | None) -> None:
    """The next collection, somewhere in it."""
    if how is not None:
        within = random.Random(f"cut {at.trial.seed}").randint(1, 8_000)
        at.server.plan = replace(
            at.server.plan, cut_at=at.server.budget.sent + within, cut_with=how
        )
