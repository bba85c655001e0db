"""The connection doctor once it is logged in: folders, what deleting would do, how much mail."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from buzon.desk.reasons import error_sentence
from buzon.intake.check_step import Step, grouped
from buzon.intake.models import CollectionAccount, Folder
from buzon.intake.settle_imap import trash_folder
from buzon.wire.errors import FolderMissing, MailError, NotPermitted
from buzon.wire.imap import FolderInfo, ImapSession
from buzon.wire.pop3 import Pop3Session

_MOST_NAMED = 30


def imap_mail(
    account: CollectionAccount, folders: Iterable[Folder], session: ImapSession
) -> Iterator[Step]:
    """Each folder, then what deleting would do, then the sum. Folders are opened read-only."""
    counts: list[int] = []
    for folder in folders:
        yield _folder(session, folder, counts)
    detail, remedy = _imap_deletion(account, session)
    yield Step("deletion", True, detail, remedy)
    told = ngettext("{number} message.", "{number} messages.", sum(counts))
    yield Step("messages", True, told.format(number=grouped(sum(counts))))


def pop3_mail(account: CollectionAccount, session: Pop3Session) -> Iterator[Step]:
    """What deleting would do, and how much mail there is."""
    listing = session.listing()
    yield Step("deletion", True, _pop3_deletion(account, has_uidl=session.has_uidl))
    told = ngettext(
        "{number} message, {octets} octets.", "{number} messages, {octets} octets.", len(listing)
    )
    octets = sum(each.size for each in listing)
    detail = told.format(number=grouped(len(listing)), octets=grouped(octets))
    for each in listing[:1]:
        session.try_top(each.number)
    yield Step("messages", True, detail, _without_top(account, has_top=session.has_top))


def _folder(session: ImapSession, folder: Folder, counts: list[int]) -> Step:
    try:
        opened = session.examine(folder.name)
    except (FolderMissing, NotPermitted) as error:
        return _missing(session, folder, error)
    counts.append(opened.exists)
    told = ngettext(
        "{folder} is there, with {number} message.",
        "{folder} is there, with {number} messages.",
        opened.exists,
    )
    return Step("folder", True, told.format(folder=folder.name, number=grouped(opened.exists)))


def _missing(session: ImapSession, folder: Folder, error: MailError) -> Step:
    field = "sent_folders" if folder.role == Folder.Role.SENT else "folders"
    there = [each for each in session.folders() if each.selectable]
    names = [each.name for each in there]
    if folder.name in names:
        told = _("{folder} may not be opened: {error}")
        detail = told.format(folder=folder.name, error=error_sentence(error))
        return Step("folder", False, detail, field=field)
    detail = _("There is no folder {folder}.").format(folder=folder.name)
    shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
    remedy = _("The folders of this login are: {folders}.").format(folders=shown)
    return Step("folder", False, detail, remedy + _sent_hint(folder, there), field=field)


def _sent_hint(folder: Folder, there: list[FolderInfo]) -> str:
    sent = [each.name for each in there if each.special_use == "\\Sent"]
    if folder.role != Folder.Role.SENT or not sent:
        return ""
    told = _("The server says that {folder} holds the sent letters.")
    return " " + told.format(folder=sent[0])


def _imap_deletion(account: CollectionAccount, session: ImapSession) -> tuple[str, str]:
    """What deleting would do here, as `settle_imap` does it; and what to know about that."""
    if account.after != CollectionAccount.After.DELETE:
        return _not_deleting(account), ""
    trash = trash_folder(session)
    moves = bool(trash) and session.has("MOVE")
    if session.is_gmail:
        return _gmail_deletion(trash if moves else None)
    if session.has("UIDPLUS"):
        return _("Exactly the collected messages are removed (UIDPLUS)."), ""
    if moves:
        told = _("The server cannot remove single messages, so they move to {folder}.")
        return told.format(folder=trash), ""
    return (
        _("The server cannot remove single messages: they are only marked as deleted."),
        _("Remove them with another mail program, or leave them."),
    )


def _gmail_deletion(trash: str | None) -> tuple[str, str]:
    if trash:
        told = _("Gmail archives what is deleted, so collected mail moves to {folder}.")
        return told.format(folder=trash), ""
    return (
        _("Gmail only archives what is deleted, and shows no bin."),
        _("In Gmail's settings, let IMAP show the bin, so that mail is really deleted."),
    )


def _pop3_deletion(account: CollectionAccount, *, has_uidl: bool) -> str:
    if account.after != CollectionAccount.After.DELETE:
        return _not_deleting(account)
    if has_uidl:
        return _("Collected messages are removed at the end of each session (QUIT).")
    return _(
        "The server gives no UIDL: a message is removed only in the session that collected it."
    )


def _not_deleting(account: CollectionAccount) -> str:
    if account.after == CollectionAccount.After.READ:
        return _("Nothing is removed; collected messages are marked as read.")
    return _("Nothing is removed or marked.")


def _without_top(account: CollectionAccount, *, has_top: bool) -> str:
    if has_top or account.create_customer:
        return ""
    return _("The server gives no headers alone (no TOP): each message is retrieved to decide.")
