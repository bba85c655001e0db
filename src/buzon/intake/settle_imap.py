"""Settling over IMAP: mark exactly these UIDs, and remove exactly these.

after = read                      UID STORE +FLAGS (\\Seen)
after = delete   Gmail            UID MOVE to its bin: elsewhere Gmail archives instead
                 UIDPLUS          UID STORE +FLAGS (\\Deleted), UID EXPUNGE these (RFC 4315)
                 MOVE and a bin   UID MOVE to the folder with \\Trash (RFC 6851, RFC 6154)
                 else             \\Deleted is set and stays: EXPUNGE and CLOSE would also
                                  remove what others marked

                 in the bin itself: as if there were neither MOVE nor bin

Before anything is removed that an earlier session has retrieved, its header is asked for once more,
with its size: a server may have given the same UID, under the same UIDVALIDITY, to another message.
What it does not give is not removed, and holds up nothing else (`stumbles`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction

from buzon.intake import settle
from buzon.intake.batches import by_octets
from buzon.intake.models import Arrival, CollectionAccount, Folder
from buzon.intake.names import VOID_UIDVALIDITY
from buzon.intake.run import Run
from buzon.intake.stumbles import imap_headers, imap_messages
from buzon.wire.imap import ImapSession
from buzon.wire.reading import read_header

log = structlog.get_logger("buzon.settle")


@dataclass(slots=True)
class Look:
    """The second look at some rows: as far as they are the same, and which have another size.
    `is_void`: one of the UIDs names another message.
    """

    same: list[Arrival]
    of_other_size: dict[int, int]  # what the server lists now, by the row's key
    is_void: bool = False


def settle_folder(run: Run, session: ImapSession, folder: Folder) -> None:
    """All of the folder's rows that are due, in batches."""
    keys = settle.due_keys(run, folder)
    if not keys:
        return
    selected = session.select(folder.name)
    if selected.uidvalidity != folder.uidvalidity:
        return  # renumbered this moment: the next collection finds the messages again first
    way = way_to_settle(run.account, session, folder)
    for rows in settle.batches(run, keys):
        if not settle.still_wanted(run):
            return
        run.between_steps()
        look = _second_look(run, session, folder, rows)
        if look.is_void:
            void(run, folder)
            return
        run.report("settling", run.totals.settled, run.totals.settled + len(rows))
        if not _settle(run, session, folder, look, way):
            return


def _second_look(run: Run, session: ImapSession, folder: Folder, rows: Sequence[Arrival]) -> Look:
    """Whether the UIDs still name the messages of these rows."""
    if run.account.after != CollectionAccount.After.DELETE:
        return Look(list(rows), {})
    look = Look([row for row in rows if row.name in run.retrieved], {})
    earlier = {row.uid or 0: row for row in rows if row.name not in run.retrieved}
    for header in imap_headers(run, session, folder, list(earlier)):
        run.lease.renew_if_needed()
        if header.error is not None or not header.octets:
            continue  # gone, or not given: nothing says that it is the same
        row = earlier[header.uid]
        if read_header(header.octets).header_digest != row.header_digest:
            look.is_void = True
        elif row.listed_size in (None, header.size):
            look.same.append(row)
        else:
            look.of_other_size[row.pk] = header.size
            look.same.append(row)
    return look


def _settle(
    run: Run,
    session: ImapSession,
    folder: Folder,
    look: Look,
    way: tuple[Sequence[Callable[[Sequence[int]], None]], bool],
) -> bool:
    """Steps 2 to 5 for what is the same; False where R6 was switched off meanwhile."""
    rows, damaged = settle.sound(run, look.same)
    doubtful = [row for row in rows if row.pk in look.of_other_size]
    _fetch_again(run, session, folder, damaged + doubtful, look.of_other_size)
    rows = [row for row in rows if row.pk not in look.of_other_size]
    commands, gone = way
    if rows:
        settle.asking(run, rows)
    for place, command in enumerate(commands if rows else ()):
        if not settle.may_command(run):
            _take_back(run, session, rows, is_marked=place > 0)
            return False
        command([row.uid or 0 for row in rows])
    if rows:
        settle.done(run, rows, gone=gone)
    return True


def _take_back(run: Run, session: ImapSession, rows: Sequence[Arrival], *, is_marked: bool) -> None:
    r"""Nothing of ours is left half done: \Deleted is taken off where it was set."""
    if is_marked:
        run.lease.check_before_server_change(deadline=run.deadline)
        session.unmark_deleted([row.uid or 0 for row in rows])
    settle.not_asked(run, rows)


def _fetch_again(
    run: Run,
    session: ImapSession,
    folder: Folder,
    rows: Sequence[Arrival],
    of_other_size: Mapping[int, int],
) -> None:
    """What is damaged here, or of another size there, is compared whole, and mended."""
    sizes = {row.pk: of_other_size.get(row.pk, row.listed_size or row.size) for row in rows}
    for batch in by_octets(rows, lambda row: sizes[row.pk]):
        run.before_batch()
        by_uid = {row.uid or 0: row for row in batch}
        by_size = {row.uid or 0: sizes[row.pk] for row in batch}
        for message in imap_messages(run, session, folder, by_size):
            run.lease.renew_if_needed()
            row = by_uid[message.uid]
            try:
                settle.mend(run, row, message, listed_size=sizes[row.pk])
            finally:
                if not isinstance(message.octets, bytes):
                    message.octets.close()


def void(run: Run, folder: Folder) -> None:
    """The folder's UIDs mean something else: the next collection finds the mail again first, as
    after any change of UIDVALIDITY. Zero is no server's (RFC 9051 §9: nz-number).
    """
    with transaction.atomic():
        run.lease.fence()
        Arrival.objects.filter(folder=folder).live().update(uidvalidity=VOID_UIDVALIDITY)
        Folder.objects.filter(pk=folder.pk).update(uidvalidity=VOID_UIDVALIDITY)
    log.warning("uids void", account=run.account.pk, folder=folder.pk)


def way_to_settle(
    account: CollectionAccount, session: ImapSession, folder: Folder
) -> tuple[Sequence[Callable[[Sequence[int]], None]], bool]:
    """What is done to UIDs on this server, and whether they are off the folder afterwards."""
    if account.after == CollectionAccount.After.READ:
        return [session.mark_seen], False
    trash = trash_folder(session)
    if (
        trash
        and trash != folder.name
        and session.has("MOVE")
        and (session.is_gmail or not session.has("UIDPLUS"))
    ):
        return [lambda uids: session.move(uids, trash)], True
    if session.has("UIDPLUS"):
        return [session.mark_deleted, session.expunge], True
    return [session.mark_deleted], False


def trash_folder(session: ImapSession) -> str | None:
    r"""The name of the folder with the attribute \Trash, if the server tells one."""
    return next((f.name for f in session.folders() if f.special_use == "\\Trash"), None)
