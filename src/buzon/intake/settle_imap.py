"""Settling over IMAP: mark exactly these UIDs, and remove exactly these.

after = read                      UID STORE +FLAGS (\\Seen)
after = delete   Gmail            UID MOVE to its bin: elsewhere Gmail archives instead
                 UIDPLUS          UID STORE +FLAGS (\\Deleted), UID EXPUNGE these (RFC 4315)
                 MOVE and a bin   UID MOVE to the folder with \\Trash (RFC 6851, RFC 6154)
                 else             \\Deleted is set and stays: EXPUNGE and CLOSE would also
                                  remove what others marked
"""

from collections.abc import Callable, Sequence

from buzon.intake import settle
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.run import Run
from buzon.wire.imap import ImapSession


def settle_folder(run: Run, session: ImapSession, folder: Folder) -> None:
    """All of the folder's filed rows, in batches."""
    rows = settle.next_rows(run, folder)
    if not rows:
        return
    selected = session.select(folder.name)
    if selected.uidvalidity != folder.uidvalidity:
        return  # renumbered this moment: the next collection finds the messages again first
    commands, gone = way_to_settle(run.account, session)
    while rows and settle.still_wanted(run):
        run.between_steps()
        run.report("settling", run.totals.settled, run.totals.settled + len(rows))
        settle.asking(run, rows)
        for command in commands:
            run.lease.check_before_server_change(deadline=run.deadline)
            command([row.uid or 0 for row in rows])
        settle.done(run, rows, gone=gone)
        rows = settle.next_rows(run, folder)


def way_to_settle(
    account: CollectionAccount, session: ImapSession
) -> tuple[Sequence[Callable[[Sequence[int]], None]], bool]:
    """What is done to UIDs on this server, and whether they are off the folder afterwards."""
    if account.after == CollectionAccount.After.READ:
        return [session.mark_seen], False
    trash = trash_folder(session)
    if trash and session.has("MOVE") and (session.is_gmail or not session.has("UIDPLUS")):
        return [lambda uids: session.move(uids, trash)], True
    if session.has("UIDPLUS"):
        return [session.mark_deleted, session.expunge], True
    return [session.mark_deleted], False


def trash_folder(session: ImapSession) -> str | None:
    r"""The name of the folder with the attribute \Trash, if the server tells one."""
    return next((f.name for f in session.folders() if f.special_use == "\\Trash"), None)
