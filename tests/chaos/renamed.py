"""POP3 names that change: all at once, in turn, doubled or absent for a while, in the middle of a
session; with every start, kept or deleted, and with a connection that is cut in the look itself.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.chaos.mail import Piece, further
from tests.chaos.trial import Scene, Trial, collect, examined, recovers, scene
from tests.servers.faults import Cut, Lie, Plan

if TYPE_CHECKING:
    from tests.chaos.parts import Context

_STARTS = ("all", "now", "date")
_CUTS: tuple[Cut | None, ...] = (None, "fin", "rst")
_LONG_AGO, _IN_THE_WINDOW = timedelta(days=400), timedelta(days=5)
_WINDOW = timedelta(days=30)


def trial(context: "Context", number: int) -> list[str]:
    """Every plan with every start and after, with one of the cuts; then with the next one. Every
    tenth uses names again.
    """
    corners = list(itertools.product(("leave", "delete"), _STARTS, _PLANS))
    after, start, plan = corners[number % len(corners)]
    if number % 10 == 9:
        plan = _used_again
    cut = _CUTS[(number + number // len(corners)) % len(_CUTS)]
    options = {"top": False} if number % 5 == 4 else {}
    made = Trial(
        part="renamed", number=number, protocol="pop3", after=after, create=number % 4 > 0,
        plan=Plan(), letters=0, options=options,
    )  # fmt: skip
    with scene(made, context.place) as at:
        _begin(at, start)
        plan(at)
        if cut is not None:
            _cut(at, cut)
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
    now = datetime.now(UTC)  # once: twins have the same stamp, even when the second ends meanwhile
    for index in range(6):
        ago = _IN_THE_WINDOW if index % 3 else _LONG_AGO
        _history(at, further(at.trial.seed, index), now - ago)
    if at.trial.number % 2:  # twins
        _history(at, further(at.trial.seed, 1), now - _IN_THE_WINDOW)
    collect(at.account)
    _comes(at)
    _comes(at)
    if at.trial.number % 7:  # else the names change before these two are seen
        collect(at.account)


def _history(at: Scene, piece: Piece, when: datetime) -> None:
    """One that is there before the first look; where all is wanted, dates do not matter."""
    if at.account.start == "all" and at.trial.number % 3 == 0:
        at.deliver(piece)
        return
    dated = stamped(piece, when)
    is_old = at.account.start == "date" and when < datetime.now(UTC) - _WINDOW
    if at.account.start == "now" or is_old:
        at.outside.append(dated)
    at.deliver(dated)


def _comes(at: Scene) -> None:
    """New mail, of this moment; servers tell whole seconds."""
    piece = further(at.trial.seed, 100 + len(at.delivered))
    at.deliver(stamped(piece, datetime.now(UTC) + timedelta(seconds=2)))


def stamped(piece: Piece, when: datetime) -> Piece:
    """With the trace field of the server that took it in then."""
    stamp = when.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return replace(piece, octets=f"Received: from a by b; {stamp}\r\n".encode() + piece.octets)


def _cut(at: Scene, how: Cut) -> None:
    """The next collection is cut somewhere; what else the server does goes on."""
    plan = at.server.plan
    within = random.Random(f"cut {at.trial.seed}").randint(1, 6_000)
    at.server.plan = replace(plan, cut_at=at.server.budget.sent + within, cut_with=how)
    collect(at.account)
    at.server.plan = plan


# --- the plans


def _all_at_once(at: Scene) -> None:
    at.box.reset_uids()
    _comes(at)


def _alternating(at: Scene) -> None:
    """Two machines behind one name; the third change stops the account, which then asks."""
    for index in range(4):
        at.box.login.pop3_uidl = lambda message, turn=index % 2: f"{turn}-{message.uid}"
        _comes(at)
        collect(at.account)


def _doubled(at: Scene) -> None:
    at.server.plan = Plan(lies=frozenset({Lie.UIDL_DOUBLED}))
    _comes(at)


def _doubled_and_changed(at: Scene) -> None:
    """The old names never come back."""
    _doubled(at)
    collect(at.account)
    at.box.reset_uids()


def _absent(at: Scene) -> None:
    at.server.plan = Plan(lies=frozenset({Lie.UIDL_ABSENT}))
    _comes(at)
    collect(at.account)
    at.box.reset_uids()


def _in_the_middle(at: Scene) -> None:
    """At a command of a session, drawn from the seed; what it was going to say of the old names,
    and to delete by them, is void.
    """
    draw = random.Random(at.trial.seed)
    at.server.renumber_at = at.server.commands + draw.randint(3, 20)
    _comes(at)
    collect(at.account)
    _comes(at)


def _not_given(at: Scene) -> None:
    """All at once, and for a while neither RETR nor TOP gives any message."""
    at.box.reset_uids()
    at.server.plan = Plan(lies=frozenset({Lie.RETR_REFUSED, Lie.TOP_ABSENT}))
    collect(at.account)


def _deletions_cut(at: Scene) -> None:
    """Before QUIT has deleted anything, and then all names are others."""
    at.server.plan = Plan(lies=frozenset({Lie.QUIT_CUT_BEFORE}))
    _comes(at)
    collect(at.account)
    at.server.plan = Plan()
    at.box.reset_uids()


def _used_again(at: Scene) -> None:
    """Names are used again (RFC 1939 §7): another client removes the last that was collected, and
    what comes next, of another size, has its name.
    """
    slots: dict[int, int] = {}
    at.box.login.pop3_uidl = lambda message: f"slot-{_slot(at, slots, message.uid)}"
    collect(at.account)
    outside = {piece.octets for piece in at.outside}
    left = [message for message in at.box.messages if message.octets not in outside]
    if left:
        at.server.others_are_acting = True
        at.server.alien_removed.append(left[-1].octets)
        at.box.expunge(left[-1].uid)
        at.server.others_are_acting = False
    piece = further(at.trial.seed, 200)
    longer = replace(piece, octets=piece.octets + b"One line more than any other.\r\n" * 40)
    at.deliver(stamped(longer, datetime.now(UTC) + timedelta(seconds=2)))


def _slot(at: Scene, slots: dict[int, int], uid: int) -> int:
    """The lowest number that no message has which is there."""
    there = {message.uid for message in at.box.messages}
    if uid not in slots:
        taken = {slot for one, slot in slots.items() if one in there}
        slots[uid] = next(number for number in itertools.count(1) if number not in taken)
    return slots[uid]


_PLANS: tuple[Callable[[Scene], None], ...] = (
    _all_at_once, _alternating, _doubled, _doubled_and_changed, _absent, _in_the_middle,
    _not_given, _deletions_cut,
)  # fmt: skip
