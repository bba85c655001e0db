"""Settling over POP3: DELE marks, and only QUIT deletes (RFC 1939 §6, the UPDATE state).

Nothing is marked that this very session has not retrieved or looked at once more: it has the size
that LIST told before, and `recognise_pop3` says that it is the same. Where a name means another
message, this session deletes nothing, and the next one, at once, takes that message as new.

A message is settled after QUIT succeeded. Where its answer is lost, the rows keep `settling_at`,
and the next session's listing tells: what is gone was deleted.
"""

from collections.abc import Mapping, Sequence

import structlog

from buzon.intake import settle
from buzon.intake.batches import by_octets
from buzon.intake.collect_pop3_digest import LARGE
from buzon.intake.models import Arrival, Folder
from buzon.intake.names import DIGEST
from buzon.intake.recognise_pop3 import let_go, recognise
from buzon.intake.run import Run
from buzon.intake.stumbles import pop3_messages
from buzon.wire.errors import NotPermitted
from buzon.wire.pop3 import Listing, NotDeleted, Pop3Session

log = structlog.get_logger("buzon.settle")


def settle_and_quit(
    run: Run, session: Pop3Session, folder: Folder, named: Mapping[str, Listing]
) -> None:
    """Delete what is filed, as R6 asks, and end the session; it always ends here.

    Sets `run.new_mail_first` where some message turned out to be another.
    """
    rows = _sound_rows(run, session, folder, named)
    if not rows or not settle.still_wanted(run):
        session.quit()
        return
    run.report("settling", 0, len(rows))
    settle.asking(run, rows)
    refused = _marked(run, session, rows, named)
    if refused is None:
        session.close()  # without QUIT the marks are forgotten (RFC 1939 §6)
        settle.not_asked(run, rows)
        return
    session.quit()
    settle.done(run, [row for row in rows if row.pk not in refused], gone=True)
    if refused:
        raise NotPermitted(
            "The server does not delete {refused} of {all} messages.",
            refused=len(refused),
            all=len(rows),
        )


def _sound_rows(
    run: Run, session: Pop3Session, folder: Folder, named: Mapping[str, Listing]
) -> list[Arrival]:
    """Step 2, and the second look; what is damaged here is mended."""
    keys = settle.due_keys(run, folder)
    if not keys or not settle.still_wanted(run):
        return []
    due = [row for rows in settle.batches(run, keys) for row in rows if row.uidl in named]
    seen = [row for row in due if _is_known_by_octets(run, row)]
    earlier = [row for row in due if not _is_known_by_octets(run, row)]
    found = recognise(
        run, session, folder, [r for r in earlier if _has_its_size(r, named)], named=named
    )
    if found.other:
        log.warning("uidls void", account=run.account.pk, arrivals=[r.pk for r in found.other])
        let_go(run, found.other)
        run.new_mail_first = True
        return []
    rows, damaged = settle.sound(run, seen + found.same)
    _fetch_again(run, session, folder, damaged, named=named)
    return rows


def _is_known_by_octets(run: Run, row: Arrival) -> bool:
    """Retrieved by this very session: as a new one, or because its octets are its name."""
    name = row.uidl or ""
    return row.name in run.retrieved or (name.startswith(DIGEST) and not name.startswith(LARGE))


def _has_its_size(row: Arrival, named: Mapping[str, Listing]) -> bool:
    return row.listed_size in (None, named[row.uidl or ""].size)


def _fetch_again(
    run: Run,
    session: Pop3Session,
    folder: Folder,
    rows: Sequence[Arrival],
    *,
    named: Mapping[str, Listing],
) -> None:
    for batch in by_octets(rows, lambda row: named[row.uidl or ""].size):
        run.before_batch()
        by_number = {named[row.uidl or ""].number: row for row in batch}
        listed = [named[row.uidl or ""] for row in batch]
        for message in pop3_messages(run, session, folder, listed):
            run.lease.renew_if_needed()
            row = by_number[message.number]
            try:
                settle.mend(run, row, message, listed_size=named[row.uidl or ""].size)
            finally:
                if not isinstance(message.octets, bytes):
                    message.octets.close()


def _marked(
    run: Run, session: Pop3Session, rows: Sequence[Arrival], named: Mapping[str, Listing]
) -> set[int] | None:
    """DELE for each row's number; the keys of rows that the server refused. None where R6 was
    switched off before, or before QUIT.
    """
    if not settle.may_command(run):
        return None
    by_number = {named[row.uidl or ""].number: row.pk for row in rows}
    refused: set[int] = set()
    try:
        session.delete(list(by_number))
    except NotDeleted as error:
        refused = {by_number[number] for number in error.numbers}
    return refused if settle.may_command(run) else None
