"""What a first download would bring, before it begins: from a listing and headers, nothing else.

    look (asks the server, in a bounded time)  ──▶  foretell (asks the database)

Of more messages than MOST only so many headers are read, spread over all of them: what is said of
senders and customers is then of those, and the most that it may come to. Nothing is changed on the
server.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar

from django.utils import timezone

from buzon.desk.addresses import fold
from buzon.desk.assignment import preview as share_out
from buzon.intake.accounts import credentials_of, endpoint_of
from buzon.intake.history import ONE_BY_ONE
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.process import FRESH
from buzon.intake.screen import Verdict
from buzon.intake.surroundings import Surroundings
from buzon.intake.triage import Candidate, judge_headers
from buzon.intake.window import is_within
from buzon.wire.endpoint import Credentials
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session
from buzon.wire.reading import Reading, read_header
from buzon.wire.reading.received import received_date

MOST = 2_000  # headers
SECONDS = 30.0
PARTS = 10  # in which they are asked for, each spread over all of them
A_SECOND = 300  # messages that are understood and filed in one: it is only said roughly

Heard = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """A message of which the header was read; `date` as the server or its Received field has it."""

    role: str  # of its folder
    size: int
    date: datetime | None
    reading: Reading


@dataclass(slots=True)
class Look:
    """What the server said: messages of the history and their octets, those outside the window,
    dates of the wanted ones where the listing tells; headers read, and how long octets took.
    """

    messages: int = 0
    octets: int = 0
    outside: int = 0
    dates: list[datetime] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    tells_dates: bool = True  # else the window is known of those with a header alone
    bytes_in: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many new customers an agent would get as things are, and if the whole group shared."""

    agent: str
    now: int
    whole_group: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`looked_at` headers were read of `messages` (about so many, where `is_estimate`) within the
    window. Of these: `senders`, how many of them are `known` customers, and how many customers
    would be created: at least `creates`, at most `creates_most`. `downloads` messages of `octets`
    octets would be downloaded. Letters since `open_from` stay open (`stays_open` of them); the
    others are filed as read and closed; `is_summed_up`: agents hear of it in one summary.
    """

    messages: int
    outside: int
    is_estimate: bool
    looked_at: int
    senders: int
    known: int
    creates: int
    creates_most: int
    downloads: int
    octets: int
    open_from: datetime
    stays_open: int
    is_summed_up: bool
    shares: list[Share]
    takes: timedelta

    @property
    def is_sample(self) -> bool:
        return self.looked_at < self.messages


def preview(account: CollectionAccount, heard: Heard | None = None) -> Preview:
    """Of a stored account. Raises MailError, KeyringError."""
    folders = list(account.folders.order_by("role", "pk"))
    return foretell(account, look(account, folders, credentials_of(account), heard))


def look(
    account: CollectionAccount,
    folders: Sequence[Folder],
    credentials: Credentials,
    heard: Heard | None = None,
) -> Look:
    """Ask the server, for SECONDS and a little; `heard` gets how many headers are here, and of how
    many. The account need not be stored; the database is not asked. Raises MailError.
    """
    found, ends = Look(), monotonic() + SECONDS
    endpoint = endpoint_of(account)
    if account.protocol == CollectionAccount.Protocol.IMAP:
        with ImapSession.open(endpoint, credentials) as imap:
            for folder in folders:
                _look_at_folder(found, imap, account, folder, ends, heard or _nobody)
            imap.logout()
    else:
        with Pop3Session.open(endpoint, credentials) as pop3:
            _look_at_pop3(found, pop3, account, ends, heard or _nobody)
            pop3.quit()
    return found


def _nobody(_done: int, _total: int) -> None:
    """Nobody waits for it."""


def _look_at_folder(
    found: Look,
    session: ImapSession,
    account: CollectionAccount,
    folder: Folder,
    ends: float,
    heard: Heard,
) -> None:
    session.examine(folder.name)
    listed = session.listing(1, None)
    within = [message for message in listed if is_within(account, message.internal_date)]
    found.messages += len(within)
    found.octets += sum(message.size for message in within)
    found.outside += len(listed) - len(within)
    found.dates += [m.internal_date for m in within if m.internal_date is not None]
    begun, before = monotonic(), session.bytes_in
    for header in _in_time(session.headers, [m.uid for m in within], ends, heard):
        if header.error is None:
            reading = read_header(header.octets)
            date = header.internal_date or reading.date
            found.headers.append(Header(folder.role, header.size, date, reading))
    found.seconds += monotonic() - begun
    found.bytes_in += session.bytes_in - before


def _look_at_pop3(
    found: Look, session: Pop3Session, account: CollectionAccount, ends: float, heard: Heard
) -> None:
    sizes = {each.number: each.size for each in session.listing()}
    found.messages, found.octets = len(sizes), sum(sizes.values())
    found.tells_dates = False
    if not sizes or account.start == CollectionAccount.Start.NOW:
        return
    session.try_top(min(sizes))
    if not session.has_top:
        return
    begun, before = monotonic(), session.bytes_in
    for top in _in_time(session.headers, list(sizes), ends, heard):
        if top.error is None:
            reading = read_header(top.octets)
            date = received_date(top.octets) or reading.date
            found.headers.append(Header(Folder.Role.INBOX, sizes[top.number], date, reading))
    found.seconds = monotonic() - begun
    found.bytes_in = session.bytes_in - before


def _in_time(
    ask: Callable[[Sequence[int]], Iterator[T]], names: Sequence[int], ends: float, heard: Heard
) -> Iterator[T]:
    """Of at most MOST of these, spread evenly, also where time is up before the last."""
    few = min(len(names), MOST)
    chosen = [names[place * len(names) // few] for place in range(few)]
    done = 0
    for start in range(PARTS):
        heard(done, len(chosen))
        part = chosen[start::PARTS]
        if not part or monotonic() > ends:
            return
        for answer in ask(part):
            done += 1
            yield answer


def foretell(account: CollectionAccount, found: Look) -> Preview:
    """What that means for this account, stored or not, and the shop's customers as they are."""
    headers, share = _within(account, found)
    verdicts = _judged(account, headers)
    messages = round(found.messages * share)
    more = messages / len(headers) if headers else 1.0
    brought = [header for header, verdict in verdicts if verdict.downloads]
    of_those = len(brought) / len(headers) if headers else float(account.create_customer)
    downloads, octets = round(messages * of_those), _octets(found, headers, brought, share)
    senders, known, created = _people(account, verdicts)
    open_from = timezone.now() - FRESH
    dates = found.dates if found.tells_dates else [h.date for h in headers if h.date is not None]
    young = sum(date >= open_from for date in dates)
    return Preview(
        messages=messages,
        outside=found.outside + found.messages - messages,
        is_estimate=share < 1.0 and len(headers) > 0,
        looked_at=len(headers),
        senders=senders,
        known=known,
        creates=created,
        creates_most=max(min(round(created * more), messages), created),
        downloads=downloads,
        octets=octets,
        open_from=open_from,
        stays_open=young if found.tells_dates else round(young * more),
        is_summed_up=account.history == CollectionAccount.History.AUTO and messages > ONE_BY_ONE,
        shares=_shares(account, created),
        takes=timedelta(seconds=_takes(account, found, messages, downloads, octets)),
    )


