"""Settling over IMAP: mark exactly these UIDs, and remove exactly these.

after = read                      UID STORE +FLAGS (\\Seen)
after = delete   Gmail            UID MOVE to its bin: elsewhere Gmail archives instead
                 UIDPLUS          UID STORE +FLAGS (\\Deleted), UID EXPUNGE these (RFC 4315)
                 MOVE and a bin   UID MOVE to the folder with \\Trash (RFC 6851, RFC 6154)
                 else             \\Deleted is set and stays: EXPUNGE and CLOSE would also
                                  remove what others marked

Before anything is removed that an earlier session has retrieved, its header is read once more: a
server may have given the same UID, under the same UIDVALIDITY, to another message.
"""

from collections.abc import Callable, Sequence

import structlog
from django.db import transaction

from buzon.intake import settle
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.run import Run
from buzon.wire.imap import ImapSession
from buzon.wire.reading import read_header

log = structlog.get_logger("buzon.settle")
VOID = 0


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
        if not _are_the_same(run, session, rows):
            void(run, folder)
            return
        run.report("settling", run.totals.settled, run.totals.settled + len(rows))
        settle.asking(run, rows)
        for command in commands:
            if not settle.may_command(run):
                return
            command([row.uid or 0 for row in rows])
        settle.done(run, rows, gone=gone)
        rows = settle.next_rows(run, folder)


def _are_the_same(run: Run, session: ImapSession, rows: Sequence[Arrival]) -> bool:
    """Whether the UIDs still name the messages of these rows, or none any more."""
    if run.account.after != CollectionAccount.After.DELETE:
        return True
    earlier = {row.uid: row for row in rows if row.sha256 not in run.retrieved}
    for header in session.headers([uid for uid in earlier if uid is not None]):
        run.lease.renew_if_needed()
        if header.error is not None:
            continue  # gone, or not given: to remove it removes nothing else
        if read_header(header.octets).header_digest != earlier[header.uid].header_digest:
            return False
    return True


def void(run: Run, folder: Folder) -> None:
    """The folder's UIDs mean something else: the next collection finds the mail again first, as
    after any change of UIDVALIDITY. Zero is no server's (RFC 9051 §9: nz-number).
    """
    with transaction.atomic():
        run.lease.fence()
        Arrival.objects.filter(folder=folder).live().update(uidvalidity=VOID)
        Folder.objects.filter(pk=folder.pk).update(uidvalidity=VOID)
    log.warning("uids void", account=run.account.pk, folder=folder.pk)


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
