"""The window of an account: what of the mail that was there at first is collected (R4).

history = there at the baseline        new = came after it
outside = history that the account does not want; it is counted, never collected
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from buzon.intake.models import CollectionAccount, Folder, OutsideMail


def is_history(folder: Folder, *, uid: int | None, date: datetime | None) -> bool:
    """By UID, else by date: the server's, or over POP3 that of the message."""
    if uid is not None and folder.baseline_uidnext is not None:
        return uid < folder.baseline_uidnext
    if date is None or folder.baseline_at is None:
        return False
    return date < folder.baseline_at.replace(microsecond=0)  # servers tell whole seconds


def is_wanted(
    account: CollectionAccount, folder: Folder, *, uid: int | None, date: datetime | None
) -> bool:
    """New mail is; history is as far as it is within the window, and was not cancelled."""
    if not is_history(folder, uid=uid, date=date):
        return True
    return folder.cancelled_at is None and is_within(account, date)


def outside_by_uid(folder: Folder) -> set[int]:
    """UIDs of messages that are outside though their internal date says otherwise: the server has
    lost the one that they had.
    """
    if folder.uidvalidity is None:
        return set()
    rows = OutsideMail.objects.filter(folder=folder)
    return {int(name) for name in rows.values_list("uidl", flat=True)}


def is_within(account: CollectionAccount, date: datetime | None) -> bool:
    """Whether a message of the history is within the window; one without a date is."""
    if account.start == CollectionAccount.Start.NOW:
        return False
    first_moment = start_of_window(account)
    return first_moment is None or date is None or date >= first_moment


def start_of_window(account: CollectionAccount) -> datetime | None:
    """The first moment of history that is collected: midnight, in the organization's time zone."""
    if account.start != CollectionAccount.Start.DATE or account.start_date is None:
        return None
    return start_of_day(account, account.start_date)


def start_of_day(account: CollectionAccount, day: date) -> datetime:
    """Its midnight, in the organization's time zone."""
    zone = ZoneInfo(account.organization.time_zone)
    return datetime.combine(day, time.min, zone).astimezone(UTC)
