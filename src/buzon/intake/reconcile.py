"""Reconcile: a fresh listing of the server beside the ledger, and what differs between the two.

    messages on the server = live rows + outside + not yet listed

Where they differ, the account is due now, and that collection puts it right: it collects what is
missing within the window, and closes the rows of what is gone. By itself it compares whenever the
counts differ, and once a day. Nothing is changed on the server.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone

from buzon.intake.accounts import credentials_of, endpoint_of
from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail
from buzon.intake.names import DIGEST, is_void
from buzon.intake.window import is_wanted, outside_by_uid
from buzon.wire.errors import FolderMissing, NotPermitted
from buzon.wire.imap import ImapSession
from buzon.wire.pop3 import Pop3Session

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Books:
    """One folder's count. `missing`: names (UID or UIDL) of messages within the window that have
    no row; `gone`: ids of rows whose message is no longer on the server; `renumbered`: the server
    gives another UIDVALIDITY than the rows have, or is another one, so they say nothing until the
    next collection. `error` is why it could not be compared; then its counts are 0.
    """

    folder: str
    on_server: int
    live: int
    outside: int
    not_yet_listed: int = 0
    missing: list[str] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    renumbered: bool = False
    error: str = ""

    @property
    def unexplained(self) -> int:
        """How many more are on the server than the sum says, `missing` and `gone` set aside; less
        than none where somebody removed what is outside. The next collection counts it anew.
        """
        rows = self.live - len(self.gone) + len(self.missing)
        return self.on_server - rows - self.outside - self.not_yet_listed

    @property
    def balance(self) -> bool:
        """Whether both agree."""
        differs = self.missing or self.gone or self.renumbered or self.unexplained
        return not (differs or self.error)


def reconcile(account: CollectionAccount) -> list[Books]:
    """Every folder's books; of one that the server refuses, the reason. Raises MailError where
    nothing can be compared at all, KeyringError.
    """
    endpoint, credentials = endpoint_of(account), credentials_of(account)
    folders = list(account.folders.order_by("role", "pk"))
    if account.protocol == CollectionAccount.Protocol.POP3:
        with Pop3Session.open(endpoint, credentials) as session:
            books = [_pop3(session, folder) for folder in folders]
            session.quit()  # nothing is marked; without it some servers stay locked for a while
    else:
        with ImapSession.open(endpoint, credentials) as imap:
            books = [_imap_or_error(account, imap, folder) for folder in folders]
    if not all(one.balance for one in books):
        account.folders.filter(baseline_at__isnull=False).update(reconciled_at=_LONG_AGO)
        account.duties.update(due_at=timezone.now())
    return books


def _imap_or_error(account: CollectionAccount, session: ImapSession, folder: Folder) -> Books:
    try:
        return _imap(account, session, folder)
    except (FolderMissing, NotPermitted) as error:
        return Books(folder.name, 0, 0, 0, error=str(error))


def _imap(account: CollectionAccount, session: ImapSession, folder: Folder) -> Books:
    selected = session.examine(folder.name)
    rows = Arrival.objects.filter(folder=folder).live()
    books = Books(folder.name, selected.exists, rows.count(), folder.outside)
    if folder.uidvalidity is not None and folder.uidvalidity != selected.uidvalidity:
        books.renumbered = True
        return books
    known, outside = dict(rows.values_list("uid", "pk")), outside_by_uid(folder)
    listed = session.listing(1, None)
    there = {message.uid for message in listed}
    books.on_server = len(listed)  # mail may have come since the folder was opened
    books.gone = sorted(pk for uid, pk in known.items() if uid not in there)
    for message in listed:
        if message.uid in known or message.uid in outside:
            continue
        if folder.baseline_at is None or message.uid > folder.high:
            books.not_yet_listed += 1
        elif is_wanted(account, folder, uid=message.uid, date=message.internal_date):
            if message.uid < folder.low:
                books.not_yet_listed += 1
            else:
                books.missing.append(str(message.uid))
    return books


def _pop3(session: Pop3Session, folder: Folder) -> Books:
    listing = session.listing()
    rows = Arrival.objects.filter(folder=folder).live()
    books = Books(folder.name, len(listing), rows.count(), folder.outside)
    if is_void(folder):
        books.renumbered = True
        return books
    named = {each.uidl for each in listing if each.uidl is not None}
    by_uidl = rows.exclude(uidl__startswith=DIGEST)
    known = dict(by_uidl.values_list("uidl", "pk"))
    outside = set(OutsideMail.objects.filter(folder=folder).values_list("uidl", flat=True))
    books.gone = sorted(pk for uidl, pk in known.items() if uidl not in named)
    new = sorted(uidl for uidl in named if uidl not in known and uidl not in outside)
    if folder.baseline_at is None:
        books.not_yet_listed = len(listing)
        return books
    books.missing = new
    unnamed = sum(each.uidl is None for each in listing)
    seen = rows.filter(uidl__startswith=DIGEST).count()
    seen += sum(uidl.startswith(DIGEST) for uidl in outside)
    books.not_yet_listed = max(unnamed - seen, 0)
    return books
