"""Messages at which the server hangs up, or stalls, when we only look at them.

We look once more before something is removed, and for mail whose names have changed. What is not
given then is no consent, and no sign of anything; and it is to hold up nothing else.

    asked together, and cut ──▶ suspect: asked for last, and alone ──given──▶ forgotten
                                   ▲  │ cut again
                         after a day  └──▶ left out: not asked, so not given

The folder remembers them (`Folder.stumbles`) by the name that the server has for the message; one
without a UIDL by its size, and which of that size it is. The header and the whole are two things: a
server may give the one and hang up at the other. One that says "not now" accuses none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from buzon.intake.models import Folder
from buzon.intake.run import Run
from buzon.wire import imap, pop3
from buzon.wire.errors import ConnectFailed, TimedOut

log = structlog.get_logger("buzon.collect")
LEFT_OUT = timedelta(days=1)
REMEMBERED = timedelta(days=2)  # what is not asked for any more is forgotten
MOST = 1_000  # suspects of one cut: so many are under way at most

_Answer = TypeVar("_Answer")


def imap_headers(
    run: Run, session: imap.ImapSession, folder: Folder, uids: Sequence[int]
) -> Iterator[imap.Header]:
    """Of the open folder; none of what is left out. Raises MailError, LeaseLost."""
    look = _Look(run, folder, _names(session, uids), "header")
    return look.answers(session.headers, lambda header: header.uid)


def imap_messages(
    run: Run, session: imap.ImapSession, folder: Folder, sizes: Mapping[int, int]
) -> Iterator[imap.Retrieved]:
    """As above, by UID; `sizes` in octets, as listed."""
    look = _Look(run, folder, _names(session, list(sizes)), "whole")
    return look.answers(
        lambda some: session.messages([imap.Wanted(uid, sizes[uid]) for uid in some]),
        lambda message: message.uid,
    )


def pop3_top(
    run: Run, session: pop3.Pop3Session, folder: Folder, listed: Sequence[pop3.Listing]
) -> None:
    """Find out at one message whether the server gives headers alone, where it does not say so.
    One that hangs up at that gives its messages whole, until it is asked again.
    """

    def ask(numbers: Sequence[int]) -> Iterator[int]:
        for number in numbers:
            session.try_top(number)
            yield number

    names = {each.number: "of any" for each in listed[:1]}
    list(_Look(run, folder, names, "header").answers(ask, int))


def pop3_headers(
    run: Run, session: pop3.Pop3Session, folder: Folder, listed: Sequence[pop3.Listing]
) -> Iterator[pop3.Top]:
    """As above; NotPermitted without TOP."""
    look = _Look(run, folder, {each.number: _name(each) for each in listed}, "header")
    return look.answers(session.headers, lambda top: top.number)


def pop3_messages(
    run: Run,
    session: pop3.Pop3Session,
    folder: Folder,
    listed: Sequence[pop3.Listing],
    *,
    named: Mapping[int, str] = MappingProxyType({}),
) -> Iterator[pop3.Retrieved]:
    """As above, whole; `named`, by number: what to call those without a UIDL."""
    by_number = {each.number: each for each in listed}
    names = {number: named.get(number) or _name(each) for number, each in by_number.items()}
    return _Look(run, folder, names, "whole").answers(
        lambda some: session.messages([by_number[number] for number in some]),
        lambda message: message.number,
    )


def _names(session: imap.ImapSession, uids: Sequence[int]) -> dict[int, str]:
    """UIDs are names only together with the UIDVALIDITY (RFC 9051 §2.3.1.1)."""
    validity = session.selected.uidvalidity if session.selected is not None else 0
    return {uid: f"{validity}.{uid}" for uid in uids}


def _name(listing: pop3.Listing) -> str:
    if listing.uidl is not None:
        return f"uidl {listing.uidl}"
    return f"number {listing.number} size {listing.size}"


@dataclass(slots=True)
class _Look:
    """What is asked for, by the number with which the server answers, and its name; `what` of each
    message: its header, or the whole.
    """

    run: Run
    folder: Folder
    names: Mapping[int, str]
    what: str

    def answers(
        self, ask: Callable[[list[int]], Iterator[_Answer]], number: Callable[[_Answer], int]
    ) -> Iterator[_Answer]:
        """What the server gives, suspects last and alone."""
        asked = [one for one in self.names if not self._is_left_out(one)]
        fresh = [one for one in asked if self._key(one) not in self.folder.stumbles]
        suspects = [one for one in asked if self._key(one) in self.folder.stumbles]
        cleared: list[int] = []
        for group in ([fresh] if fresh else []) + [[one] for one in suspects]:
            left = dict.fromkeys(group)
            try:
                for answer in ask(group):
                    left.pop(number(answer), None)
                    yield answer
            except (ConnectFailed, TimedOut):
                self._remember(cleared, list(left)[:MOST], alone=group is not fresh)
                raise
            cleared += [] if group is fresh else group
        self._remember(cleared, [], alone=False)

    def _key(self, number: int) -> str:
        return f"{self.what} {self.names[number]}"

    def _is_left_out(self, number: int) -> bool:
        """Where the header is not to be had, neither is the whole."""
        entries = (self.folder.stumbles.get(f"{what} {self.names[number]}") for what in self._whats)
        return any(e is not None and e["alone"] and _is_within(e, LEFT_OUT) for e in entries)

    @property
    def _whats(self) -> set[str]:
        return {"header", self.what}

    def _remember(self, cleared: Sequence[int], cut: Sequence[int], *, alone: bool) -> None:
        """These were given; at one of those the connection was cut."""
        if not cleared and not cut:
            return
        gone = {self._key(number) for number in cleared}
        now = {"at": timezone.now().isoformat(), "alone": alone}
        with transaction.atomic():
            self.run.lease.fence()
            row = Folder.everything.filter(pk=self.folder.pk)
            before: dict[str, Any] = row.values_list("stumbles", flat=True).get()
            kept = {k: e for k, e in before.items() if k not in gone and _is_within(e, REMEMBERED)}
            self.folder.stumbles = kept | {self._key(number): now for number in cut}
            row.update(stumbles=self.folder.stumbles)
        if cut:
            names = {"messages": len(cut), "what": self.what, "alone": alone}
            log.warning("stumbled", account=self.run.account.pk, folder=self.folder.pk, **names)


def _is_within(entry: Mapping[str, Any], time: timedelta) -> bool:
    """A moment that is still to come is of a clock that was set back."""
    at = parse_datetime(entry["at"])
    return at is not None and timedelta(0) <= timezone.now() - at < time
