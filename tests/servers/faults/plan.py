"""What a fault server does wrong, when, and until when."""

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

Cut = Literal["fin", "rst", "tls"]


class Lie(StrEnum):
    """A protocol fault: the server answers, but not what is true or not what it may.

    Both protocols, then IMAP's, then POP3's.
    """

    LOGIN_REFUSED = "login refused"
    LOGIN_UNAVAILABLE = "login unavailable"
    LOGIN_IN_USE = "login in use"
    THROTTLED_LOGIN = "throttled at login"
    BYE_SOON = "bye after some commands"
    LONG_LINE = "a line of 10 MB"
    WRONG_SIZE = "sizes that are wrong"
    ALIEN_DELETES = "another client deletes meanwhile"
    ALIEN_DELIVERS = "mail is delivered meanwhile"

    LITERAL_TRUNCATED = "a literal longer than what follows"
    LITERAL_HUGE = "a literal of 2 GB"
    DUPLICATE_UID = "a UID twice in one answer"
    FETCH_WITHOUT_BODY = "FETCH answers without the body"
    NIL_BODY = "a NIL body"
    EMPTY_BODY = "an empty body"
    UNSOLICITED_EXPUNGE = "EXPUNGE that nobody asked for"
    UNSOLICITED_EXISTS = "EXISTS that nobody asked for"
    ALIEN_MOVES = "another client moves meanwhile"
    NO_THROTTLED = "NO [THROTTLED]"
    NO_LIMIT = "NO [LIMIT]"
    NO_INUSE = "NO [INUSE]"
    NO_UNAVAILABLE = "NO [UNAVAILABLE]"
    NO_OVERQUOTA = "NO [OVERQUOTA]"
    BAD_FETCH = "BAD to every FETCH"
    OUT_OF_ORDER = "FETCH answers in another order"
    STRANGER_UID = "FETCH answers for UIDs that were not asked for"
    VALIDITY_ZERO = "UIDVALIDITY 0"
    VALIDITY_MISSING = "no UIDVALIDITY"
    VALIDITY_ALTERNATING = "another UIDVALIDITY with every other SELECT"
    UIDNEXT_MISSING = "no UIDNEXT"
    GARBAGE = "octets that are no IMAP"

    RETR_TOO_SHORT = "RETR that ends early"
    RETR_REFUSED = "-ERR to every RETR"
    LIST_UNSORTED = "LIST in another order"
    UIDL_DOUBLED = "every UIDL twice"
    UIDL_HOSTILE = "UIDLs of control characters, spaces, 300 octets"
    UIDL_SAME = "one UIDL for all"
    UIDL_ABSENT = "no UIDL"
    TOP_ABSENT = "no TOP"
    QUIT_CUT_BEFORE = "cut at QUIT, nothing deleted"
    QUIT_CUT_AFTER = "cut at QUIT, all deleted"
    QUIT_REFUSED = "-ERR to QUIT, nothing deleted"
    DELE_CUT = "cut at the second DELE"
    DELE_REFUSED = "-ERR to every other DELE"


_BOTH = {
    Lie.LOGIN_REFUSED, Lie.LOGIN_UNAVAILABLE, Lie.LOGIN_IN_USE, Lie.THROTTLED_LOGIN, Lie.BYE_SOON,
    Lie.LONG_LINE, Lie.WRONG_SIZE, Lie.ALIEN_DELETES, Lie.ALIEN_DELIVERS,
}  # fmt: skip
_POP3 = {
    Lie.RETR_TOO_SHORT, Lie.RETR_REFUSED, Lie.LIST_UNSORTED, Lie.UIDL_DOUBLED, Lie.UIDL_HOSTILE,
    Lie.UIDL_SAME, Lie.UIDL_ABSENT, Lie.TOP_ABSENT, Lie.QUIT_CUT_BEFORE, Lie.QUIT_CUT_AFTER,
    Lie.QUIT_REFUSED, Lie.DELE_CUT, Lie.DELE_REFUSED,
}  # fmt: skip
LIES: dict[str, tuple[Lie, ...]] = {
    "imap": tuple(lie for lie in Lie if lie in _BOTH or lie not in _POP3),
    "pop3": tuple(lie for lie in Lie if lie in _BOTH or lie in _POP3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One server's misbehaviour.

    `cut_at`: after so many octets, counted over all its connections, the connection is cut: FIN
    with what was sent before, RST, or "tls" (the TCP connection ends without TLS's good-bye).
    `stall_at`: there it says nothing more, for `stall_seconds`. `dribble`: seconds between any
    two octets, from the octet `dribble_from` of each connection on. `lies`: see Lie. `lie_from`:
    the command, from 1, with which they begin.
    """

    cut_at: int | None = None
    cut_with: Cut = "fin"
    stall_at: int | None = None
    stall_seconds: float = 3600.0
    dribble: float = 0.0
    dribble_from: int = 0
    lies: frozenset[Lie] = frozenset()
    lie_from: int = 1

    @classmethod
    def honest(cls) -> "Plan":
        return cls()

    @classmethod
    def seeded(cls, seed: int, protocol: str, *, cut_within: int) -> "Plan":
        """One or two faults of any kind; the same for the same seed."""
        draw = random.Random(seed)
        plan = cls(lies=frozenset({draw.choice(LIES[protocol])}), lie_from=draw.randint(1, 12))
        if draw.random() < 0.4:
            how: Cut = draw.choice(("fin", "rst"))
            plan = replace(plan, cut_at=draw.randint(1, cut_within), cut_with=how)
        return plan

    def tells(self, lie: Lie) -> bool:
        return lie in self.lies