def _within(account: CollectionAccount, found: Look) -> tuple[list[Header], float]:
    """The headers within the window, and which share of all messages is."""
    if found.tells_dates:
        return found.headers, 1.0
    within = [header for header in found.headers if is_within(account, header.date)]
    if account.start == CollectionAccount.Start.NOW:
        return [], 0.0
    return within, len(within) / len(found.headers) if found.headers else 1.0


def _judged(account: CollectionAccount, headers: Sequence[Header]) -> list[tuple[Header, Verdict]]:
    """As a run would judge them; of a bounce only the whole message tells more."""
    silent = copy.copy(account)  # how history is notified makes no difference to the judgement,
    silent.history = CollectionAccount.History.SILENT  # and an account not stored has no folders
    around = Surroundings.of(silent)
    around.own_addresses |= {fold(account.address), fold(account.username)} - {""}
    judged: list[tuple[Header, Verdict]] = []
    for role in Folder.Role:
        some = [header for header in headers if header.role == role]
        candidates = [Candidate(header.reading, size=header.size) for header in some]
        verdicts = judge_headers(around, Folder(role=role), candidates)
        judged += zip(some, verdicts, strict=True)
    return judged


def _people(
    account: CollectionAccount, verdicts: Sequence[tuple[Header, Verdict]]
) -> tuple[int, int, int]:
    """Different senders, how many of them are customers, and how many would become one."""
    rules = {"dots": account.fold_dots, "plus": account.fold_plus}
    around = Surroundings(account)
    of = [(fold(around.sender_of(header.reading), **rules), verdict) for header, verdict in verdicts
          if header.role != Folder.Role.SENT]  # fmt: skip
    senders = {sender for sender, _verdict in of if sender}
    known = around.known(senders)
    created = {sender for sender, verdict in of if verdict.create and sender not in known}
    return len(senders), len(known), len(created - {""})


def _octets(found: Look, headers: Sequence[Header], brought: Sequence[Header], share: float) -> int:
    all_read = sum(header.size for header in headers)
    if not all_read:
        return round(found.octets * share)
    part = sum(header.size for header in brought) / all_read
    return round(found.octets * share * part)


def _shares(account: CollectionAccount, created: int) -> list[Share]:
    if account.group is None or not created:
        return []
    now = {agent.pk: number for agent, number in share_out(account.group, created)}
    whole = share_out(account.group, created, whole_group=True)
    return [Share(agent.name, now.get(agent.pk, 0), number) for agent, number in whole]


def _takes(
    account: CollectionAccount, found: Look, messages: int, downloads: int, octets: int
) -> float:
    """Seconds: of octets at the pace at which headers came, of filing at the pace of a small
    machine.
    """
    if not found.headers or not found.bytes_in:
        return downloads / A_SECOND
    by_octet = found.seconds / found.bytes_in
    judged = 0 if account.create_customer else messages - len(found.headers)
    headers = judged * found.seconds / len(found.headers)
    return headers + octets * by_octet + downloads / A_SECOND
