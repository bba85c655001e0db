"""POP3 messages without a UIDL of their own: known by the digest of their octets.

Where the server has no UIDL, or gives the same one to several messages, only the octets tell which
message is which, so every session retrieves them all. The key is `digest:SHA256#n`, n counting
equal messages within the listing. Such a message is deleted only in the very session that retrieved
it, because its number holds no longer.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.db import transaction

from buzon.desk.reasons import reason
from buzon.intake.batches import by_octets
from buzon.intake.compare_pop3 import add_outside, forget_outside, generations
from buzon.intake.custody import Batch, decide
from buzon.intake.given import Given
from buzon.intake.gone import close
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from buzon.intake.names import DIGEST
from buzon.intake.run import Run
from buzon.intake.stumbles import pop3_messages
from buzon.intake.take_pop3 import keep
from buzon.intake.triage import is_decided_by_header
from buzon.wire.pop3 import Listing, Pop3Session

MOST = 50
LARGE = f"{DIGEST}larger-than-limit-"


@dataclass(slots=True)
class Keyed:
    """A message with its key; without octets if it is over the limit and nobody asked for it."""

    key: str
    listing: Listing
    message: Given | None
    place: int  # among the messages without UIDL, from 1


@dataclass(slots=True)
class Known:
    """What the ledger knows of these messages, and what this session saw of them."""

    rows: dict[str, Arrival]
    outside: set[str]
    present: set[str] = field(default_factory=set)
    untold: int = 0  # messages that were not given: without octets they have no name

    def wants(self, large: str | None) -> bool:
        """Whether to retrieve it: all but large ones that nobody asked for."""
        return large is None or (large in self.rows and self.rows[large].asked_by_person)


def collect_by_digest(
    run: Run, session: Pop3Session, folder: Folder, unnamed: Sequence[Listing]
) -> dict[str, Listing]:
    """Retrieve all of these, keep what is new; returns the place of each that was retrieved.

    It is not cut short for new mail: the next session would have to begin at the first again.
    """
    known = known_unnamed(folder)
    retrieved: dict[str, Listing] = {}
    # While a person has paused it: the first look's are in the first places.
    first = folder.low - 1 if run.history_is_paused() else 0
    for keyed in keyed_batches(run, session, folder, unnamed, known=known, first=first):
        retrieved |= {each.key: each.listing for each in keyed if each.message is not None}
        _take(run, folder, keyed, known)
        if keyed:
            _note_come(run, folder, unnamed[keyed[-1].place : folder.low - 1])
        run.process()
        if run.history_is_paused() and not first:
            return retrieved
    for _ in range(known.untold):
        run.totals.count(Arrival.Outcome.FAILED)
    if not known.untold and not first:
        _forget_gone(run, folder, known)
    return retrieved


def known_unnamed(folder: Folder) -> Known:
    """As the ledger has them before the session looks."""
    live = Arrival.objects.filter(folder=folder, uidl__startswith=DIGEST).live()
    outside = OutsideMail.objects.filter(folder=folder, uidl__startswith=DIGEST)
    return Known(
        rows={row.uidl or "": row for row in live},
        outside=set(outside.values_list("uidl", flat=True)),
    )


def keyed_batches(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    unnamed: Sequence[Listing],
    *,
    known: Known,
    first: int = 0,
) -> Iterator[list[Keyed]]:
    """Batches of messages with their keys, in the order of the listing, without the `first` so
    many. A batch has its octets until the next is asked for.
    """
    times: Counter[str] = Counter()
    limit = run.account.max_message_bytes
    done = first
    sizes: Counter[str] = Counter()  # numbers change when others go: sizes do not
    named = {each.number: _counted(f"size {each.size}", sizes) for each in unnamed}
    for chunk in by_octets(unnamed[first:], lambda each: min(each.size, limit), most=MOST):
        run.before_batch()
        run.report("new", done, len(unnamed))
        large = {e.number: _counted(f"{LARGE}{e.size}", times) for e in chunk if e.size > limit}
        wanted = [each for each in chunk if known.wants(large.get(each.number))]
        with ExitStack() as files:
            messages = _retrieved(run, session, folder, wanted, named=named, files=files)
            keyed: list[Keyed] = []
            for place, listing in enumerate(chunk, start=done + 1):
                message = messages.get(listing.number)
                key = large.get(listing.number) or _key(message, times)
                if key is None:
                    known.untold += 1
                    continue
                known.present.add(key)
                keyed.append(Keyed(key, listing, message, place))
            run.received(session.bytes_in)
            yield keyed
        done += len(chunk)


def _retrieved(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    wanted: Sequence[Listing],
    *,
    named: Mapping[int, str],
    files: ExitStack,
) -> dict[int, Given]:
    """By number, those that the server gave; the large ones are files, which `files` closes."""
    given: dict[int, Given] = {}
    for message in pop3_messages(run, session, folder, wanted, named=named):
        if not isinstance(message.octets, bytes):
            files.callback(message.octets.close)
        run.lease.renew_if_needed()
        if message.error is None:
            given[message.number] = Given(message.octets)
    return given


def _key(message: Given | None, times: Counter[str]) -> str | None:
    return None if message is None else _counted(f"{DIGEST}{message.sha256}", times)


def _counted(name: str, times: Counter[str]) -> str:
    times[name] += 1
    return f"{name}#{times[name]}"


def _take(run: Run, folder: Folder, keyed: Sequence[Keyed], known: Known) -> None:
    new = [each for each in keyed if each.key not in known.rows and each.key not in known.outside]
    history = {each.key for each in new if each.place < folder.low}
    from_now = run.account.start == CollectionAccount.Start.NOW
    if history and (from_now or folder.cancelled_at is not None):
        _leave_history(run, folder, history)
        new = [each for each in new if each.key not in history]
    past = generations(folder, [each.key for each in new])
    rows = {each.key: _row(run.account, folder, each, past, history) for each in new}
    batch = Batch(new=list(rows.values()))
    for each in keyed:
        row = known.rows.get(each.key)
        if row is not None and each.message is not None and _is_to_be_kept(row):
            rows[each.key] = row
            batch.changed.append(row)
    if rows:
        _keep(run, folder, [(rows[k.key], k) for k in keyed if k.key in rows], batch)


def _is_to_be_kept(row: Arrival) -> bool:
    return row.outcome == Arrival.Outcome.WAITING and not row.sha256


def _keep(run: Run, folder: Folder, pairs: Sequence[tuple[Arrival, Keyed]], batch: Batch) -> None:
    for row, each in pairs:
        if each.message is None:
            decide(row, Arrival.Outcome.OVERSIZED, reason("larger_than_limit_unseen"))
    got = [(row, each.message) for row, each in pairs if each.message is not None]
    unseen = [row for row, _ in got if is_decided_by_header(run.account, row)]
    keep(run, folder, got, unseen, batch)


def _leave_history(run: Run, folder: Folder, keys: Collection[str]) -> None:
    with transaction.atomic():
        run.lease.fence()
        add_outside(folder, keys)


def _forget_gone(run: Run, folder: Folder, known: Known) -> None:
    """Close the rows of what is gone; the first look, if this was it, is complete."""
    with transaction.atomic():
        run.lease.fence()
        close([row.pk for key, row in known.rows.items() if key not in known.present])
        forget_outside(folder, known.outside - known.present)
        begun = Folder.objects.filter(pk=folder.pk, low__gt=1)
        begun.update(low=1, to_come=0, octets_to_come=0)


def _note_come(run: Run, folder: Folder, left: Sequence[Listing]) -> None:
    """Of the first look, which is in the first places, only so many are still to come."""
    if folder.to_come <= len(left):
        return
    folder.to_come = len(left)
    folder.octets_to_come = sum(each.size for each in left)
    with transaction.atomic():
        run.lease.fence()
        rows = Folder.objects.filter(pk=folder.pk)
        rows.update(to_come=folder.to_come, octets_to_come=folder.octets_to_come)


def _row(
    account: CollectionAccount,
    folder: Folder,
    keyed: Keyed,
    past: dict[str, int],
    history: Collection[str],
) -> Arrival:
    return Arrival(
        organization_id=account.organization_id,
        account=account,
        folder=folder,
        uidl=keyed.key,
        generation=past.get(keyed.key, 0) + 1,
        size=keyed.listing.size,
        listed_size=keyed.listing.size,
        of_history=keyed.key in history,
    )
