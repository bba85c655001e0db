"""Settling over POP3: DELE marks, and only QUIT deletes (RFC 1939 §6, the UPDATE state).

A message is settled after QUIT succeeded. Where its answer is lost, the rows keep `settling_at`,
and the next session's listing tells: what is gone was deleted.
"""

from collections.abc import Mapping

from buzon.intake import settle
from buzon.intake.models import Arrival, Folder
from buzon.intake.run import Run
from buzon.wire.errors import NotPermitted
from buzon.wire.pop3 import Listing, NotDeleted, Pop3Session


def settle_and_quit(
    run: Run, session: Pop3Session, folder: Folder, named: Mapping[str, Listing]
) -> None:
    """Delete what is filed, as R6 asks, and end the session; it always ends here."""
    rows = [row for row in settle.next_rows(run, folder, most=None) if row.uidl in named]
    if not rows or not settle.still_wanted(run):
        session.quit()
        return
    run.report("settling", 0, len(rows))
    settle.asking(run, rows)
    if not settle.may_command(run):
        session.quit()
        return
    refused = _mark_deleted(session, rows, named)
    if not settle.may_command(run):
        session.close()  # without QUIT the marks are forgotten (RFC 1939 §6)
        return
    session.quit()
    settle.done(run, [row for row in rows if row.pk not in refused], gone=True)
    if refused:
        raise NotPermitted(
            "The server does not delete {refused} of {all} messages.",
            refused=len(refused),
            all=len(rows),
        )


def _mark_deleted(
    session: Pop3Session, rows: list[Arrival], named: Mapping[str, Listing]
) -> set[int]:
    """DELE for each row's number; returns the keys of rows that the server refused."""
    by_number = {named[row.uidl or ""].number: row.pk for row in rows}
    try:
        session.delete(list(by_number))
    except NotDeleted as error:
        return {by_number[number] for number in error.numbers}
    return set()
