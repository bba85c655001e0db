"""Collecting over POP3: every session compares the whole listing with the ledger.

    listing ─▶ known names with other sizes? it may be other mail (`recognise_pop3`)
            ─▶ names went and others came? the mail is found again first (`renaming_pop3`)
            ─▶ rows of what is gone are closed ─▶ rows for what is new (waiting, without octets)
            ─▶ newest first: triage by TOP where a header decides, RETR, process ─▶ settle, QUIT

A UIDL that went and comes back is a new arrival: servers may use it again (RFC 1939 §7). Messages
without a UIDL of their own are known by the digest of their octets (`collect_pop3_digest`). A
session ends after three minutes, because POP3 shows new mail only to a new session.
"""

from collections.abc import Mapping, Sequence
from time import monotonic

from buzon.intake import settle_pop3
from buzon.intake.collect_pop3_digest import collect_by_digest
from buzon.intake.compare_pop3 import Names, compare
from buzon.intake.models import Arrival, Folder, OutsideMail
from buzon.intake.names import DIGEST, is_void_name
from buzon.intake.recognise_pop3 import look_at_other_sizes
from buzon.intake.renaming_pop3 import find_again, is_suspect
from buzon.intake.run import Run
from buzon.intake.stumbles import pop3_top
from buzon.intake.take_pop3 import take_waiting
from buzon.wire.errors import ServerBusy
from buzon.wire.pop3 import Listing, Pop3Session

SESSION_SECONDS = 150.0  # and the last batch, on a slow line: three minutes at most


def collect(run: Run, session: Pop3Session) -> None:
    """One session: what is new comes into custody, and QUIT removes what R6 lets go.

    Sets `run.new_mail_first` where there is more to do in a session of its own.
    """
    ends = monotonic() + SESSION_SECONDS
    run.retrieved.clear()
    folder = run.account.folders.get()
    listing = session.listing()
    run.totals.listed = len(listing)
    run.octets_to_look = session.bytes_in
    pop3_top(run, session, folder, listing)
    named = {each.uidl: each for each in listing if each.uidl is not None}
    unnamed = [each for each in listing if each.uidl is None]
    _check_names(folder, session, named, listing)
    names = look_at_other_sizes(run, session, folder, Names.of(folder), named)
    if is_suspect(folder, names, named, unnamed=len(unnamed)):
        find_again(run, session, folder, names, listing)
    else:
        compare(run, folder, names, named, unnamed=unnamed)
    run.looks.take()
    run.new_mail_first = not take_waiting(run, session, folder, named, ends=ends)
    present = named | collect_by_digest(run, session, folder, unnamed)
    run.process()
    folder.refresh_from_db()
    run.totals.outside = folder.outside
    run.received(session.bytes_in)
    settle_pop3.settle_and_quit(run, session, folder, present)


def _check_names(
    folder: Folder, session: Pop3Session, named: Mapping[str, Listing], listing: Sequence[Listing]
) -> None:
    """A server that has named its messages before and names none now has a bad moment.

    To believe it would have every message retrieved to find out which it is. But where the names
    that we know are told still, only for several messages, it names them so for good.
    """
    if not listing or named:
        return
    rows = Arrival.objects.filter(folder=folder).live().exclude(uidl__startswith=DIGEST)
    outside = OutsideMail.objects.filter(folder=folder).exclude(uidl__startswith=DIGEST)
    known = {*rows.values_list("uidl", flat=True), *outside.values_list("uidl", flat=True)}
    if {name for name in known if name and not is_void_name(name)} - session.shared_uidls:
        raise ServerBusy("The server does not tell its messages' UIDLs this time.")
