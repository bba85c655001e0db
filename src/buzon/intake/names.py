"""By which names the ledger knows messages, and how names become void.

UID with UIDVALIDITY   IMAP                          UIDL   POP3
digest:SHA256#n        POP3 without a UIDL of its own: the octets, and n counts equal ones
void UIDL              of another server: it means nothing on the one that is there now

A person who changes the server or the login of an account may have moved to other mail under the
same names. The next collection finds the mail again first, as after a new UIDVALIDITY.
"""

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from buzon.intake.models import Arrival, CollectionAccount, Folder, OutsideMail

DIGEST = "digest:"
VOID_UIDVALIDITY = 0  # no server's (RFC 9051 §9: nz-number)
VOID = "void "  # before a UIDL; none has a space in it (RFC 1939 §7)


def void_names(account: CollectionAccount) -> None:
    """In the caller's transaction, in which no collector of the account can write any more."""
    folders = Folder.objects.filter(account=account, baseline_at__isnull=False)
    # The person knows of this change: it is none of those that the loop guard is for.
    folders.update(validity_changes=[], untold_since=None, stumbles={})
    folders.update(uidvalidity=VOID_UIDVALIDITY)  # over POP3 too, until the mail was found again
    rows = Arrival.objects.filter(account=account).live()
    rows.filter(uid__isnull=False).update(uidvalidity=VOID_UIDVALIDITY)
    if account.protocol == CollectionAccount.Protocol.POP3:
        _void_uidls(rows)
        _void_uidls(OutsideMail.everything.filter(folder__account=account))


def is_void(folder: Folder) -> bool:
    """Whether its names mean nothing until the mail was found again."""
    return folder.uidvalidity == VOID_UIDVALIDITY


def is_void_name(uidl: str) -> bool:
    """Whether this name of a row is of an earlier server."""
    return uidl.startswith(VOID)


def _void_uidls(named: "QuerySet[Arrival] | QuerySet[OutsideMail]") -> None:
    # What is known by its octets is so on every server.
    readable = named.exclude(uidl__startswith=DIGEST).exclude(uidl__startswith=VOID)
    readable.update(uidl=Concat(Value(VOID), F("uidl")))
