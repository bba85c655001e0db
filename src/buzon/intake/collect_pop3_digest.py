"""POP3 messages without a UIDL of their own: known by the digest of their octets.

Where the server has no UIDL, or gives the same one to several messages, only the octets tell which
message is which, so every session retrieves them all. The key is `digest:SHA256#n`, n counting
equal messages within the listing. Such a message is deleted only in the very session that retrieved
it, because its number holds no longer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from buzon.desk.reasons import reason
from buzon.intake import vault
from buzon.intake.compare_pop3 import (
    DIGEST,
    add_outside,
    close,
    forget_outside,
    generations,
    is_outside,
)
from buzon.intake.custody import Batch, commit, decide
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from buzon.intake.retrieved import bytes_of, take_retrieved
from buzon.intake.run import Run
from buzon.wire.pop3 import Listing, Pop3Session, Retrieved

MOST = 50
Keyed = tuple[str, Listing, Retrieved | None]  # None: over the limit, not retrieved


def collect_by_digest(
    run: Run, session: Pop3Session, folder: Folder, unnamed: Sequence[Listing], *, first_look: bool
) -> dict[str, Listing]:
    """Retrieve all of these, keep what is new; returns each key's place in this session.

    It is not cut short for new mail: the next session would have to begin at the first again.
    """
    live = Arrival.objects.filter(folder=folder, uidl__startswith=DIGEST).live()
    known = dict(live.values_list("uidl", "pk"))
    outside = OutsideMail.objects.filter(folder=folder, uidl__startswith=DIGEST)
    before = set(outside.values_list("uidl", flat=True))
    places: dict[str, Listing] = {}
    for keyed in _keyed(run, session, unnamed):
        places |= {key: listing for key, listing, _ in keyed}
        new = [each for each in keyed if each[0] not in known and each[0] not in before]
        if first_look and run.account.start == CollectionAccount.Start.NOW:
            add_outside(folder, [key for key, _, _ in new])
        elif new:
            _take(run, folder, new, of_history=first_look)
        run.totals.bytes = session.bytes_in
        run.process()
    close(folder, [pk for key, pk in known.items() if key not in places])
    forget_outside(folder, before - places.keys())
    return places


def _keyed(run: Run, session: Pop3Session, unnamed: Sequence[Listing]) -> Iterator[list[Keyed]]:
    """Batches of messages with their keys, in the order of the listing."""
    times: Counter[str] = Counter()
    limit = run.account.max_message_bytes
    for start in range(0, len(unnamed), MOST):
        run.between_steps()
        chunk = unnamed[start : start + MOST]
        run.report("new", start, len(unnamed))
        retrieved = session.messages([each for each in chunk if each.size <= limit])
        keyed: list[Keyed] = []
        for listing in chunk:
            run.lease.renew_if_needed()
            message = _in_memory(next(retrieved)) if listing.size <= limit else None
            if message is not None and message.error is not None:
                continue  # gone, or not given this time: without octets it has no name
            name = f"{DIGEST}{_name(listing, message)}"
            times[name] += 1
            keyed.append((f"{name}#{times[name]}", listing, message))
        yield keyed


def _in_memory(message: Retrieved) -> Retrieved:
    return replace(message, octets=bytes_of(message.octets))


def _name(listing: Listing, message: Retrieved | None) -> str:
    if message is None:
        return f"larger-than-limit-{listing.size}"
    return vault.digest(bytes_of(message.octets))


def _take(run: Run, folder: Folder, new: Sequence[Keyed], *, of_history: bool) -> None:
    past = generations(folder, [key for key, _, _ in new])
    rows = [
        (_row(run.account, folder, key, listing, past, of_history=of_history), message)
        for key, listing, message in new
    ]
    batch = Batch()
    take_retrieved(run.account, folder, [(r, m) for r, m in rows if m is not None], batch)
    for row, message in rows:
        if message is None:
            decide(row, Arrival.Outcome.OVERSIZED, reason("larger_than_limit_unseen"))
    outside = [row.uidl or "" for row, _ in rows if is_outside(run.account, row)]
    batch.new = [row for row, _ in rows if not is_outside(run.account, row)]
    kept = {row.sha256 for row in batch.new}
    batch.octets = {name: octets for name, octets in batch.octets.items() if name in kept}
    commit(run, batch)
    add_outside(folder, outside)


def _row(
    account: CollectionAccount,
    folder: Folder,
    key: str,
    listing: Listing,
    past: dict[str, int],
    *,
    of_history: bool,
) -> Arrival:
    return Arrival(
        organization_id=account.organization_id,
        account=account,
        folder=folder,
        uidl=key,
        generation=past.get(key, 0) + 1,
        size=listing.size,
        of_history=of_history,
    )
